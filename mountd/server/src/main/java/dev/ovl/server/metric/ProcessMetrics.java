package dev.ovl.server.metric;

import java.util.Map;

/** What the daemon's own process takes, by the names that Prometheus has for it. */
public final class ProcessMetrics {
  private ProcessMetrics() {}

  /** Writes heap and start time. */
  public static void writeTo(MetricText text) {
    Runtime runtime = Runtime.getRuntime();
    text.family("jvm_memory_used_bytes", "gauge", "Bytes of the heap in use.");
    text.sample(Map.of("area", "heap"), runtime.totalMemory() - runtime.freeMemory());
    ProcessHandle.current()
        .info()
        .startInstant()
        .ifPresent(
            start -> {
              text.family(
                  "process_start_time_seconds", "gauge", "When the daemon began, since 1970.");
              text.sample(Map.of(), start.toEpochMilli() / 1e3);
            });
  }
}
