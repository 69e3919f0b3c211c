package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.testkit.FaultInjector;
import dev.ovl.testkit.FaultInjector.Seen;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every system call of every operation fails once with each of some errnos. The operation then
 * either succeeds all the same, with its full effect, or says that it failed and leaves nothing
 * behind; and it succeeds when it is repeated.
 */
class FaultTest {
  private static final List<Errno> ERRNOS =
      List.of(Errno.EIO, Errno.ENOSPC, Errno.EINTR, Errno.EPERM);

  /** Far more calls than any operation makes. */
  private static final int MANY = 3000;

  /** As many of the first and of the last calls of a name are tried where there are too many. */
  private static final int SAMPLE = 3;

  /**
   * As often is a fault tried that does harm. What a fault does it does each time; but a process
   * that unshares its mount namespace meanwhile keeps copies of mounts alive, and operations are
   * refused.
   */
  private static final int ATTEMPTS = 3;

  private static final int SHOWN = 25;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();
  @RegisterExtension static final Scratch LOWERS = Scratch.tmpfs();

  @BeforeAll
  static void makeLowers() throws Exception {
    Requires.overlay();
    Site.makeLowers(LOWERS.path());
  }

  static Stream<Arguments> faults() {
    return operations(false).flatMap(FaultTest::withErrnos);
  }

  static Stream<Arguments> faultsOfAufs() {
    return operations(true).flatMap(FaultTest::withErrnos);
  }

  private static Stream<Operation> operations(boolean aufs) {
    return Stream.of(Operation.values()).filter(operation -> operation.mountsAufs() == aufs);
  }

  /** In a guest without KVM a call takes long, and one errno must do. */
  private static Stream<Arguments> withErrnos(Operation operation) {
    boolean slow = operation.isNested() || operation.mountsAufs();
    return (slow ? List.of(Errno.EIO) : ERRNOS)
        .stream().map(errno -> Arguments.of(operation, errno));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("faults")
  void leavesNothingHalfDone(Operation operation, Errno errno) throws Exception {
    List<String> failures = new ArrayList<>();
    for (int n : numbers(operation)) {
      if (!tryFault(operation, n, errno, failures)) {
        break;
      }
    }
    if (!failures.isEmpty()) {
      fail(
          failures.size()
              + " calls of '"
              + operation
              + "' do harm when they fail with "
              + errno
              + ":\n"
              + String.join("\n", failures.subList(0, Math.min(SHOWN, failures.size()))));
    }
  }

  @Tag("kernel")
  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("faultsOfAufs")
  void leavesNothingHalfDoneOfAufs(Operation operation, Errno errno) throws Exception {
    Requires.fileSystem("aufs");
    leavesNothingHalfDone(operation, errno);
  }

  /** Returns false when there is no n-th call. */
  private static boolean tryFault(Operation operation, int n, Errno errno, List<String> failures) {
    for (int attempt = 1; ; attempt++) {
      FaultInjector sys = new FaultInjector(new LinuxSyscalls()).failAt(n, errno);
      try {
        attempt(operation, sys);
        return sys.struck().isPresent();
      } catch (Exception | AssertionError e) {
        if (attempt == ATTEMPTS) {
          failures.add(sys.struck().map(Seen::toString).orElse("no fault") + ": " + e.getMessage());
          return sys.struck().isPresent();
        }
      }
    }
  }

  /** All numbers; how many calls there are shows when none is struck any more. */
  private static Iterable<Integer> numbers(Operation operation) throws Exception {
    FaultInjector sys = new FaultInjector(new LinuxSyscalls());
    attempt(operation, sys);
    List<Seen> calls = sys.calls();
    assertTrue(calls.size() < MANY || operation.isNested(), () -> calls.size() + " calls");
    if (!operation.isNested()) {
      return IntStream.rangeClosed(1, MANY).boxed().toList();
    }
    Map<String, List<Integer>> byName = new HashMap<>();
    for (Seen call : calls) {
      byName.computeIfAbsent(call.name(), name -> new ArrayList<>()).add(call.number());
    }
    TreeSet<Integer> sample = new TreeSet<>();
    for (List<Integer> alike : byName.values()) {
      int size = alike.size();
      sample.addAll(alike.subList(0, Math.min(SAMPLE, size)));
      sample.add(alike.get(size / 2));
      sample.addAll(alike.subList(Math.max(0, size - SAMPLE), size));
    }
    return sample;
  }

  private static void attempt(Operation operation, FaultInjector sys) throws Exception {
    SCRATCH.empty();
    Site site = new Site(SCRATCH.path(), LOWERS.path());
    site.make();
    try (Stacks stacks = site.stacks(site.sys())) {
      operation.prepare(site, stacks);
    }
    Map<StackName, StackDefinition> before = site.definitions();
    Leaks leaks = Leaks.beneath(site.base());
    Optional<Exception> failure = run(operation, site, sys);
    List<String> open = leaks.extra().stream().filter(line -> line.startsWith("fd ")).toList();
    assertEquals(List.of(), open, () -> "descriptors left open" + outcome(failure));
    try (Stacks stacks = site.stacks(site.sys())) {
      stacks.recover();
      try {
        check(operation, site, stacks, before, failure);
      } catch (AssertionError e) {
        throw new AssertionError(e.getMessage() + outcome(failure), e);
      }
      if (failure.isPresent()) {
        repeat(operation, site, stacks);
        operation.assertDone(site, stacks);
        site.assertWhole();
      }
    } catch (EngineException | ErrnoException e) {
      throw new AssertionError("afterwards: " + e + outcome(failure), e);
    }
  }

  /** A removal that failed on its last steps was one nevertheless. */
  private static void repeat(Operation operation, Site site, Stacks stacks)
      throws EngineException, ErrnoException {
    try {
      operation.run(site, stacks);
    } catch (EngineException e) {
      if (e.kind() != EngineException.Kind.NO_SUCH_STACK
          || !operation.removes()
          || stacks.names().contains(Site.WEB)) {
        throw e;
      }
    }
  }

  private static Optional<Exception> run(Operation operation, Site site, FaultInjector sys) {
    try (Stacks stacks = site.stacks(sys)) {
      operation.run(site, stacks);
      return Optional.empty();
    } catch (EngineException | ErrnoException e) {
      return Optional.of(e);
    } catch (RuntimeException e) {
      throw new AssertionError("an exception that nobody expects: " + e, e);
    }
  }

  private static String outcome(Optional<Exception> failure) {
    return failure.map(e -> ", after it failed with: " + e.getMessage()).orElse(", after success");
  }

  private static void check(
      Operation operation,
      Site site,
      Stacks stacks,
      Map<StackName, StackDefinition> before,
      Optional<Exception> failure)
      throws EngineException, ErrnoException {
    if (failure.isEmpty()) {
      operation.assertDone(site, stacks);
    } else {
      operation.assertDefinitions(site, before, false);
      if (operation.allOrNothing() && before.containsKey(Site.WEB)) {
        site.assertDown(stacks, Site.WEB);
      }
    }
    site.assertWhole();
  }
}
