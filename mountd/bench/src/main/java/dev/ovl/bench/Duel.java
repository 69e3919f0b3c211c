package dev.ovl.bench;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One stack goes up and down, by turns in three ways: the bare calls in C, the engine's calls in C,
 * the engine. A round of each, then the next; what a round is worth is the median of its times, and
 * ratios are taken within a round, so that a machine that changes its pace changes both sides.
 *
 * <p>No JMH: it gives each benchmark a process of its own, one after the other, which is what must
 * not be; and its care for constants and loops matters little to what takes a hundred microseconds
 * in the kernel.
 */
final class Duel implements AutoCloseable {
  private static final int BARE = 0;
  private static final int SAME = 1;
  private static final int MAX_TIMES = 200;
  private static final int MIN_TIMES = 5;
  private static final int MAX_ATTEMPTS = 20;
  private static final int MAX_REPEATED = 10;
  private static final int PROFILED_TIMES = 100;

  private final Effort effort;
  private final Floor floor;
  private final Recording recording;
  private final Stacks stacks;
  private final Stacks recorded;

  /**
   * How long to measure.
   *
   * @param rounds of each way, for each stack
   * @param roundMillis length of a round
   * @param warmUp times to go up and down before anything is measured
   */
  record Effort(int rounds, int roundMillis, int warmUp) {
    static final Effort FULL = new Effort(41, 40, 20_000);
    static final Effort QUICK = new Effort(9, 15, 8_000);
  }

