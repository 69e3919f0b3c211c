package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.Beneath;
import dev.ovl.engine.tree.TreeWalk;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Has the kernel copy files of a mounted overlay into its upper, with their data: a file is opened
 * for writing, of all else the owner is set to what it is. Nothing is written, and no time but that
 * of the last change of attributes is another one afterwards (the kernel's
 * Documentation/filesystems/overlayfs.rst, "Non-standard behavior").
 */
final class CopyUp {
  private static final int SAME = -1;

  private final Syscalls sys;
  private final Progress progress;
  private final BooleanSupplier cancelled;

  CopyUp(Syscalls sys, Progress progress, BooleanSupplier cancelled) {
    this.sys = sys;
    this.progress = progress;
    this.cancelled = cancelled;
  }

  /**
   * Copies up what a path leads to and, of a directory, all that is in it. What is there already is
   * fine. Other mounts in it are left out.
   *
   * @param tree where the overlay is mounted
   * @param path from its root; symbolic links in it are not followed
   * @throws EngineException there is no such path; a program is being executed (ETXTBSY); cancelled
   */
  void run(OsPath tree, OsPath path) throws EngineException, ErrnoException {
    Files files = new Files(sys);
    try (Fd top = files.openDirectory(tree)) {
      OsPath parent = path.isEmpty() ? OsPath.DOT : path.parent();
      OsPath name = path.isEmpty() ? OsPath.DOT : path.fileName();
      Optional<Fd> opened =
          new Beneath(sys)
              .open(top, parent.isEmpty() ? OsPath.DOT : parent, Linux.O_PATH | Linux.O_DIRECTORY);
      if (opened.isEmpty()) {
        throw missing(path);
      }
      try (Fd directory = opened.get()) {
        Statx stat = stat(directory, name, path);
        if (!stat.isDirectory()) {
          copy(directory, name, stat);
          return;
        }
      }
    }
    OsPath root = path.isEmpty() ? tree : tree.resolve(path);
    if (!new TreeWalk(sys).walk(root, this::copy, cancelled)) {
      throw EngineException.failed("cancelled", Errno.ECANCELED);
    }
  }

  private Statx stat(Fd directory, OsPath name, OsPath path)
      throws EngineException, ErrnoException {
    int flags = Linux.AT_SYMLINK_NOFOLLOW | Linux.AT_NO_AUTOMOUNT;
    try {
      return sys.statx(directory.number(), name, flags, Linux.STATX_BASIC_STATS);
    } catch (ErrnoException e) {
      if (Beneath.isGone(e)) {
        throw missing(path);
      }
      throw e;
    }
  }

  private static EngineException missing(OsPath path) {
    return EngineException.failed("it shows no " + path.quoted(), Errno.ENOENT);
  }

  private void copy(Fd directory, OsPath name, Statx stat) throws EngineException, ErrnoException {
    try {
      if (stat.isRegularFile()) {
        // what became a FIFO meanwhile must not be waited for
        int flags = Linux.O_RDWR | Linux.O_NOFOLLOW | Linux.O_NONBLOCK | Linux.O_NOCTTY;
        try (Fd file = new Fd(sys, sys.openat(directory.number(), name, flags, 0))) {
          // overlayfs copies when it is opened, aufs when it is about to be written to
          sys.write(file.number(), ByteBuffer.allocateDirect(0));
        }
        progress.read(stat.size());
      } else {
        sys.fchownat(directory.number(), name, SAME, SAME, Linux.AT_SYMLINK_NOFOLLOW);
      }
    } catch (ErrnoException e) {
      if (!Beneath.isGone(e)) {
        throw EngineException.failed("cannot copy up " + name.quoted(), e);
      }
    }
    progress.looked();
  }
}
