package dev.ovl.engine.mount;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;

/**
 * Asks the kernel whether some overlay has a directory as its upper, by asking for a mount that
 * cannot come to be: with index=on a used upper gives EBUSY, and only then is the work directory
 * looked at, which lies on another mount (EINVAL). Nothing is made or changed, but each answer
 * leaves a line in the kernel's log, so this is for cases that mount options leave open.
 */
final class UpperInUse {
  private static final OsPath ANY_LOWER = OsPath.ROOT;
  private static final OsPath IMPOSSIBLE_WORK = OsPath.of("/proc");

  private final Syscalls sys;

  UpperInUse(Syscalls sys) {
    this.sys = sys;
  }

  /** True when it is in use; false when it is not, or when this kernel cannot be asked so. */
  boolean test(OsPath upper) throws ErrnoException {
    int opened;
    try {
      opened = sys.fsopen("overlay", Linux.FSOPEN_CLOEXEC);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOSYS) || e.is(Errno.EPERM) || e.is(Errno.ENODEV)) {
        return false;
      }
      throw e;
    }
    try (Fd context = new Fd(sys, opened)) {
      set(context, "lowerdir+", ANY_LOWER.bytes());
      set(context, "upperdir", upper.bytes());
      set(context, "workdir", IMPOSSIBLE_WORK.bytes());
      set(context, "index", OsPath.encode("on"));
      sys.fsconfig(context.number(), Linux.FSCONFIG_CMD_CREATE, "", new byte[0], 0);
      return false;
    } catch (ErrnoException e) {
      if (e.is(Errno.EBUSY) || e.is(Errno.EINVAL) || e.is(Errno.EXDEV)) {
        return e.is(Errno.EBUSY);
      }
      throw e;
    }
  }

  private void set(Fd context, String key, byte[] value) throws ErrnoException {
    sys.fsconfig(context.number(), Linux.FSCONFIG_SET_STRING, key, value, 0);
  }
}
