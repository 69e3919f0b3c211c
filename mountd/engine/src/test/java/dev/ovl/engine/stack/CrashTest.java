package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.fail;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.CrashingProcess.Moment;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.testkit.FaultInjector;
import dev.ovl.testkit.FaultInjector.Seen;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A process dies at every system call of every operation. Whoever comes next finds all definitions
 * whole, clears up what the dead one left, and succeeds in what it was about.
 *
 * <p>Everyday operations die before each of their calls; that is as good as after the one before,
 * but for the last. The others die only where something changes.
 */
class CrashTest {
  private static final int PROCESSES = 2;
  private static final int SHOWN = 25;
  private static final int MANY = 3000;

  /** A noisy machine is asked again: what a crash left half done stays so. */
  private static final int ATTEMPTS = 3;

  private static final List<Operation> EVERYDAY =
      List.of(Operation.CREATE, Operation.UP_CLASSIC, Operation.DOWN, Operation.REMOVE);

  @RegisterExtension static final Scratch LOWERS = Scratch.tmpfs();

  @BeforeAll
  static void makeLowers() throws Exception {
    Requires.overlay();
    Site.makeLowers(LOWERS.path());
  }

  static Stream<Arguments> deaths() {
    List<Arguments> deaths = new ArrayList<>();
    for (Operation operation : EVERYDAY) {
      deaths.add(Arguments.of(operation, Moment.BEFORE_ANY));
    }
    for (Operation operation : Operation.values()) {
      boolean manyLinks = operation == Operation.UP_LOWERDIR_PLUS_NESTED;
      if (!manyLinks && !operation.mountsAufs()) {
        deaths.add(
            Arguments.of(
                operation,
                EVERYDAY.contains(operation) ? Moment.AFTER_CHANGE : Moment.BEFORE_CHANGE));
      }
    }
    return deaths.stream();
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("deaths")
  void isMadeGoodByTheNextProcess(Operation operation, Moment moment) throws Exception {
    List<Seen> calls = learn(operation, moment);
    AtomicInteger next = new AtomicInteger();
    List<String> failures = Collections.synchronizedList(new ArrayList<>());
    Callable<Void> worker =
        () -> {
          try (Scratch scratch = Scratch.tmpfs()) {
            for (int n = next.incrementAndGet(); n < MANY; n = next.incrementAndGet()) {
              if (!dieRepeatedly(operation, moment, n, calls, scratch, failures)
                  && n > calls.size()) {
                return null;
              }
            }
            throw new AssertionError("there is no end of calls");
          }
        };
    ExecutorService pool = Executors.newFixedThreadPool(PROCESSES);
    try {
      for (Future<Void> done : pool.invokeAll(Collections.nCopies(PROCESSES, worker))) {
        done.get();
      }
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    } finally {
      pool.shutdown();
    }
    if (!failures.isEmpty()) {
      fail(
          failures.size()
              + " deaths in '"
              + operation
              + "' do harm:\n"
              + String.join("\n", failures.subList(0, Math.min(SHOWN, failures.size()))));
    }
  }

  /** What a run without death calls. How many there are varies with what else is mounted. */
  private static List<Seen> learn(Operation operation, Moment moment) throws Exception {
    try (Scratch scratch = Scratch.tmpfs()) {
      Site site = prepared(operation, scratch);
      FaultInjector sys = moment.injector(Integer.MAX_VALUE);
      try (Stacks stacks = site.stacks(sys)) {
        operation.run(site, stacks);
      }
      return sys.calls();
    }
  }

  private static Site prepared(Operation operation, Scratch scratch) throws Exception {
    scratch.empty();
    Site site = new Site(scratch.path(), LOWERS.path());
    site.make();
    try (Stacks stacks = site.stacks(new LinuxSyscalls())) {
      operation.prepare(site, stacks);
    }
    return site;
  }

  private static boolean dieRepeatedly(
      Operation operation,
      Moment moment,
      int n,
      List<Seen> calls,
      Scratch scratch,
      List<String> failures)
      throws Exception {
    for (int attempt = 1; ; attempt++) {
      try {
        return die(operation, moment, n, scratch);
      } catch (AssertionError e) {
        if (attempt == ATTEMPTS) {
          String call = n <= calls.size() ? calls.get(n - 1).toString() : "call " + n;
          failures.add(moment + " " + call + ": " + e.getMessage());
          return true;
        }
      }
    }
  }

  /** Returns false when the process came to its end alive. */
  private static boolean die(Operation operation, Moment moment, int n, Scratch scratch)
      throws Exception {
    Site site = prepared(operation, scratch);
    Map<StackName, StackDefinition> before = site.definitions();
    Process process =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xshare:auto",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                CrashingProcess.class.getName(),
                operation.name(),
                site.base().toString(),
                LOWERS.path().toString(),
                moment.name(),
                String.valueOf(n))
            .redirectErrorStream(true)
            .start();
    process.getOutputStream().close();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    int status = process.waitFor();
    if (status != FaultInjector.KILLED && status != 0) {
      throw new AssertionError("the process ended with " + status + ": " + output);
    }
    try {
      recoverAndRepeat(operation, site, before);
    } catch (EngineException | ErrnoException e) {
      throw new AssertionError("afterwards: " + e, e);
    }
    return status != 0;
  }

  private static void recoverAndRepeat(
      Operation operation, Site site, Map<StackName, StackDefinition> before)
      throws EngineException, ErrnoException {
    try (Stacks stacks = site.stacks(site.sys())) {
      stacks.recover();
      operation.assertDefinitions(site, before, true);
      site.assertWholeAfterCrash();
      try {
        operation.run(site, stacks);
      } catch (EngineException e) {
        // it was done when the process died, which the caller could not know
        boolean doneAlready =
            e.errno().equals(Optional.of(Errno.EEXIST))
                || e.kind() == EngineException.Kind.NO_SUCH_STACK;
        if (!doneAlready) {
          throw e;
        }
      }
      operation.assertDone(site, stacks);
      site.assertWholeAfterCrash();
    }
  }
}
