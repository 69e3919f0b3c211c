package dev.ovl.engine.move;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.Optional;

/**
 * A name in an open directory: what a path meant when it was looked up, whatever becomes of the
 * directories on the way.
 *
 * @param directory open for reading
 * @param name one component; {@code .} or {@code ..} only where {@link #isDots}
 * @param slash whether slashes follow it, so that it must be a directory
 * @param path as it was given
 */
record Name(Fd directory, OsPath name, boolean slash, OsPath path) implements AutoCloseable {

  /**
   * Opens the directory of a path.
   *
   * @throws EngineException EBUSY: the path has no last component, as the root directory
   */
  static Name of(Syscalls sys, OsPath path) throws EngineException, ErrnoException {
    OsPath name = path.fileName();
    if (name.isEmpty()) {
      throw refused(path, path.isEmpty() ? Errno.ENOENT : Errno.EBUSY);
    }
    boolean slash = path.at(path.length() - 1) == '/';
    return new Name(new Files(sys).openDirectory(path.parent()), name, slash, path);
  }

  /** A refusal, as rename(2) would give it. */
  static EngineException refused(OsPath path, Errno errno) {
    return EngineException.failed(path.quoted() + ": " + errno.message(), errno);
  }

  /** The path of something in it, {@code .} being itself. */
  OsPath beneath(OsPath inside) {
    return inside.equals(OsPath.DOT) ? path : path.resolve(inside);
  }

  /** True for {@code .} and {@code ..}, which cannot be renamed. */
  boolean isDots() {
    return name.equals(OsPath.DOT) || name.equals(OsPath.of(".."));
  }

  /** A path that leads there as long as the directory is open. */
  OsPath inProc() {
    return Files.procPath(directory).resolve(name);
  }

  /** statx(2), not of what a link points to; empty when it is not there. */
  Optional<Statx> stat(Syscalls sys) throws ErrnoException {
    int flags = Linux.AT_SYMLINK_NOFOLLOW | Linux.AT_NO_AUTOMOUNT;
    int mask = Linux.STATX_BASIC_STATS | Linux.STATX_MNT_ID;
    try {
      return Optional.of(sys.statx(directory.number(), name, flags, mask));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  @Override
  public void close() {
    directory.close();
  }
}
