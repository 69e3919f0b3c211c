package dev.ovl.server.commandline;

import dev.ovl.engine.file.Files;
import dev.ovl.jni.NativeLibraries;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.UnixAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accepts clients at {@code cli.sock} in the run directory, which is for this process's user alone,
 * and has a thread for each. Its caller sees to it that a run directory has one.
 */
public final class CommandLineServer {
  private static final Logger LOG = LoggerFactory.getLogger(CommandLineServer.class);
  private static final OsPath NAME = OsPath.of("cli.sock");
  private static final OsPath NEW_NAME = OsPath.of(".cli.sock.new");
  private static final int BACKLOG = 256;

  /** Further clients do it themselves. */
  private static final int MAX_CLIENTS = 256;

  /** How often the thread that accepts looks whether it is to end. */
  private static final int LOOK_MILLIS = 500;

  private static final int PAUSE_MILLIS = 20;
  private static final int IDLE_SECONDS = 10;

  private final Syscalls sys;
  private final Files files;
  private final OsPath path;
  private final Fd listening;
  private final Kinship kinship;
  private final String build;
  private final Set<ClientCommand> open = ConcurrentHashMap.newKeySet();

  /** Of daemon threads: who waits for a client's program must not keep this process. */
  private final ExecutorService threads =
      new ThreadPoolExecutor(
          0,
          Integer.MAX_VALUE,
          IDLE_SECONDS,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          Thread.ofPlatform().name("client-", 1).daemon().factory());

  private final Thread acceptor =
      Thread.ofPlatform().name("clients").daemon().unstarted(this::serve);

  private volatile boolean stopping;

  private CommandLineServer(
      Syscalls sys, OsPath path, Fd listening, Kinship kinship, String build) {
    this.sys = sys;
    this.files = new Files(sys);
    this.path = path;
    this.listening = listening;
    this.kinship = kinship;
    this.build = build;
  }

  /**
   * Begins to listen, in a thread of its own.
   *
   * @param root the daemon's root directory, which is there
   * @param run its run directory, which is there
   * @return absent: this process is of no distribution, and so there can be no client of its build
   */
  public static Optional<CommandLineServer> start(Syscalls sys, OsPath root, OsPath run)
      throws ErrnoException {
    Optional<String> build = build();
    return build.isEmpty() ? Optional.empty() : Optional.of(start(sys, root, run, build.get()));
  }

  /** For clients of a build. */
  static CommandLineServer start(Syscalls sys, OsPath root, OsPath run, String build)
      throws ErrnoException {
    Fd listening = new Fd(sys, sys.socket(Linux.AF_UNIX, Linux.SOCK_STREAM, 0));
    boolean done = false;
    try {
      listen(sys, run, listening);
      CommandLineServer server =
          new CommandLineServer(
              sys, run.resolve(NAME), listening, new Kinship(sys, root, run), build);
      server.acceptor.start();
      done = true;
      return server;
    } finally {
      if (!done) {
        listening.close();
      }
    }
  }

  private static Optional<String> build() {
    Path file = NativeLibraries.place("build-id");
    try {
      return Optional.of(java.nio.file.Files.readString(file).strip());
    } catch (IOException e) {
      LOG.debug("ovlctl does all itself, since there is no {}", file);
      return Optional.empty();
    }
  }

  /** Under another name until it can be used, so that nobody meets it half made. */
  private static void listen(Syscalls sys, OsPath run, Fd listening) throws ErrnoException {
    Files files = new Files(sys);
    try (Fd directory = files.openPath(run)) {
      // by descriptor: a path of any length and any bytes fits a socket's address so
      OsPath fresh = Files.procPath(directory).resolve(NEW_NAME);
      files.remove(fresh);
      sys.bind(listening.number(), new UnixAddress(fresh));
      sys.fchmodat(Linux.AT_FDCWD, fresh, 0600);
      sys.listen(listening.number(), BACKLOG);
      files.rename(fresh, Files.procPath(directory).resolve(NAME));
    }
  }

  private void serve() {
    try {
      while (!stopping) {
        if (sys.poll(listening.number(), Linux.POLLIN, LOOK_MILLIS) != 0) {
          accept();
        }
      }
    } catch (ErrnoException e) {
      LOG.error("ovlctl does all itself from now on: {}", e.getMessage());
    } finally {
      listening.close();
    }
  }

  private void accept() throws ErrnoException {
    ClientChannel channel;
    try {
      channel = new ClientChannel(sys, new Fd(sys, sys.accept4(listening.number(), 0)));
    } catch (ErrnoException e) {
      switch (e.errno()) {
        case ECONNABORTED, EINTR -> {}
        case EMFILE, ENFILE, ENOMEM, ENOBUFS -> {
          LOG.warn("a client has to wait: {}", e.getMessage());
          pause();
        }
        default -> throw e;
      }
      return;
    }
    if (open.size() >= MAX_CLIENTS) {
      channel.close();
      return;
    }
    ClientCommand command = new ClientCommand(sys, channel, kinship, build, threads);
    open.add(command);
    threads.execute(() -> serve(command));
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void serve(ClientCommand command) {
    try {
      command.serve();
    } catch (RuntimeException e) {
      LOG.error("a defect ended a command line", e);
    } finally {
      open.remove(command);
    }
  }

  /** Accepts no more. */
  public void stop() throws ErrnoException {
    stopping = true;
    files.remove(path);
  }

  /**
   * Waits until all clients were told how it ended, but for those whose programs are under way, or
   * so long.
   */
  public void await(Duration patience) throws InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    while (!open.stream().allMatch(ClientCommand::isWaiting) && System.nanoTime() < end) {
      Thread.sleep(PAUSE_MILLIS);
    }
  }
}
