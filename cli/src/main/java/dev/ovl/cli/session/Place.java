package dev.ovl.cli.session;

import dev.ovl.sys.OsPath;
import dev.ovl.sys.Privilege;
import java.util.Optional;
import java.util.OptionalInt;

/** Where a command runs, as the kernel tells: asked for when it is needed. */
public interface Place {
  /** The working directory, absolute: what relative paths are relative to. */
  OsPath directory();

  /** The process that it is done for, if that is not this one. */
  default OptionalInt client() {
    return OptionalInt.empty();
  }

  /** The mount namespace, {@code "mnt:[4026531841]"}. */
  String mountNamespace();

  /** The pid namespace, {@code "pid:[4026531836]"}: what process ids are of. */
  String pidNamespace();

  /** What the kernel lets the command do to mounts. */
  Privilege privilege();

  /**
   * Device and inode of a file, {@code "254:0 1234"}, links followed.
   *
   * @return absent: there is no such file, or it cannot be reached
   */
  Optional<String> fileId(OsPath path);
}
