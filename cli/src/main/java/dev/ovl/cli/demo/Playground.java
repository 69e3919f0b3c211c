package dev.ovl.cli.demo;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.RandomBytes;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/**
 * A directory of our own that nobody else can enter, with a root and a run directory for ovl in it.
 *
 * <p>Where the temporary directory lies on an overlay, as it does in most containers, no upper can
 * lie there; then a small tmpfs is mounted on the new directory.
 */
final class Playground {
  private static final int NAME_LENGTH = 8;
  private static final int ATTEMPTS = 16;
  private static final byte[] TMPFS_DATA = "mode=700,size=16m".getBytes(StandardCharsets.US_ASCII);

  private final Syscalls sys;
  private final Files files;
  private final OsPath directory;
  private boolean tmpfs;

  private Playground(Syscalls sys, OsPath directory) {
    this.sys = sys;
    this.files = new Files(sys);
    this.directory = directory;
  }

  /**
   * Makes the directory.
   *
   * @param parent absolute
   * @throws EngineException the parent is no directory
   */
  static Playground make(Syscalls sys, OsPath parent) throws EngineException, ErrnoException {
    Files files = new Files(sys);
    OsPath resolved =
        files
            .resolve(parent)
            .orElseThrow(
                () ->
                    EngineException.failed(
                        "the temporary directory does not exist: " + parent.quoted(),
                        Errno.ENOENT));
    RandomBytes random = new RandomBytes(sys);
    for (int i = 0; i < ATTEMPTS; i++) {
      String name = "ovl-demo-" + random.base32(NAME_LENGTH).toLowerCase(Locale.ROOT);
      OsPath directory = resolved.resolve(name);
      if (files.mkdir(directory, 0700)) {
        return new Playground(sys, directory);
      }
    }
    throw EngineException.failed("no unused name found in " + resolved.quoted(), Errno.EEXIST);
  }

  /** Makes what is in it. */
  void furnish() throws ErrnoException {
    if (files.fileSystemType(directory) == Linux.OVERLAYFS_SUPER_MAGIC) {
      sys.mount(OsPath.of("ovl-demo"), directory, "tmpfs", 0, TMPFS_DATA);
      tmpfs = true;
    }
    files.mkdir(work(), 0755);
  }

  /** Absolute and without symbolic links. */
  OsPath directory() {
    return directory;
  }

  /** Where the walk-through happens; the seeds' name. */
  OsPath work() {
    return directory.resolve("overlaytest");
  }

  OsPath root() {
    return directory.resolve("root");
  }

  OsPath run() {
    return directory.resolve("run");
  }

  /** Whether it is a file system of its own. */
  boolean isTmpfs() {
    return tmpfs;
  }

  /** Unmounts all that is mounted in it, and deletes it. */
  void remove() throws ErrnoException {
    List<MountEntry> mounts =
        new MountTable(sys)
            .all().stream().filter(mount -> mount.point().startsWith(directory)).toList();
    for (MountEntry mount : mounts.reversed()) {
      try {
        sys.umount2(mount.point(), Linux.UMOUNT_NOFOLLOW);
      } catch (ErrnoException e) {
        if (!e.is(Errno.EBUSY)) {
          throw e;
        }
        // somebody looks around in it: the mount ends when they leave
        sys.umount2(mount.point(), Linux.UMOUNT_NOFOLLOW | Linux.MNT_DETACH);
      }
    }
    files.removeTree(directory);
  }
}
