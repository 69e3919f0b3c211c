package dev.ovl.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ovl.api.HostException;
import dev.ovl.config.Configuration;
import dev.ovl.config.ConfigurationException;
import dev.ovl.config.Setting;
import dev.ovl.config.Sources;
import dev.ovl.engine.EngineException;
import dev.ovl.server.log.Logging;
import dev.ovl.server.systemd.ServiceManager;
import dev.ovl.server.systemd.Signals;
import dev.ovl.service.EngineHost;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Privilege;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.ThisProcess;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The process {@code mountd}: runs its command line in this environment, and a daemon by it. */
public final class Main {
  private static final Logger LOG = LoggerFactory.getLogger(Main.class);
  private static final int FAILED = 1;

  private final Syscalls sys;
  private final Map<String, String> environment;
  private final Privilege privilege;

  private Main(Syscalls sys, Map<String, String> environment, Privilege privilege) {
    this.sys = sys;
    this.environment = environment;
    this.privilege = privilege;
  }

  /**
   * Runs until a signal comes.
   *
   * @param arguments their number is what counts
   */
  public static void main(String[] arguments) throws IOException, ErrnoException {
    Syscalls sys = new LinuxSyscalls();
    Map<String, String> environment = ThisProcess.environment();
    Logging.start(Logging.Verbosity.INFO, environment.containsKey("JOURNAL_STREAM"));
    OsPath directory = sys.readlinkat(Linux.AT_FDCWD, OsPath.of("/proc/self/cwd"));
    Privilege privilege = Privilege.ofThisProcess();
    Main main = new Main(sys, environment, privilege);
    MountdCommand command =
        new MountdCommand(
            environment,
            privilege.ordinary(),
            path -> directory.resolve(path).toString(),
            main::run);
    System.exit(
        command.run(
            ThisProcess.arguments(arguments.length),
            new PrintWriter(System.out, true, UTF_8),
            new PrintWriter(System.err, true, UTF_8)));
  }

  /** The version of ovl. */
  static String version() {
    return Optional.ofNullable(Main.class.getPackage().getImplementationVersion())
        .orElse("unpackaged");
  }

  private int run(Sources sources) {
    try {
      EngineHost.requireRoot(sys, privilege);
      Configuration configuration = sources.read();
      Logging.set(DaemonOptions.Live.of(configuration).verbosity());
      Daemon daemon =
          Daemon.start(
              sys,
              DaemonOptions.of(configuration, privilege.ordinary()),
              new ServiceManager(sys, environment, ProcessHandle.current().pid()),
              version());
      Signals.on("HUP", () -> reload(daemon, sources, configuration));
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(daemon), "stop"));
      daemon.serve();
      return 0;
    } catch (ConfigurationException e) {
      LOG.error("mountd cannot start: {}", e.getMessage());
      return e.isUsage() ? MountdCommand.USAGE : FAILED;
    } catch (EngineException | HostException | ErrnoException | IllegalArgumentException e) {
      LOG.error("mountd cannot start: {}", e.getMessage());
      return FAILED;
    }
  }

  private static void reload(Daemon daemon, Sources sources, Configuration started) {
    try {
      Configuration now = sources.read();
      daemon.reload(DaemonOptions.Live.of(now));
      for (Setting setting : started.differences(now)) {
        if (!setting.isReloadable()) {
          LOG.warn("the new value of {} counts from the next start on", setting.key());
        }
      }
    } catch (ConfigurationException e) {
      LOG.error("the configuration stays as it was: {}", e.getMessage());
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
