package dev.ovl.engine.mount;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;

/**
 * Asks the kernel whether some overlay has a directory as its upper, by asking for a mount that
 * cannot come to be: with index=on a used upper gives EBUSY, and only then is the work directory
 * looked at, which lies on another mount (EINVAL). Nothing is made or changed, but each answer
 * leaves a line in the kernel's log, so this is for cases that mount options leave open.
 */
public final class UpperInUse {
  private static final OsPath ANY_LOWER = OsPath.ROOT;
  private static final OsPath IMPOSSIBLE_WORK = OsPath.of("/proc");

  private final Syscalls sys;

  /**
   * @param sys what to call
   */
  public UpperInUse(Syscalls sys) {
    this.sys = sys;
  }

  /** True when it is in use; false when it is not, or when this kernel cannot be asked so. */
  public boolean test(OsPath upper) throws ErrnoException {
    // by the descriptor's name, since the kernel takes no long path and undoes backslashes
    try (MountContext context = new MountContext(sys, "overlay");
        Fd directory = new Files(sys).openPath(upper)) {
      // not lowerdir+, which kernels before 6.7 do not know
      context
          .set("lowerdir", ANY_LOWER)
          .set("upperdir", Files.procPath(directory))
          .set("workdir", IMPOSSIBLE_WORK)
          .set("index", "on")
          .mount()
          .close();
      return false;
    } catch (ErrnoException e) {
      return switch (e.errno()) {
        case EBUSY -> true;
        // the work directory was looked at; or the question is not understood
        case EINVAL, EXDEV, ENOSYS, ENODEV, EPERM -> false;
        // there is no such upper, as the mount itself will tell
        case ENOENT, ENOTDIR -> false;
        default -> throw e;
      };
    }
  }
}
