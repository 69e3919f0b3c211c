package dev.ovl.server;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.server.socket.UnixListener;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The socket at which a daemon listens, {@code mountd.sock} in the run directory: its own, with
 * mode 0660 and a group, or one that the service manager made.
 *
 * <p>Whoever makes its own holds flock(2) on {@code mountd.lock} beside it, so that there is one
 * daemon a run directory, and a socket file found there is one that nobody listens to any more.
 */
final class ControlSocket implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ControlSocket.class);
  private static final OsPath NAME = OsPath.of("mountd.sock");
  private static final OsPath LOCK = OsPath.of("mountd.lock");
  private static final int MODE = 0660;
  private static final int MODE_OF_USER = 0600;
  private static final int BACKLOG = 1024;

  private final Files files;
  private final OsPath path;
  private final UnixListener listener;

  /** Absent for a socket of the service manager's. */
  private final Optional<Fd> lock;

  private ControlSocket(Files files, OsPath path, UnixListener listener, Optional<Fd> lock) {
    this.files = files;
    this.path = path;
    this.listener = listener;
    this.lock = lock;
  }

  /** Takes a listening socket that was handed over. */
  static ControlSocket adopt(Syscalls sys, OsPath run, int descriptor) {
    UnixListener listener = new UnixListener(sys, new Fd(sys, descriptor));
    return new ControlSocket(new Files(sys), run.resolve(NAME), listener, Optional.empty());
  }

  /**
   * Makes one.
   *
   * @param group its group, by name; where there is none of that name root's stays; absent: it is
   *     for its owner alone
   * @throws EngineException another daemon serves this run directory
   */
  static ControlSocket make(Syscalls sys, OsPath run, Optional<String> group)
      throws EngineException, ErrnoException {
    Files files = new Files(sys);
    files.mkdirs(run, 0755);
    Fd lock = lock(sys, run);
    boolean done = false;
    try {
      UnixListener listener =
          UnixListener.make(
              sys,
              run,
              NAME,
              group.isPresent() ? MODE : MODE_OF_USER,
              file -> group.ifPresent(name -> giveTo(name, file)),
              BACKLOG);
      done = true;
      return new ControlSocket(files, run.resolve(NAME), listener, Optional.of(lock));
    } finally {
      if (!done) {
        lock.close();
      }
    }
  }

  private static Fd lock(Syscalls sys, OsPath run) throws EngineException, ErrnoException {
    int flags = Linux.O_RDWR | Linux.O_CREAT | Linux.O_NOFOLLOW;
    Fd lock = new Fd(sys, sys.openat(Linux.AT_FDCWD, run.resolve(LOCK), flags, 0600));
    boolean held = false;
    try {
      held = sys.flock(lock.number(), Linux.LOCK_EX | Linux.LOCK_NB);
    } finally {
      if (!held) {
        lock.close();
      }
    }
    if (!held) {
      throw EngineException.failed(
          "another daemon serves the run directory " + run.quoted(), Errno.EBUSY);
    }
    return lock;
  }

  private static void giveTo(String group, OsPath socket) {
    Path path = Path.of(socket.toString());
    try {
      GroupPrincipal principal =
          path.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByGroupName(group);
      java.nio.file.Files.getFileAttributeView(path, PosixFileAttributeView.class)
          .setGroup(principal);
    } catch (UserPrincipalNotFoundException e) {
      LOG.info("there is no group {}: only root can use the daemon", OsPath.quoted(group));
    } catch (IOException e) {
      LOG.warn("the socket cannot be given to group {}: {}", OsPath.quoted(group), e.getMessage());
    }
  }

  /** What connections are accepted from. */
  UnixListener listener() {
    return listener;
  }

  /** Its path. */
  OsPath path() {
    return path;
  }

  /** The group that may connect; absent: root's, or it cannot be told. */
  OptionalInt group() throws ErrnoException {
    Optional<Statx> file = files.lstat(path);
    return file.isPresent() && file.get().gid() != 0
        ? OptionalInt.of(file.get().gid())
        : OptionalInt.empty();
  }

  /** Listens no more. A socket of our own is removed. */
  @Override
  public void close() {
    if (lock.isPresent()) {
      try {
        files.remove(path);
      } catch (ErrnoException e) {
        // the next daemon replaces it
        LOG.warn("the socket stays behind: {}", e.getMessage());
      }
    }
    listener.close();
    lock.ifPresent(Fd::close);
  }
}
