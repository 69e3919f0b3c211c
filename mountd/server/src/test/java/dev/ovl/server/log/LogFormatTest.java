package dev.ovl.server.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;

/** Each line says how urgent it is, in the words of whoever reads it. */
class LogFormatTest {
  private static LogRecord record(Level level, String message) {
    LogRecord record = new LogRecord(level, message);
    record.setInstant(Instant.parse("2025-01-02T03:04:05.678901Z"));
    return record;
  }

  @Test
  void theJournalGetsPriorities() {
    LogFormat format = new LogFormat(true);
    assertEquals("<3>text\n", format.format(record(Level.SEVERE, "text")));
    assertEquals("<4>text\n", format.format(record(Level.WARNING, "text")));
    assertEquals("<6>text\n", format.format(record(Level.INFO, "text")));
    assertEquals("<7>text\n", format.format(record(Level.FINE, "text")));
    assertEquals("<7>text\n", format.format(record(Level.CONFIG, "text")));
  }

  @Test
  void othersGetTimeAndAWord() {
    LogFormat format = new LogFormat(false);
    assertEquals(
        "2025-01-02T03:04:05.678Z error text\n", format.format(record(Level.SEVERE, "text")));
    assertEquals(
        "2025-01-02T03:04:05.678Z warning text\n", format.format(record(Level.WARNING, "text")));
    assertEquals("2025-01-02T03:04:05.678Z info text\n", format.format(record(Level.INFO, "text")));
    assertEquals(
        "2025-01-02T03:04:05.678Z debug text\n", format.format(record(Level.FINER, "text")));
  }

  /** A line without one would be of another priority, or be taken for another record. */
  @Test
  void everyLineHasItsPriority() {
    LogRecord record = record(Level.WARNING, "two\nlines {0}");
    record.setThrown(new IllegalStateException("why", new IllegalArgumentException("deeper")));
    List<String> lines = new LogFormat(true).format(record).lines().toList();
    assertEquals("<4>two", lines.get(0));
    assertEquals("<4>lines {0}", lines.get(1));
    assertEquals("<4>java.lang.IllegalStateException: why", lines.get(2));
    assertTrue(lines.stream().allMatch(line -> line.startsWith("<4>")), lines::toString);
    assertTrue(
        lines.contains("<4>Caused by: java.lang.IllegalArgumentException: deeper"),
        lines::toString);
  }
}
