package dev.ovl.engine.fsck;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.move.CrossDeviceMove;
import dev.ovl.engine.tree.Beneath;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Mends findings. Its caller makes sure that nothing has the upper mounted.
 *
 * <p>A mend is one system call that changes something, or several of which each alone leaves an
 * overlay that shows the same; so whatever it ends with, the next check finds what is left to do.
 * Each is durable when the method returns.
 */
public final class OverlayRepair {
  private static final byte[] YES = {'y'};
  private static final byte[] HAS_WHITEOUTS = {'x'};

  private final Syscalls sys;
  private final Files files;
  private final Beneath beneath;
  private final String prefix;

  /**
   * @param books in which attributes the layers keep their books
   */
  public OverlayRepair(Syscalls sys, View.Books books) {
    this.sys = sys;
    this.files = new Files(sys);
    this.beneath = new Beneath(sys);
    this.prefix = books.prefix().orElseThrow();
  }

  /**
   * Mends what a check has just found.
   *
   * @return false when there was nothing to do any more, or it could not be done
   * @throws EngineException a system call failed; the finding is there still, or is no more
   */
  public boolean mend(Finding finding) throws EngineException {
    if (finding.mend().isEmpty()) {
      return false;
    }
    try (Fd root = files.openDirectory(finding.directory())) {
      OsPath path = finding.path();
      OsPath parent = path.isEmpty() || !path.contains('/') ? OsPath.DOT : path.parent();
      int flags = Linux.O_RDONLY | Linux.O_DIRECTORY;
      Optional<Fd> opened = beneath.open(root, parent, flags);
      if (opened.isEmpty()) {
        return false;
      }
      try (Fd directory = opened.get()) {
        OsPath name = path.isEmpty() ? OsPath.DOT : path.fileName();
        return mend(finding, finding.mend().get(), directory, name);
      }
    } catch (ErrnoException e) {
      throw EngineException.failed("cannot repair " + finding.place().quoted(), e);
    }
  }

  private boolean mend(Finding finding, Mend mend, Fd directory, OsPath name)
      throws ErrnoException {
    OsPath at = Files.procPath(directory).resolve(name);
    switch (mend) {
      case Mend.Forget(String attribute) -> {
        boolean there = forget(at, attribute);
        sync(directory, name);
        return there;
      }
      case Mend.Seal seal -> {
        // an opaque directory's redirect is not followed, so each step leaves the same to be seen
        sys.setxattr(at, prefix + UpperVisitor.OPAQUE, YES, 0, false);
        sync(directory, name);
        forget(at, UpperVisitor.REDIRECT);
        sync(directory, name);
        return true;
      }
      case Mend.MarkImpure impure -> {
        sys.setxattr(at, prefix + UpperVisitor.IMPURE, YES, 0, false);
        sync(directory, name);
        return true;
      }
      case Mend.MarkWhiteouts mark -> {
        sys.fsetxattr(directory.number(), prefix + UpperVisitor.OPAQUE, HAS_WHITEOUTS, 0);
        sys.fsync(directory.number());
        return true;
      }
      case Mend.CountLinks(String value) -> {
        byte[] bytes = value.getBytes(StandardCharsets.ISO_8859_1);
        sys.setxattr(at, prefix + UpperVisitor.NLINK, bytes, 0, false);
        sync(directory, name);
        return true;
      }
      case Mend.Unlink unlink -> {
        return removed(directory, () -> sys.unlinkat(directory.number(), name, 0));
      }
      case Mend.Sweep sweep -> {
        return removed(directory, () -> files.removeAny(directory, name));
      }
      case Mend.OfStack other -> throw new IllegalArgumentException(other.words());
      case Mend.EndMoves moves -> {
        new CrossDeviceMove(sys).recover(files.pathOf(directory));
        return files.lstat(finding.place()).isEmpty();
      }
    }
  }

  private boolean forget(OsPath at, String attribute) throws ErrnoException {
    try {
      sys.removexattr(at, prefix + attribute, false);
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENODATA)) {
        return false;
      }
      throw e;
    }
  }

  /** Only directories and regular files have such attributes. */
  private void sync(Fd directory, OsPath name) throws ErrnoException {
    int flags = Linux.O_RDONLY | Linux.O_NOFOLLOW | Linux.O_NONBLOCK;
    try (Fd file = new Fd(sys, sys.openat(directory.number(), name, flags, 0))) {
      sys.fsync(file.number());
    }
  }

  /** Takes something away from a directory. */
  private interface Removal {
    void run() throws ErrnoException;
  }

  /** The mount shows the directory's time; nothing that it shows has changed. */
  private boolean removed(Fd directory, Removal removal) throws ErrnoException {
    Statx before =
        sys.statx(directory.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_BASIC_STATS);
    try {
      removal.run();
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return false;
      }
      throw e;
    }
    Timestamp omit = new Timestamp(0, Linux.UTIME_OMIT);
    sys.utimensat(Linux.AT_FDCWD, Files.procPath(directory), omit, before.modified(), 0);
    sys.fsync(directory.number());
    return true;
  }
}
