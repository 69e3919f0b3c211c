package dev.ovl.server.commandline;

import dev.ovl.engine.file.Files;
import dev.ovl.jni.NativeLibraries;
import dev.ovl.server.socket.UnixListener;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
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
  private static final int MODE = 0600;
  private static final int BACKLOG = 256;

  /** Further clients do it themselves. */
  private static final int MAX_CLIENTS = 256;

  private static final int PAUSE_MILLIS = 20;
  private static final int IDLE_SECONDS = 10;

  private final Syscalls sys;
  private final Files files;
  private final OsPath path;
  private final UnixListener listener;
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
      Syscalls sys, OsPath path, UnixListener listener, Kinship kinship, String build) {
    this.sys = sys;
    this.files = new Files(sys);
    this.path = path;
    this.listener = listener;
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
    UnixListener listener = UnixListener.make(sys, run, NAME, MODE, file -> {}, BACKLOG);
    boolean done = false;
    try {
      CommandLineServer server =
          new CommandLineServer(
              sys, run.resolve(NAME), listener, new Kinship(sys, root, run), build);
      server.acceptor.start();
      done = true;
      return server;
    } finally {
      if (!done) {
        listener.close();
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

  private void serve() {
    try {
      while (!stopping) {
        Optional<Fd> client = listener.awaitClient() ? listener.accept(0) : Optional.empty();
        client.ifPresent(this::begin);
      }
    } catch (ErrnoException e) {
      LOG.error("ovlctl does all itself from now on: {}", e.getMessage());
    } finally {
      listener.close();
    }
  }

  private void begin(Fd client) {
    ClientChannel channel = new ClientChannel(sys, client);
    if (open.size() >= MAX_CLIENTS) {
      channel.close();
      return;
    }
    ClientCommand command = new ClientCommand(sys, channel, kinship, build, threads);
    open.add(command);
    threads.execute(() -> serve(command));
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
