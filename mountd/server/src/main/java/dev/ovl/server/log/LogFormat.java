package dev.ovl.server.log;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.temporal.ChronoUnit;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogRecord;

/**
 * One line a record. For the journal, which has time and process itself, the priority of syslog(3)
 * stands before the text as {@code <6>}; for a terminal or a file the time and a word do.
 */
final class LogFormat extends Formatter {
  private final boolean forJournal;

  LogFormat(boolean forJournal) {
    this.forJournal = forJournal;
  }

  @Override
  public String format(LogRecord record) {
    StringBuilder text = new StringBuilder();
    String message = formatMessage(record);
    if (record.getThrown() != null) {
      StringWriter trace = new StringWriter();
      record.getThrown().printStackTrace(new PrintWriter(trace, true));
      message += "\n" + trace;
    }
    message.lines().forEach(line -> text.append(prefix(record)).append(line).append('\n'));
    return text.toString();
  }

  private String prefix(LogRecord record) {
    Priority priority = Priority.of(record.getLevel());
    return forJournal
        ? "<" + priority.number + ">"
        : record.getInstant().truncatedTo(ChronoUnit.MILLIS) + " " + priority.word + " ";
  }

  /** Of syslog(3). */
  private enum Priority {
    ERROR(3, "error"),
    WARNING(4, "warning"),
    INFO(6, "info"),
    DEBUG(7, "debug");

    private final int number;
    private final String word;

    Priority(int number, String word) {
      this.number = number;
      this.word = word;
    }

    static Priority of(Level level) {
      if (level.intValue() >= Level.SEVERE.intValue()) {
        return ERROR;
      }
      if (level.intValue() >= Level.WARNING.intValue()) {
        return WARNING;
      }
      return level.intValue() >= Level.INFO.intValue() ? INFO : DEBUG;
    }
  }
}
