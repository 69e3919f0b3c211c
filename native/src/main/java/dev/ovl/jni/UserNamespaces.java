package dev.ovl.jni;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Syscalls;

/** User namespaces that say how ids are mapped, for mount_setattr(2). */
public final class UserNamespaces {
  private UserNamespaces() {}

  /**
   * Makes a user namespace in which nobody lives; it ends with the descriptor and the mounts that
   * use it.
   *
   * @param sys by which the descriptor is closed
   * @param users lines of {@code /proc/PID/uid_map}: user_namespaces(7)
   * @param groups the same of {@code gid_map}
   * @throws ErrnoException EINVAL: no such maps; EPERM; ENOSPC: too many namespaces
   * @throws NativeLibraryException the library that does it is not there
   */
  public static Fd map(Syscalls sys, String users, String groups)
      throws ErrnoException, NativeLibraryException {
    NativeLibrary.load();
    int space = map(users, groups);
    if (space < 0) {
      throw new ErrnoException("clone", () -> "CLONE_NEWUSER", Errno.of(-space));
    }
    return new Fd(sys, space);
  }

  private static native int map(String users, String groups);
}
