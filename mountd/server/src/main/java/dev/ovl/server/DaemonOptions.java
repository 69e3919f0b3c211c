package dev.ovl.server;

import dev.ovl.config.Configuration;
import dev.ovl.config.Setting;
import dev.ovl.server.api.ApiHandler;
import dev.ovl.server.api.GroupAccess;
import dev.ovl.server.log.Logging;
import dev.ovl.sys.OsPath;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * What a daemon is told.
 *
 * @param root the root directory, absolute
 * @param run the run directory, absolute
 * @param group owner of the socket, by name; absent: it is for the daemon's own user
 * @param workers how many requests are carried out at the same time
 * @param live what may change while it runs
 */
public record DaemonOptions(
    OsPath root, OsPath run, Optional<String> group, int workers, Live live) {

  /**
   * As it is configured.
   *
   * @param ordinary whether it is an ordinary user's, which serves nobody else
   */
  static DaemonOptions of(Configuration configuration, boolean ordinary) {
    return new DaemonOptions(
        OsPath.of(configuration.text(Setting.ROOT)).normalized(),
        OsPath.of(configuration.text(Setting.RUN)).normalized(),
        ordinary ? Optional.empty() : Optional.of(configuration.text(Setting.GROUP)),
        configuration.count(Setting.WORKERS),
        Live.of(configuration));
  }

  /**
   * What SIGHUP changes.
   *
   * @param forGroup what members of the socket's group may do
   * @param deadline after so long a request is answered, done or not
   * @param usageInterval between two measurements of what uppers take; zero: none
   * @param verbosity of the log
   */
  public record Live(
      GroupAccess forGroup,
      Duration deadline,
      Duration usageInterval,
      Logging.Verbosity verbosity) {
    /** As it is configured. */
    static Live of(Configuration configuration) {
      return new Live(
          GroupAccess.valueOf(constant(configuration, Setting.GROUP_ACCESS)),
          configuration.duration(Setting.REQUEST_TIMEOUT),
          configuration.duration(Setting.USAGE_INTERVAL),
          Logging.Verbosity.valueOf(constant(configuration, Setting.LOG_LEVEL)));
    }

    private static String constant(Configuration configuration, Setting setting) {
      return configuration.text(setting).toUpperCase(Locale.ROOT);
    }

    ApiHandler.Limits limits() {
      return new ApiHandler.Limits(forGroup, deadline, usageInterval);
    }
  }
}
