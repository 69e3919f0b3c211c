package dev.ovl.engine.file;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;

/**
 * Extended attributes {@code trusted.}, in which overlayfs keeps its books. xattr(7): they are for
 * CAP_SYS_ADMIN of the first user namespace; root of another one has none.
 */
public final class TrustedAttributes {
  /** Nobody has it: to remove it is to ask whether one may. */
  private static final String ABSENT = "trusted.ovl.absent";

  private TrustedAttributes() {}

  /**
   * Whether this process may set such attributes. Nothing is changed.
   *
   * @param directory an own one, which can be read
   * @throws ErrnoException ENOENT, EACCES: it cannot be asked
   */
  public static boolean permitted(Syscalls sys, OsPath directory) throws ErrnoException {
    int flags = Linux.O_RDONLY | Linux.O_DIRECTORY;
    try (Fd opened = new Fd(sys, sys.openat(Linux.AT_FDCWD, directory, flags, 0))) {
      sys.fremovexattr(opened.number(), ABSENT);
      return true;
    } catch (ErrnoException e) {
      return switch (e.errno()) {
        case EPERM -> false;
        // it is not there, as was to be expected; or there are none, which refuses overlays itself
        case ENODATA, EOPNOTSUPP, EROFS -> true;
        default -> throw e;
      };
    }
  }
}
