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
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

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
  private static final int MAX_ATTEMPTS = 100;
  private static final int PAUSE_MILLIS = 20;
  private static final int PROFILED_TIMES = 100;

  private final Effort effort;
  private final Floor floor;
  private final Recording recording;
  private final Stacks stacks;
  private final Stacks recorded;
  private Optional<Script> loaded = Optional.empty();
  private int disturbances;

  /**
   * How long to measure.
   *
   * @param rounds of each way, for each stack
   * @param roundMillis length of a round
   * @param warmUp times to go up and down before anything is measured
   */
  record Effort(int rounds, int roundMillis, int warmUp) {
    static final Effort FULL = new Effort(101, 15, 30_000);
    static final Effort QUICK = new Effort(15, 10, 20_000);
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

  /**
   * Until the compiler has nothing left to do. It sees the recording first: otherwise that would be
   * new to it later and undo what it had compiled.
   */
  void warmUp(StackName name) throws EngineException, IOException, InterruptedException {
    undisturbed(name, () -> record(name));
    for (int i = 0; i < effort.warmUp(); i += MAX_TIMES) {
      undisturbed(name, () -> upAndDown(name, MAX_TIMES));
    }
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

  /** Medians of one round, in microseconds. */
  private record Round(double bare, double same, double java) {}

  Outcome measure(StackName name) throws EngineException, IOException, InterruptedException {
    loaded = Optional.empty();
    disturbances = 0;
    undisturbed(name, () -> upAndDown(name, MIN_TIMES));
    double once = Samples.median(undisturbed(name, () -> upAndDown(name, 4 * MIN_TIMES)));
    int times = (int) Math.clamp(effort.roundMillis() * 1_000_000L / once, MIN_TIMES, MAX_TIMES);
    Path target = Path.of(stacks.report(name).target().toString());

    List<Round> rounds = new ArrayList<>();
    undisturbed(name, () -> round(name, target, times));
    while (rounds.size() < effort.rounds()) {
      rounds.add(undisturbed(name, () -> round(name, target, times)));
    }
    if (disturbances > 0) {
      System.err.printf(
          "bench: %d rounds of %s were repeated: other processes mount meanwhile%n",
          disturbances, name);
    }
    double[] toSame = rounds.stream().mapToDouble(r -> r.java() / r.same()).toArray();
    return new Outcome(
        stacks.report(name).method().word(),
        loaded.orElseThrow().bare().calls().size(),
        loaded.orElseThrow().calls().size(),
        median(rounds, Round::bare),
        median(rounds, Round::same),
        median(rounds, Round::java),
        median(rounds, r -> r.java() / r.bare()),
        Samples.median(toSame),
        Samples.quantile(toSame, 0.25),
        Samples.quantile(toSame, 0.75),
        undisturbed(name, () -> allocated(name, times)));
  }

  private static double median(List<Round> rounds, ToDoubleFunction<Round> value) {
    return Samples.median(rounds.stream().mapToDouble(value).toArray());
  }

  private Round round(StackName name, Path target, int times)
      throws EngineException, IOException, InterruptedException, Floor.Diverged {
    if (loaded.isEmpty()) {
      loaded = Optional.of(load(name));
    }
    Files.createDirectories(target);
    long[] bare = floor.run(BARE, times);
    Files.delete(target);
    long[] same = floor.run(SAME, times);
    long[] java = upAndDown(name, times);
    return new Round(micros(bare), micros(same), micros(java));
  }

  /** What other processes may spoil. */
  private interface Step<T> {
    T take() throws EngineException, IOException, InterruptedException, Floor.Diverged;
  }

  /**
   * Takes a step again and again until nobody spoils it: mounts of other processes change what the
   * engine has to ask, and a namespace of theirs may hold a copy of our mount for a moment.
   */
  private <T> T undisturbed(StackName name, Step<T> step)
      throws EngineException, IOException, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      try {
        return step.take();
      } catch (EngineException | Floor.Diverged disturbance) {
        if (attempt == MAX_ATTEMPTS) {
          throw new IOException("other processes mount all the time", disturbance);
        }
      }
      disturbances++;
      loaded = Optional.empty();
      settle(name);
    }
  }

  /** Has the stack down, whoever left it up. */
  private void settle(StackName name) throws EngineException, IOException, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      try {
        stacks.down(name, false);
        return;
      } catch (EngineException held) {
        if (attempt == MAX_ATTEMPTS) {
          throw held;
        }
        Thread.sleep(PAUSE_MILLIS);
      }
    }
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
    undisturbed(name, () -> upAndDown(name, MIN_TIMES));
    return undisturbed(
        name,
        () -> {
          Script same = load(name);
          floor.profile(SAME, PROFILED_TIMES);
          return shares(same.calls(), floor.profile(SAME, PROFILED_TIMES));
        });
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
  private Script load(StackName name)
      throws EngineException, IOException, InterruptedException, Floor.Diverged {
    Script same = record(name);
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Script again = record(name);
      if (again.calls().size() == same.calls().size()) {
        floor.load(SAME, same);
        floor.load(BARE, same.bare());
        return same;
      }
      same = again;
      Thread.sleep(PAUSE_MILLIS);
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
