package dev.ovl.engine.aufs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.testkit.FaultInjector;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Scratch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Every system call of every operation on a mounted aufs fails once. Then there is no mount or the
 * whole one, hard links hold together, nothing is left open, and the operation succeeds when it is
 * repeated.
 */
@Tag("kernel")
class AufsFaultTest {
  /** Far more calls than any operation makes. */
  private static final int MANY = 2000;

  /** Of many branches each is read back by the same calls, of which some will do. */
  private static final int ALL_OF_THESE = 30;

  private static final int STEP = 7;
  private static final int SHOWN = 10;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();

  @BeforeAll
  static void aufs() {
    AufsLab.required();
  }

  /** What is done to a lab whose branches exist. */
  enum Operation {
    MOUNT {
      @Override
      void prepare(AufsLab lab) {}

      @Override
      void carryOut(AufsLab lab) throws EngineException, ErrnoException {
        lab.mounter().mount(lab.of(lab.branches(3)));
      }

      @Override
      Predicate<AufsLab> done() {
        return lab -> branches(lab) == 4;
      }
    },
    MOUNT_IN_BATCHES {
      @Override
      void prepare(AufsLab lab) {}

      @Override
      void carryOut(AufsLab lab) throws EngineException, ErrnoException {
        lab.mounter().mount(lab.of(lab.branches(70)));
      }

      @Override
      Predicate<AufsLab> done() {
        return lab -> branches(lab) == 71;
      }
    },
    UNMOUNT {
      @Override
      void prepare(AufsLab lab) throws Exception {
        halfCopied(lab);
      }

      @Override
      void carryOut(AufsLab lab) throws EngineException, ErrnoException {
        Optional<MountEntry> mount = lab.mounted();
        if (mount.isPresent()) {
          lab.mounter().unmount(mount.get(), 0);
        }
      }

      @Override
      Predicate<AufsLab> done() {
        return lab -> branches(lab) == 0;
      }
    },
    ADD {
      @Override
      void prepare(AufsLab lab) throws Exception {
        halfCopied(lab);
      }

      @Override
      void carryOut(AufsLab lab) throws EngineException, ErrnoException {
        if (branches(new AufsLab(SCRATCH)) == 4) {
          lab.mounter().add(lab.mounted().orElseThrow(), 2, lab.branch("added", AufsPermission.RO));
        }
      }

      @Override
      Predicate<AufsLab> done() {
        return lab -> branches(lab) == 5;
      }
    },
    REMOVE {
      @Override
      void prepare(AufsLab lab) throws Exception {
        halfCopied(lab);
      }

      @Override
      void carryOut(AufsLab lab) throws EngineException, ErrnoException {
        if (branches(new AufsLab(SCRATCH)) == 4) {
          lab.mounter().remove(lab.mounted().orElseThrow(), SCRATCH.resolve("l2"));
        }
      }

      @Override
      Predicate<AufsLab> done() {
        return lab -> branches(lab) == 3;
      }
    },
    MODIFY {
      @Override
      void prepare(AufsLab lab) throws Exception {
        halfCopied(lab);
      }

      @Override
      void carryOut(AufsLab lab) throws EngineException, ErrnoException {
        lab.mounter()
            .modify(
                lab.mounted().orElseThrow(),
                new AufsBranch(SCRATCH.resolve("l2"), AufsPermission.RO));
      }

      @Override
      Predicate<AufsLab> done() {
        return lab -> branches(lab) == 4;
      }
    };

    abstract void prepare(AufsLab lab) throws Exception;

    /** Does it, or what is left of it to be done. */
    abstract void carryOut(AufsLab lab) throws EngineException, ErrnoException;

    abstract Predicate<AufsLab> done();

    /** How many branches are mounted; nothing of it fails. */
    private static int branches(AufsLab lab) {
      try {
        return lab.mounted().isEmpty() ? 0 : lab.state().branches().size();
      } catch (EngineException | ErrnoException e) {
        throw new AssertionError(e);
      }
    }

    /** A mount with a hard-linked file of which one name is copied up. */
    private static void halfCopied(AufsLab lab) throws Exception {
      lab.write("l0/a", "old");
      lab.link("l0/a", "l0/d/b");
      lab.mount(lab.branches(3));
      lab.write("target/a", "new");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "MOUNT, EIO",
    "MOUNT, EINVAL",
    "MOUNT, EINTR",
    "MOUNT, EBUSY",
    "MOUNT_IN_BATCHES, EIO",
    "UNMOUNT, EIO",
    "UNMOUNT, EBUSY",
    "UNMOUNT, EINVAL",
    "UNMOUNT, ENOSPC",
    "ADD, EIO",
    "ADD, EBUSY",
    "REMOVE, EIO",
    "REMOVE, EINVAL",
    "MODIFY, EIO",
    "MODIFY, EAGAIN",
  })
  void leavesNothingHalfDone(Operation operation, Errno errno) throws Exception {
    List<String> failures = new ArrayList<>();
    int n = 1;
    while (n < MANY && tryFault(operation, n, errno, failures)) {
      n += operation == Operation.MOUNT_IN_BATCHES && n > ALL_OF_THESE ? STEP : 1;
    }
    assertTrue(n < MANY, "no end of calls");
    if (!failures.isEmpty()) {
      fail(
          failures.size()
              + " calls of "
              + operation
              + " do harm when they fail with "
              + errno
              + ":\n"
              + String.join("\n", failures.subList(0, Math.min(SHOWN, failures.size()))));
    }
  }

  /** Returns false when there is no n-th call. */
  private static boolean tryFault(Operation operation, int n, Errno errno, List<String> failures)
      throws Exception {
    SCRATCH.empty();
    AufsLab lab = new AufsLab(SCRATCH);
    operation.prepare(lab);
    int before = Operation.branches(lab);
    Leaks leaks = Leaks.beneath(SCRATCH.resolve("elsewhere"));
    FaultInjector sys = new FaultInjector(new LinuxSyscalls()).failAt(n, errno);
    Optional<Exception> failure = Optional.empty();
    try {
      operation.carryOut(new AufsLab(SCRATCH, sys));
    } catch (EngineException | ErrnoException e) {
      failure = Optional.of(e);
    }
    try {
      assertEquals(List.of(), leaks.extra());
      boolean undone = failure.isPresent() && Operation.branches(lab) == before;
      assertTrue(
          undone || operation.done().test(lab),
          () -> Operation.branches(lab) + " branches are mounted");
      operation.carryOut(lab);
      assertTrue(operation.done().test(lab), "it cannot be repeated");
      assertHardLinks(lab);
    } catch (AssertionError | EngineException | ErrnoException e) {
      failures.add(
          sys.struck().map(FaultInjector.Seen::toString).orElse("no fault")
              + failure.map(f -> " (" + f.getMessage() + ")").orElse(" (no failure)")
              + ": "
              + e.getMessage());
    }
    return sys.struck().isPresent();
  }

  private static void assertHardLinks(AufsLab lab) throws Exception {
    Optional<MountEntry> mount = lab.mounted();
    if (mount.isPresent()) {
      lab.mounter().unmount(mount.get(), Linux.UMOUNT_NOFOLLOW);
    }
    if (lab.list(".").contains("rw") && lab.list("rw").contains("a")) {
      assertEquals("new", lab.read("rw/a"));
      assertEquals("new", lab.read("rw/d/b"));
      assertEquals(2, lab.links("rw/a"));
      assertEquals(List.of(), lab.list("rw/.wh..wh.plnk"));
    }
  }
}
