package dev.ovl.server.log;

import java.util.logging.ConsoleHandler;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.Logger;

/** Sets up the process's logging. */
public final class Logging {
  /** Held, since java.util.logging forgets the levels of loggers that nobody holds. */
  private static final Logger ROOT = Logger.getLogger("");

  private Logging() {}

  /** How much is logged. */
  public enum Verbosity {
    /** Failures of the daemon itself. */
    ERROR,
    /** And requests that failed. */
    WARN,
    /** And every change. */
    INFO,
    /** And what helps to find a defect. */
    DEBUG;

    private Level level() {
      return switch (this) {
        case ERROR -> Level.SEVERE;
        case WARN -> Level.WARNING;
        case INFO -> Level.INFO;
        case DEBUG -> Level.FINE;
      };
    }
  }

  /**
   * Logs to standard error from now on.
   *
   * @param forJournal whether that leads to the journal
   */
  public static void start(Verbosity verbosity, boolean forJournal) {
    LogManager.getLogManager().reset();
    Handler handler = new ConsoleHandler();
    handler.setLevel(Level.ALL);
    handler.setFormatter(new LogFormat(forJournal));
    ROOT.addHandler(handler);
    set(verbosity);
  }

  /** Logs as much as this from now on. */
  public static void set(Verbosity verbosity) {
    ROOT.setLevel(verbosity.level());
  }
}
