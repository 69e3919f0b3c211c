package dev.ovl.server.metric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.api.Failure;
import dev.ovl.api.LowerUsage;
import dev.ovl.api.StackUsage;
import dev.ovl.server.event.Change;
import dev.ovl.sys.Peer;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The text format of Prometheus, and what is counted. */
class MetricsTest {
  private static Change change(String verb, Duration took, Optional<Failure> failure) {
    return new Change(
        Instant.EPOCH, verb, "web", new Peer(1, 0, 0, List.of()), took, Optional.empty(), failure);
  }

  private static Optional<Failure> failure(String errno) {
    return Optional.of(
        new Failure(Failure.Kind.FAILED, "no", Optional.of(errno).filter(e -> !e.isEmpty())));
  }

  @Test
  void labelsAreEscapedAndStayUtf8() {
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put("a", "\\ \" \n ü \uD83D\uDE00");
    labels.put("b", "x\udcff");
    MetricText text = new MetricText();
    text.family("f", "gauge", "Help.").sample(labels, 1L).sample("_x", Map.of(), 0.5);
    assertEquals(
        List.of(
            "# HELP f Help.",
            "# TYPE f gauge",
            "f{a=\"\\\\ \\\" \\n ü \uD83D\uDE00\",b=\"x\\\\udcff\"} 1",
            "f_x 0.5"),
        text.toString().lines().toList());
  }

  @Test
  void changesAreCountedByVerbAndErrno() {
    OperationMetrics metrics = new OperationMetrics();
    metrics.accept(change("up", Duration.ofMillis(2), Optional.empty()));
    metrics.accept(change("up", Duration.ofMillis(40), failure("EBUSY")));
    metrics.accept(change("down", Duration.ofMinutes(2), failure("")));
    MetricText text = new MetricText();
    metrics.writeTo(text);
    List<String> lines = text.toString().lines().toList();
    for (String line :
        List.of(
            "ovl_operations_total{operation=\"up\",result=\"done\"} 1",
            "ovl_operations_total{operation=\"up\",result=\"failed\"} 1",
            "ovl_operation_duration_seconds_bucket{operation=\"up\",le=\"0.001\"} 0",
            "ovl_operation_duration_seconds_bucket{operation=\"up\",le=\"0.0025\"} 1",
            "ovl_operation_duration_seconds_bucket{operation=\"up\",le=\"0.05\"} 2",
            "ovl_operation_duration_seconds_bucket{operation=\"up\",le=\"+Inf\"} 2",
            "ovl_operation_duration_seconds_sum{operation=\"up\"} 0.042",
            "ovl_operation_duration_seconds_count{operation=\"up\"} 2",
            "ovl_operation_duration_seconds_bucket{operation=\"down\",le=\"60.0\"} 0",
            "ovl_errors_total{operation=\"up\",errno=\"EBUSY\"} 1",
            "ovl_errors_total{operation=\"down\",errno=\"none\"} 1")) {
      assertTrue(lines.contains(line), () -> line + " is not in\n" + text);
    }
  }

  /** Says what it is told, and nothing of a stack that is down by now. */
  private static final class Fake implements UsageMonitor.Source {
    private List<String> names = List.of("a", "b");
    private long bytes = 1;

    @Override
    public List<String> mounted() {
      return names;
    }

    @Override
    public Optional<StackUsage> measure(String name) {
      StackUsage.Tree tree = new StackUsage.Tree(bytes, 2);
      return Optional.of(
          new StackUsage(name, Optional.of(tree), Optional.of(tree), 0, Optional.empty()));
    }

    @Override
    public List<LowerUsage> sharedLowers() {
      return List.of(
          new LowerUsage("/l", names, Optional.of(7L), Optional.of(1L), true, Optional.empty()));
    }
  }

  @Test
  void usageIsThatOfTheLastRound() {
    Fake source = new Fake();
    UsageMonitor monitor = new UsageMonitor(source, Duration.ZERO);
    monitor.measure();
    assertEquals(
        List.of(
            "ovl_lower_stacks{lower=\"/l\"} 2",
            "ovl_lower_cached_bytes{lower=\"/l\"} 7",
            "ovl_upper_bytes{stack=\"a\"} 1",
            "ovl_upper_bytes{stack=\"b\"} 1",
            "ovl_upper_inodes{stack=\"a\"} 2",
            "ovl_upper_inodes{stack=\"b\"} 2"),
        samples(monitor));
    source.names = List.of("b");
    source.bytes = 9;
    assertTrue(samples(monitor).contains("ovl_upper_bytes{stack=\"b\"} 1"));
    monitor.measure();
    assertEquals(
        List.of(
            "ovl_lower_stacks{lower=\"/l\"} 1",
            "ovl_lower_cached_bytes{lower=\"/l\"} 7",
            "ovl_upper_bytes{stack=\"b\"} 9",
            "ovl_upper_inodes{stack=\"b\"} 2"),
        samples(monitor));
  }

  private static List<String> samples(UsageMonitor monitor) {
    MetricText text = new MetricText();
    monitor.writeTo(text);
    return text.toString().lines().filter(line -> !line.startsWith("#")).toList();
  }
}
