package dev.ovl.server;

import dev.ovl.api.HostException;
import dev.ovl.engine.EngineException;
import dev.ovl.server.api.GroupAccess;
import dev.ovl.server.log.Logging;
import dev.ovl.server.systemd.ServiceManager;
import dev.ovl.server.systemd.Signals;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The process {@code mountd}. */
@Command(name = "mountd", description = "The daemon of ovl: serves its API on a unix socket.")
public final class Main implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(Main.class);

  @Option(names = "--root", paramLabel = "DIR", defaultValue = "/var/lib/ovl")
  private String root;

  @Option(names = "--run", paramLabel = "DIR", defaultValue = "/run/ovl")
  private String run;

  /** Runs until a signal comes. */
  public static void main(String[] arguments) {
    Logging.start(Logging.Verbosity.INFO, System.getenv("JOURNAL_STREAM") != null);
    System.exit(new CommandLine(new Main()).execute(arguments));
  }

  @Override
  public Integer call() throws ErrnoException {
    Syscalls sys = new LinuxSyscalls();
    DaemonOptions options =
        new DaemonOptions(
            OsPath.of(root),
            OsPath.of(run),
            "ovl",
            64,
            new DaemonOptions.Live(
                GroupAccess.READ,
                Duration.ofSeconds(60),
                Duration.ofSeconds(600),
                Logging.Verbosity.INFO));
    ServiceManager manager =
        new ServiceManager(sys, System.getenv(), ProcessHandle.current().pid());
    Daemon daemon;
    try {
      daemon =
          Daemon.start(
              sys,
              options,
              manager,
              Optional.ofNullable(Main.class.getPackage().getImplementationVersion())
                  .orElse("unpackaged"));
    } catch (EngineException | HostException | ErrnoException | IllegalArgumentException e) {
      LOG.error("mountd cannot start: {}", e.getMessage());
      return 1;
    }
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(daemon), "stop"));
    Signals.on("HUP", () -> reload(daemon, options.live()));
    daemon.serve();
    return 0;
  }

  private static void reload(Daemon daemon, DaemonOptions.Live live) {
    try {
      daemon.reload(live);
    } catch (ErrnoException e) {
      LOG.warn("cannot tell the service manager: {}", e.getMessage());
    }
  }

  private static void stop(Daemon daemon) {
    try {
      daemon.stop();
    } catch (ErrnoException e) {
      LOG.error("stopped with an error: {}", e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
