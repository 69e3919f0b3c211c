package dev.ovl.server.metric;

import dev.ovl.api.LowerUsage;
import dev.ovl.api.StackUsage;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * What the uppers of mounted stacks take, measured now and then in a thread of its own, so that
 * nobody who asks for metrics walks a tree.
 */
public final class UsageMonitor {
  /** How soon it looks whether it was switched on. */
  private static final Duration PAUSE = Duration.ofSeconds(5);

  private final Source source;
  private final Map<String, StackUsage> measured = new ConcurrentSkipListMap<>();
  private volatile List<LowerUsage> lowers = List.of();
  private volatile Duration interval;

  /** Where measurements come from. */
  public interface Source {
    /** The names of the stacks that are up; empty when that cannot be told. */
    List<String> mounted();

    /** What one takes; absent when it cannot be told. */
    Optional<StackUsage> measure(String name);

    /** What of the lowers that mounted stacks share is cached; empty when it cannot be told. */
    List<LowerUsage> sharedLowers();
  }

  /**
   * @param interval between two rounds; zero: none
   */
  public UsageMonitor(Source source, Duration interval) {
    this.source = source;
    this.interval = interval;
  }

  /** From the next round on. */
  public void every(Duration other) {
    interval = other;
  }

  /** Begins; ends with the process. */
  public void start() {
    Thread.ofPlatform().name("usage").daemon().start(this::run);
  }

  private void run() {
    long last = System.nanoTime();
    try {
      while (true) {
        Thread.sleep(PAUSE);
        Duration now = interval;
        if (now.isZero()) {
          measured.clear();
          lowers = List.of();
        } else if (System.nanoTime() - last >= now.toNanos()) {
          measure();
          last = System.nanoTime();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** One round. */
  void measure() {
    List<String> names = source.mounted();
    measured.keySet().retainAll(names);
    for (String name : names) {
      source.measure(name).ifPresent(usage -> measured.put(name, usage));
    }
    lowers = source.sharedLowers();
  }

  /**
   * Writes the families {@code ovl_upper_…} and {@code ovl_lower_…}, as they were measured last.
   */
  public void writeTo(MetricText text) {
    text.family("ovl_lower_stacks", "gauge", "Mounted stacks that share a lower.");
    for (LowerUsage lower : lowers) {
      text.sample(Map.of("lower", lower.path()), lower.stacks().size());
    }
    text.family(
        "ovl_lower_cached_bytes",
        "gauge",
        "Bytes of a shared lower's files in the page cache, once for all stacks on it.");
    for (LowerUsage lower : lowers) {
      lower.cachedBytes().ifPresent(bytes -> text.sample(Map.of("lower", lower.path()), bytes));
    }
    text.family("ovl_upper_bytes", "gauge", "Allocated bytes in the uppers of mounted stacks.");
    measured.forEach(
        (name, usage) ->
            usage.upper().ifPresent(upper -> text.sample(Map.of("stack", name), upper.bytes())));
    text.family("ovl_upper_inodes", "gauge", "Inodes in the uppers of mounted stacks.");
    measured.forEach(
        (name, usage) ->
            usage.upper().ifPresent(upper -> text.sample(Map.of("stack", name), upper.inodes())));
    text.family(
        "ovl_upper_filesystem_bytes_available",
        "gauge",
        "Bytes that are left on the file systems of the uppers of mounted stacks.");
    measured.forEach(
        (name, usage) ->
            usage
                .room()
                .ifPresent(room -> text.sample(Map.of("stack", name), room.bytesAvailable())));
    text.family(
        "ovl_upper_filesystem_inodes_free",
        "gauge",
        "Inodes that are left on the file systems of the uppers of mounted stacks.");
    measured.forEach(
        (name, usage) ->
            usage
                .room()
                .flatMap(StackUsage.Room::inodesFree)
                .ifPresent(free -> text.sample(Map.of("stack", name), free)));
  }
}
