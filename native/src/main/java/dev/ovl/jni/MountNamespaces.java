package dev.ovl.jni;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import java.util.Arrays;

/**
 * Mounting in mount namespaces of other processes, by a child that enters them with setns(2). After
 * a failure nothing is changed there.
 */
public final class MountNamespaces {
  private MountNamespaces() {}

  /**
   * Attaches a mount; what is mounted in it later is nobody else's business.
   *
   * @param namespace {@code /proc/PID/ns/mnt}
   * @param tree a mount that is attached nowhere
   * @param target a directory of that namespace
   * @throws ErrnoException of setns(2), move_mount(2) or mount_setattr(2): EINVAL, the target is of
   *     another namespace; EPERM
   * @throws NativeLibraryException the library that does it is not there
   */
  public static void attach(Fd namespace, Fd tree, Fd target)
      throws ErrnoException, NativeLibraryException {
    NativeLibrary.load();
    String[] call = new String[1];
    int error = attach(namespace.number(), tree.number(), target.number(), call);
    check(error, call[0], "fd " + target.number());
  }

  /**
   * Unmounts what is mounted on a directory.
   *
   * @param namespace {@code /proc/PID/ns/mnt}
   * @param root a directory of that namespace
   * @param point an absolute path, as who has that root directory sees it
   * @param flags of umount2(2)
   * @throws ErrnoException of setns(2) or umount2(2): EBUSY, it is in use; EINVAL, nothing is
   *     mounted there
   * @throws NativeLibraryException the library that does it is not there
   */
  public static void unmount(Fd namespace, Fd root, OsPath point, int flags)
      throws ErrnoException, NativeLibraryException {
    NativeLibrary.load();
    String[] call = new String[1];
    byte[] name = point.bytes();
    byte[] ended = Arrays.copyOf(name, name.length + 1);
    int error = unmount(namespace.number(), root.number(), ended, flags, call);
    check(error, call[0], point.quoted());
  }

  private static void check(int error, String call, String about) throws ErrnoException {
    if (error < 0) {
      throw new ErrnoException(call, () -> about, Errno.of(-error));
    }
  }

  private static native int attach(int namespace, int tree, int target, String[] call);

  private static native int unmount(
      int namespace, int root, byte[] point, int flags, String[] call);
}
