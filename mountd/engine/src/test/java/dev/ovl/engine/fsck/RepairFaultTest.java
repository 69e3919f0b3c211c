package dev.ovl.engine.fsck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.FaultInjector;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every system call of a check and repair fails once, and is the last one once. What the mount
 * shows is then what it showed, but for what is told below, and a second repair finishes.
 */
class RepairFaultTest {
  /** Far more calls than a repair here makes. */
  private static final int MANY = 4000;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();

  private int made;

  @BeforeEach
  void needs() {
    Requires.overlay();
  }

  /** Broken in every way that is mended and changes nothing that is seen. */
  private Patient broken() throws Exception {
    if (made++ % 50 == 0) {
      SCRATCH.empty();
    }
    Patient it = new Patient(SCRATCH.mkdirs("p" + made), Patient.REDIRECTING);
    it.mounted(
        m -> {
          it.files.rename(m.resolve("a"), m.resolve("moved"));
          it.write(m, "moved/new");
          it.files.rename(m.resolve("b/c"), m.resolve("moved/c"));
          it.write(m, "d/x");
          it.write(m, "file");
        });
    it.files.removeTree(it.lower.resolve("a"));
    // shown as soon as the redirect goes and the directory is not opaque yet
    it.files.mkdirs(it.lower.resolve("moved"), 0755);
    it.write(it.lower, "moved/hidden");
    it.attribute(it.upper, "file", "origin", new byte[] {1});
    it.attribute(it.upper, "d/x", "nlink", new byte[] {'U'});
    it.sys.removexattr(it.upper, "trusted.overlay.impure", false);
    it.sys.mknodat(Linux.AT_FDCWD, it.upper.resolve("d/none"), Linux.S_IFCHR, 0, 0);
    it.files.mkdirs(it.work.resolve("work/#1/in"), 0700);
    return it;
  }

  /** Ends as a process does that is killed: no call is made any more, but closing. */
  private static final class Dying extends ObservedSyscalls {
    private final int last;
    private int calls;

    Dying(int last) {
      super(new LinuxSyscalls());
      this.last = last;
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      if (calls >= last && !invocation.name().equals("close")) {
        throw new Dead();
      }
      calls++;
      return invocation.perform();
    }
  }

  private static final class Dead extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private static boolean isDead(Patient it, Syscalls sys) throws ErrnoException {
    try {
      it.repair(sys);
      return false;
    } catch (Dead e) {
      return true;
    } catch (EngineException | ErrnoException e) {
      return false;
    }
  }

  /** What is wrong, if anything is. The time of a directory is one system call late. */
  private static Optional<String> wrong(Patient it, Trees.Snapshot expected) throws Exception {
    List<String> before = differences(it, expected);
    it.repair(new LinuxSyscalls());
    List<String> left = Patient.lines(it.check());
    List<String> after = differences(it, expected);
    return before.isEmpty() && after.isEmpty() && left.isEmpty()
        ? Optional.empty()
        : Optional.of(before + " then " + after + " left " + left);
  }

  private static List<String> differences(Patient it, Trees.Snapshot expected) throws Exception {
    List<Trees.Snapshot> seen = new ArrayList<>();
    it.mounted(m -> seen.add(Trees.snapshot(m)));
    return seen.getFirst().differences(expected);
  }

  private static Trees.Snapshot shown(Patient it) throws Exception {
    List<Trees.Snapshot> seen = new ArrayList<>();
    it.mounted(m -> seen.add(Trees.snapshot(m)));
    return seen.getFirst();
  }

  @Test
  void everythingIsFoundAndMended() throws Exception {
    Patient it = broken();
    assertEquals(
        List.of(
            "IMPURE_MISSING .",
            "WHITEOUT_USELESS a",
            "WHITEOUT_USELESS d/none",
            "LINKS_WRONG d/x",
            "ORIGIN_MALFORMED file",
            "REDIRECT_DANGLING moved",
            "ORIGIN_STALE moved",
            "WORK_LEFTOVER work/#1"),
        Patient.lines(it.check()));
    assertEquals(Optional.empty(), wrong(it, shown(it)));
  }

  /** What there is to fail a call with. */
  enum Fault {
    EIO(Errno.EIO),
    ENOSPC(Errno.ENOSPC),
    EINTR(Errno.EINTR);

    private final Errno errno;

    Fault(Errno errno) {
      this.errno = errno;
    }
  }

  @ParameterizedTest
  @EnumSource
  void eachCallMayFail(Fault fault) throws Exception {
    Trees.Snapshot expected = shown(broken());
    List<String> failures = new ArrayList<>();
    boolean struck = true;
    for (int n = 1; struck; n++) {
      assertTrue(n < MANY);
      Patient it = broken();
      Leaks leaks = Leaks.beneath(SCRATCH.path());
      FaultInjector sys = new FaultInjector(new LinuxSyscalls()).failAt(n, fault.errno);
      isDead(it, sys);
      struck = sys.struck().isPresent();
      leaks.assertNone();
      wrong(it, expected).ifPresent(text -> failures.add(sys.struck() + ": " + text));
    }
    assertNone(failures);
  }

  @Test
  void eachCallMayBeTheLast() throws Exception {
    Trees.Snapshot expected = shown(broken());
    List<String> failures = new ArrayList<>();
    boolean dead = true;
    for (int n = 0; dead; n++) {
      assertTrue(n < MANY);
      Patient it = broken();
      dead = isDead(it, new Dying(n));
      int last = n;
      wrong(it, expected).ifPresent(text -> failures.add("after call " + last + ": " + text));
    }
    assertNone(failures);
  }

  private static void assertNone(List<String> failures) {
    if (!failures.isEmpty()) {
      fail(
          failures.size()
              + " do harm:\n"
              + String.join("\n", failures.subList(0, Math.min(10, failures.size()))));
    }
  }
}