  /**
   * What was measured; times in microseconds.
   *
   * @param low first quartile of the ratio to the same calls
   * @param high third quartile
   * @param allocated bytes of heap that the engine uses for an up and a down
   */
  record Outcome(
      String method,
      int bareCalls,
      int sameCalls,
      double bare,
      double same,
      double java,
      double ratioBare,
      double ratioSame,
      double low,
      double high,
      long allocated) {
    static final String HEADER =
        """
        method | calls: bare | same | C bare µs | C same µs | Java µs | Java ÷ bare \
        | Java ÷ same | quartiles | KiB allocated |
        """
            .strip();
    static final String RULE = "---|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

    /** Columns of a Markdown table. */
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%s | %d | %d | %.0f | %.0f | %.0f | %.2f | **%.2f** | %.2f – %.2f | %d |",
          method,
          bareCalls,
          sameCalls,
          bare,
          same,
          java,
          ratioBare,
          ratioSame,
          low,
          high,
          allocated / 1024);
    }
  }

  /**
   * @param floor the C program
   * @param root of the stacks
   */
  Duel(Effort effort, Floor floor, Path root, Path run) {
    this.effort = effort;
    this.floor = floor;
    OsPath rootPath = OsPath.of(root.toString());
    OsPath runPath = OsPath.of(run.toString());
    LinuxSyscalls sys = new LinuxSyscalls();
    this.recording = new Recording(sys);
    this.stacks = new Stacks(sys, rootPath, runPath);
    this.recorded = new Stacks(recording.syscalls(), rootPath, runPath);
  }

  Stacks stacks() {
    return stacks;
  }

  /** Until the compiler has nothing left to do. */
  void warmUp(StackName name) throws EngineException, ErrnoException {
    upAndDown(name, effort.warmUp());
  }

  private long[] upAndDown(StackName name, int times) throws EngineException, ErrnoException {
    long[] spent = new long[times];
    for (int i = 0; i < times; i++) {
      long start = System.nanoTime();
      stacks.up(name, false);
      stacks.down(name, false);
      spent[i] = System.nanoTime() - start;
    }
    return spent;
  }

  Outcome measure(StackName name) throws EngineException, IOException, InterruptedException {
    upAndDown(name, MIN_TIMES);
    double once = Samples.median(upAndDown(name, 4 * MIN_TIMES));
    int times = (int) Math.clamp(effort.roundMillis() * 1_000_000L / once, MIN_TIMES, MAX_TIMES);
    upAndDown(name, 4 * times);
    Script same = load(name);
    Path target = Path.of(stacks.report(name).target().toString());

    int rounds = effort.rounds();
    double[] bareMicros = new double[rounds];
    double[] sameMicros = new double[rounds];
    double[] javaMicros = new double[rounds];
    double[] toBare = new double[rounds];
    double[] toSame = new double[rounds];
    int repeated = 0;
    for (int round = 0; round < rounds; round++) {
      try {
        Files.createDirectory(target);
        try {
          bareMicros[round] = micros(floor.run(BARE, times));
        } finally {
          Files.delete(target);
        }
        sameMicros[round] = micros(floor.run(SAME, times));
      } catch (Floor.Diverged diverged) {
        if (++repeated > MAX_REPEATED * rounds) {
          throw new IOException("other mounts keep changing meanwhile: " + diverged.getMessage());
        }
        stacks.down(name, false);
        same = load(name);
        round--;
        continue;
      }
      javaMicros[round] = micros(upAndDown(name, times));
      toBare[round] = javaMicros[round] / bareMicros[round];
      toSame[round] = javaMicros[round] / sameMicros[round];
    }
    if (repeated > 0) {
      System.err.printf(
          "bench: %d rounds of %s were repeated: other processes mount meanwhile%n",
          repeated, name);
    }
    return new Outcome(
        stacks.report(name).method().word(),
        same.bare().calls().size(),
        same.calls().size(),
        Samples.median(bareMicros),
        Samples.median(sameMicros),
        Samples.median(javaMicros),
        Samples.median(toBare),
        Samples.median(toSame),
        Samples.quantile(toSame, 0.25),
        Samples.quantile(toSame, 0.75),
        allocated(name, times));
  }

  /**
   * What one kind of call takes of an up and a down.
   *
   * @param call its C name, with an asterisk where it is to fail
   * @param times how often it is made
   */
  record Share(String call, int times, double micros) {}

  /** Where the C program's time goes, the most expensive first. */
  List<Share> profile(StackName name) throws EngineException, IOException, InterruptedException {
    upAndDown(name, MIN_TIMES);
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Script same = load(name);
      try {
        floor.profile(SAME, PROFILED_TIMES);
        return shares(same.calls(), floor.profile(SAME, PROFILED_TIMES));
      } catch (Floor.Diverged diverged) {
        stacks.down(name, false);
      }
    }
    throw new IOException("other mounts keep changing meanwhile");
  }

  private static List<Share> shares(List<Script.Call> calls, long[] nanos) {
    Map<String, Share> shares = new HashMap<>();
    for (int i = 0; i < nanos.length; i++) {
      String call = calls.get(i).name() + (calls.get(i).errno() == 0 ? "" : "*");
      shares.merge(
          call,
          new Share(call, 1, nanos[i] / 1000.0),
          (one, other) ->
              new Share(call, one.times() + other.times(), one.micros() + other.micros()));
    }
    return shares.values().stream()
        .sorted(Comparator.comparingDouble(Share::micros).reversed())
        .toList();
  }

  private static double micros(long[] nanos) {
    return Samples.median(nanos) / 1000;
  }

  /** Records what the warm engine calls, and gives it to the C program. */
  private Script load(StackName name) throws EngineException, IOException, InterruptedException {
    Script same = record(name);
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Script again = record(name);
      if (again.calls().size() == same.calls().size()) {
        try {
          floor.load(SAME, same);
          floor.load(BARE, same.bare());
          return same;
        } catch (Floor.Diverged e) {
          throw new IllegalStateException(e);
        }
      }
      same = again;
      Thread.sleep(50);
    }
    throw new IOException("the engine never makes the same number of calls: others mount");
  }

  private Script record(StackName name) throws EngineException, ErrnoException {
    for (int i = 0; i < 2; i++) {
      recorded.up(name, false);
      recorded.down(name, false);
    }
    recording.start();
    try {
      recorded.up(name, false);
      recorded.down(name, false);
    } finally {
      recording.stop();
    }
    return recording.stop();
  }

  private long allocated(StackName name, int times) throws EngineException, ErrnoException {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    upAndDown(name, times);
    return (threads.getCurrentThreadAllocatedBytes() - before) / times;
  }

  @Override
  public void close() {
    stacks.close();
    recorded.close();
  }
}
