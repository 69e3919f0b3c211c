package dev.ovl.server.socket;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.UnixAddress;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A listening unix(7) stream socket. Not its file, which stays until somebody removes it. */
public final class UnixListener implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(UnixListener.class);

  /** How often the thread that accepts looks whether it is to end. */
  private static final int LOOK_MILLIS = 500;

  /** When there are no descriptors left. */
  private static final int PAUSE_MILLIS = 100;

  private final Syscalls sys;
  private final Fd listening;

  /**
   * @param sys what to call
   * @param listening on which listen(2) was called; becomes this object's
   */
  public UnixListener(Syscalls sys, Fd listening) {
    this.sys = sys;
    this.listening = listening;
  }

  /**
   * Makes one under another name until it can be used, so that nobody meets it half made. A file of
   * its name is replaced.
   *
   * @param directory where; exists
   * @param name its name there
   * @param mode of its file, permission bits
   * @param owner may give the file, whose path it gets, to somebody before the mode is set
   * @param backlog how many may wait to be accepted, see listen(2)
   * @throws ErrnoException of the call that failed; the name is then what it was
   */
  public static UnixListener make(
      Syscalls sys, OsPath directory, OsPath name, int mode, Consumer<OsPath> owner, int backlog)
      throws ErrnoException {
    Files files = new Files(sys);
    Fd listening = new Fd(sys, sys.socket(Linux.AF_UNIX, Linux.SOCK_STREAM, 0));
    boolean done = false;
    try (Fd place = files.openPath(directory)) {
      // by descriptor: a path of any length and any bytes fits a socket's address so
      OsPath there = Files.procPath(place);
      OsPath fresh = there.resolve(OsPath.of("." + name + ".new"));
      files.remove(fresh);
      sys.bind(listening.number(), new UnixAddress(fresh));
      owner.accept(fresh);
      sys.fchmodat(Linux.AT_FDCWD, fresh, mode);
      sys.listen(listening.number(), backlog);
      files.rename(fresh, there.resolve(name));
      done = true;
      return new UnixListener(sys, listening);
    } finally {
      if (!done) {
        listening.close();
      }
    }
  }

  /**
   * Waits a moment for a client.
   *
   * @return false: none came; the caller may look whether it is to end, and wait again
   * @throws ErrnoException of poll(2)
   */
  public boolean awaitClient() throws ErrnoException {
    // a poll with an end, since systemd may own the socket too, so that no shutdown(2) may wake us
    return sys.poll(listening.number(), Linux.POLLIN, LOOK_MILLIS) != 0;
  }

  /**
   * Accepts a client.
   *
   * @param flags of accept4(2); SOCK_CLOEXEC is always set
   * @return absent: it is gone again, or there is no descriptor left for it and it waits on
   * @throws ErrnoException of accept4(2): nothing can be accepted any more
   */
  public Optional<Fd> accept(int flags) throws ErrnoException {
    try {
      return Optional.of(new Fd(sys, sys.accept4(listening.number(), flags)));
    } catch (ErrnoException e) {
      switch (e.errno()) {
        case EAGAIN, ECONNABORTED, EINTR -> {}
        case EMFILE, ENFILE, ENOMEM, ENOBUFS -> {
          LOG.warn("a client has to wait: {}", e.getMessage());
          pause();
        }
        default -> throw e;
      }
      return Optional.empty();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    listening.close();
  }
}
