package dev.ovl.server;

import dev.ovl.api.HostException;
import dev.ovl.api.HostInfo;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.server.api.ApiHandler;
import dev.ovl.server.commandline.CommandLineServer;
import dev.ovl.server.event.Change;
import dev.ovl.server.event.Changes;
import dev.ovl.server.http.HttpServer;
import dev.ovl.server.log.Logging;
import dev.ovl.server.systemd.ServiceManager;
import dev.ovl.server.work.Lanes;
import dev.ovl.service.EngineHost;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Privilege;
import dev.ovl.sys.Syscalls;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A daemon: serves the API on one socket, and command lines on another, until it is stopped. Mounts
 * stay when it ends; without root as long as another process is in its namespace.
 */
public final class Daemon {
  private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);
  private static final String SERVING = "Serving";
  private static final int MAX_WAITING = 256;

  /** No stack has such a name. */
  private static final String WATCHDOG_LANE = "?/watchdog/";

  /** How long requests under way may take when the daemon is to end. */
  private static final Duration FAREWELL = Duration.ofSeconds(10);

  /** How long clients may take after that to be told. */
  private static final Duration LAST_WORDS = Duration.ofSeconds(2);

  /** How often it is looked for what processes that died left half done. */
  private static final Duration HOUSEKEEPING = Duration.ofSeconds(60);

  private final Syscalls sys;
  private final DaemonOptions options;
  private final ServiceManager manager;
  private final EngineHost host;
  private final Lanes lanes;
  private final Changes changes = new Changes();

  /** Two threads: housekeeping that hangs on a file system must not stop the watchdog. */
  private final ScheduledExecutorService clock =
      Executors.newScheduledThreadPool(2, Thread.ofPlatform().name("clock-", 1).daemon().factory());

  private final CountDownLatch ended = new CountDownLatch(1);

  // set once by start, before others can see this object
  private ControlSocket socket;
  private ApiHandler handler;
  private HttpServer server;
  private Optional<CommandLineServer> commandLines = Optional.empty();

  private Daemon(Syscalls sys, DaemonOptions options, ServiceManager manager) {
    this.sys = sys;
    this.options = options;
    this.manager = manager;
    this.host = new EngineHost(sys, Privilege.ROOT, options.root(), options.run(), LOG::warn);
    this.lanes = new Lanes(options.workers(), MAX_WAITING);
  }

  /**
   * Makes everything ready: root and run directory, what dead processes left, the socket.
   *
   * @param sys what to call
   * @param version of ovl
   * @throws EngineException another daemon serves this run directory
   * @throws HostException the root cannot be used
   */
  public static Daemon start(
      Syscalls sys, DaemonOptions options, ServiceManager manager, String version)
      throws EngineException, ErrnoException, HostException {
    Daemon daemon = new Daemon(sys, options, manager);
    daemon.open(version);
    return daemon;
  }

  private void open(String version) throws EngineException, ErrnoException, HostException {
    Files files = new Files(sys);
    files.mkdirs(options.root(), 0711);
    host.recover();
    OptionalInt given = manager.listeningDescriptor();
    socket =
        given.isPresent()
            ? ControlSocket.adopt(sys, options.run(), given.getAsInt())
            : ControlSocket.make(sys, options.run(), options.group());
    handler =
        new ApiHandler(
            host,
            info(files, version),
            lanes,
            changes,
            sys.geteuid(),
            socket.group(),
            options.live().limits());
    changes.listen(Daemon::log);
    handler.start();
    server = new HttpServer(sys, socket.listener(), handler);
    commandLines = CommandLineServer.start(sys, options.root(), options.run());
    var _ =
        clock.scheduleWithFixedDelay(
            this::keepHouse, HOUSEKEEPING.toSeconds(), HOUSEKEEPING.toSeconds(), TimeUnit.SECONDS);
    manager.watchdog().ifPresent(this::startWatchdog);
  }

  private HostInfo info(Files files, String version) throws ErrnoException {
    return new HostInfo(
        version,
        Runtime.version().toString(),
        ProcessHandle.current().pid(),
        options.root().toString(),
        files.stat(options.root()).orElseThrow().identity(),
        options.run().toString(),
        sys.readlinkat(Linux.AT_FDCWD, OsPath.of("/proc/self/ns/mnt")).toString(),
        options.live().deadline().toSeconds());
  }

  /** Serves until {@link #stop}, in the calling thread. */
  public void serve() throws ErrnoException {
    try {
      LOG.info("serving {} with root {}", socket.path().quoted(), options.root().quoted());
      manager.ready(SERVING);
      server.serve();
    } finally {
      socket.close();
      ended.countDown();
    }
  }

  /** From the next request on. */
  public void reload(DaemonOptions.Live live) throws ErrnoException {
    manager.reloading();
    handler.limit(live.limits());
    Logging.set(live.verbosity());
    LOG.info("configuration read again");
    manager.ready(SERVING);
  }

  /** Ends; waits for requests under way, and for {@link #serve} to return. */
  public void stop() throws ErrnoException, InterruptedException {
    try {
      manager.stopping();
    } finally {
      LOG.info(
          options.group().isPresent()
              ? "stopping; mounts stay"
              : "stopping; mounts last as long as a process is in their namespace");
      clock.shutdownNow();
      if (commandLines.isPresent()) {
        commandLines.get().stop();
      }
      server.stop(FAREWELL);
      // it never comes if serve was not even begun
      boolean left = ended.await(FAREWELL.toSeconds(), TimeUnit.SECONDS);
      if (!left) {
        LOG.warn("the server does not end");
      }
      if (commandLines.isPresent()) {
        commandLines.get().await(LAST_WORDS);
      }
      // not before: requests under way need it
      host.close();
    }
  }

  // ---- in the background --------------------------------------------------------------------

  private void keepHouse() {
    try {
      host.recover();
    } catch (HostException e) {
      LOG.warn("cannot clear up what dead processes left: {}", e.getMessage());
    } catch (RuntimeException e) {
      // must not end the schedule
      LOG.error("a defect in housekeeping", e);
    }
  }

  private void startWatchdog(Duration within) {
    long half = within.toMillis() / 2;
    var _ = clock.scheduleAtFixedRate(this::showLife, 0, half, TimeUnit.MILLISECONDS);
  }

  /** Only when work of a lane that waits for nothing is done soon. */
  private void showLife() {
    try {
      lanes.run(WATCHDOG_LANE, 1, Duration.ofSeconds(1), () -> Optional.empty());
      manager.alive();
    } catch (Lanes.Full | Lanes.Late | ExecutionException e) {
      LOG.warn("no work gets done; the service manager will notice");
    } catch (ErrnoException e) {
      LOG.warn("cannot tell the service manager: {}", e.getMessage());
    } catch (RuntimeException e) {
      LOG.error("a defect in the watchdog", e);
    }
  }

  private static void log(Change change) {
    String line =
        String.format(
            java.util.Locale.ROOT,
            "%s %s: %s in %.1f ms by uid %d pid %d%s",
            change.verb(),
            OsPath.quoted(change.object()),
            change.failure().isPresent() ? "failed" : "done",
            change.took().toNanos() / 1e6,
            change.peer().uid(),
            change.peer().pid(),
            change.failure().map(failure -> ": " + failure.message()).orElse(""));
    if (change.failure().isPresent()) {
      LOG.warn(line);
    } else {
      LOG.info(line);
    }
  }
}
