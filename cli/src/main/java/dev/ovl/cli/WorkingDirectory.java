package dev.ovl.cli;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import java.io.UncheckedIOException;

/**
 * The process's working directory as bytes; apart from {@link Main}, which needs no system calls
 * else.
 */
final class WorkingDirectory {
  private WorkingDirectory() {}

  static OsPath read() {
    try {
      return new LinuxSyscalls().readlinkat(Linux.AT_FDCWD, OsPath.of("/proc/self/cwd"));
    } catch (ErrnoException e) {
      throw new UncheckedIOException(e);
    }
  }
}
