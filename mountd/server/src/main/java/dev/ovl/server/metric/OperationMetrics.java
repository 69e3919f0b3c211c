package dev.ovl.server.metric;

import dev.ovl.api.Failure;
import dev.ovl.server.event.Change;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Counts changes: how many, how long, how they failed. For any number of threads. */
public final class OperationMetrics implements Consumer<Change> {
  /** Upper bounds in seconds; up takes 0.3 ms on tmpfs, and a deadline is 60 s. */
  private static final double[] BOUNDS = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30, 60
  };

  private static final String NO_ERRNO = "none";

  // under the lock of this object
  private final Map<String, Durations> durations = new TreeMap<>();
  private final Map<String, Map<String, Long>> errors = new TreeMap<>();

  private static final class Durations {
    private final long[] buckets = new long[BOUNDS.length];
    private long count;
    private double seconds;

    void add(double value) {
      for (int i = 0; i < BOUNDS.length; i++) {
        if (value <= BOUNDS[i]) {
          buckets[i]++;
        }
      }
      count++;
      seconds += value;
    }
  }

  @Override
  public synchronized void accept(Change change) {
    durations
        .computeIfAbsent(change.verb(), verb -> new Durations())
        .add(change.took().toNanos() / 1e9);
    if (change.failure().isPresent()) {
      Failure failure = change.failure().get();
      errors
          .computeIfAbsent(change.verb(), verb -> new TreeMap<>())
          .merge(failure.errno().orElse(NO_ERRNO), 1L, Long::sum);
    }
  }

  /** Writes the families {@code ovl_operation…} and {@code ovl_errors_total}. */
  public synchronized void writeTo(MetricText text) {
    text.family("ovl_operations_total", "counter", "Changes, by how they ended.");
    durations.forEach(
        (verb, of) -> {
          long failed =
              errors.getOrDefault(verb, Map.of()).values().stream().mapToLong(n -> n).sum();
          text.sample(labels("operation", verb, "result", "done"), of.count - failed);
          text.sample(labels("operation", verb, "result", "failed"), failed);
        });
    text.family(
        "ovl_operation_duration_seconds",
        "histogram",
        "How long changes took, failed ones included.");
    durations.forEach((verb, of) -> write(text, verb, of));
    text.family("ovl_errors_total", "counter", "Changes that failed, by errno.");
    errors.forEach(
        (verb, counts) ->
            counts.forEach(
                (errno, count) -> text.sample(labels("operation", verb, "errno", errno), count)));
  }

  private static void write(MetricText text, String verb, Durations of) {
    for (int i = 0; i < BOUNDS.length; i++) {
      text.sample(
          "_bucket", labels("operation", verb, "le", String.valueOf(BOUNDS[i])), of.buckets[i]);
    }
    text.sample("_bucket", labels("operation", verb, "le", "+Inf"), of.count);
    text.sample("_sum", labels("operation", verb), of.seconds);
    text.sample("_count", labels("operation", verb), of.count);
  }

  private static Map<String, String> labels(String... namesAndValues) {
    Map<String, String> labels = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      labels.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return labels;
  }
}
