package dev.ovl.engine.merge;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.FaultInjector;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every system call of a merge fails once, and is the last one once. A mount then shows what it
 * did, and with the next process's recovery its times too; another merge finishes, and nothing is
 * left.
 */
class MergeFaultTest {
  private static final List<Errno> ERRNOS = List.of(Errno.EIO, Errno.ENOSPC, Errno.EINTR);

  /** Far more calls than any merge here makes. */
  private static final int MANY = 8000;

  @RegisterExtension static final Scratch HERE = Scratch.tmpfs();
  @RegisterExtension static final Scratch THERE = Scratch.tmpfs();

  /** What is merged. */
  enum Operation {
    NAMES {
      @Override
      MergeLab prepare() throws Exception {
        return names();
      }
    },
    NAMES_ACROSS {
      @Override
      MergeLab prepare() throws Exception {
        return names().elsewhere(THERE.resolve("x"));
      }
    },
    RENAMED {
      @Override
      MergeLab prepare() throws Exception {
        return renamed();
      }
    },
    RENAMED_ACROSS {
      @Override
      MergeLab prepare() throws Exception {
        return renamed().elsewhere(THERE.resolve("x"));
      }
    },
    THREE_LAYERS {
      @Override
      MergeLab prepare() throws Exception {
        return new MergeLab(HERE.resolve("x"), MergeLab.FULL)
            .layer(
                (tree, root) -> {
                  tree.directory("d");
                  tree.file("d/a", "base");
                  tree.directory("o");
                  tree.file("o/hidden", "hidden");
                  tree.file("gone", "gone");
                })
            .layer((tree, root) -> tree.file("d/b", "middle"))
            .layer(
                (tree, root) -> {
                  rename(root, "d", "e");
                  remove(root, "gone");
                  remove(root, "o/hidden");
                  remove(root, "o");
                  tree.directory("o");
                  tree.file("o/new", "new");
                });
      }
    };

    abstract MergeLab prepare() throws Exception;

    private static MergeLab names() throws Exception {
      return new MergeLab(HERE.resolve("x"), "")
          .layer(
              (tree, root) -> {
                tree.directory("d");
                tree.file("d/a", "old");
                tree.file("d/gone", "gone");
                tree.directory("o");
                tree.file("o/hidden", "hidden");
                tree.file("f", "becomes a directory");
                tree.directory("t");
                tree.file("t/in", "becomes a file");
              })
          .layer(
              (tree, root) -> {
                tree.file("d/a", "new and longer");
                tree.link("d/b", "d/a");
                remove(root, "d/gone");
                remove(root, "o/hidden");
                remove(root, "o");
                tree.directory("o");
                tree.file("o/new", "new");
                remove(root, "f");
                tree.directory("f");
                tree.symlink("f/l", "nowhere");
                remove(root, "t/in");
                remove(root, "t");
                tree.file("t", "text");
                tree.node("p", Linux.S_IFIFO | 0600, 0, 0);
                tree.xattr("d", "trusted.x", new byte[] {1});
              });
    }

    private static MergeLab renamed() throws Exception {
      return new MergeLab(HERE.resolve("x"), MergeLab.FULL)
          .layer(
              (tree, root) -> {
                tree.directory("a");
                tree.directory("a/s");
                tree.file("a/s/x", "x");
                tree.file("a/y", "y");
                tree.directory("b");
                tree.file("b/z", "z");
                tree.file("m", "data");
                tree.file("n", "more data");
              })
          .layer(
              (tree, root) -> {
                LinuxSyscalls sys = new LinuxSyscalls();
                int at = Linux.AT_FDCWD;
                sys.renameat2(at, root.resolve("a"), at, root.resolve("b"), Linux.RENAME_EXCHANGE);
                rename(root, "b/s", "c");
                tree.mode("m", 1, 2, 0600);
                tree.mode("n", 3, 4, 0640);
                rename(root, "n", "b/n");
              });
    }

    private static void rename(OsPath root, String from, String to) throws ErrnoException {
      int at = Linux.AT_FDCWD;
      new LinuxSyscalls().renameat2(at, root.resolve(from), at, root.resolve(to), 0);
    }

    private static void remove(OsPath root, String name) throws ErrnoException {
      Files files = new Files(new LinuxSyscalls());
      OsPath path = root.resolve(name);
      if (files.lstat(path).orElseThrow().isDirectory()) {
        files.rmdir(path);
      } else {
        files.remove(path);
      }
    }
  }

  private static MergeLab prepare(Operation operation) throws Exception {
    HERE.empty();
    THERE.empty();
    return operation.prepare();
  }

  /** Merges, with system calls of which one goes wrong. Returns how it failed. */
  private static Optional<Throwable> run(MergeLab lab, Syscalls sys) {
    try {
      lab.merge(sys).run(Progress.NONE, () -> false);
      return Optional.empty();
    } catch (EngineException | ErrnoException | Dead e) {
      return Optional.of(e);
    }
  }

  /** As the next process finds it. Returns what is wrong, if anything is. */
  private static Optional<String> check(
      MergeLab lab, Trees.Snapshot before, Trees.Snapshot timeless, Optional<Throwable> failure)
      throws Exception {
    List<String> wrong = new ArrayList<>();
    if (failure.isPresent()) {
      // names of one file go one by one where they go to another file system: recovery ends that
      MergeLab.withoutLinks(lab.shown(false))
          .differences(MergeLab.withoutLinks(timeless))
          .forEach(line -> wrong.add("at once " + line));
      lab.merge(lab.sys).recover();
      lab.shown(true).differences(before).forEach(line -> wrong.add("recovered " + line));
      lab.merge();
    }
    lab.shown(true).differences(before).forEach(line -> wrong.add("merged " + line));
    lab.shownBelow().differences(before).forEach(line -> wrong.add("lower " + line));
    if (!lab.files.list(lab.upper()).isEmpty()) {
      wrong.add("left in the upper: " + lab.files.list(lab.upper()));
    }
    if (!lab.files.list(lab.work()).isEmpty() || lab.files.lstat(lab.journal()).isPresent()) {
      wrong.add("left: " + lab.files.list(lab.work()));
    }
    return wrong.isEmpty() ? Optional.empty() : Optional.of(failure + " " + wrong);
  }

  @ParameterizedTest
  @EnumSource
  void eachCallMayFail(Operation operation) throws Exception {
    Requires.overlay();
    List<String> failures = new ArrayList<>();
    for (Errno errno : ERRNOS) {
      for (int n = 1; n < MANY; n++) {
        MergeLab lab = prepare(operation);
        Trees.Snapshot before = lab.shown(true);
        Trees.Snapshot timeless = lab.shown(false);
        FaultInjector sys = new FaultInjector(new LinuxSyscalls()).failAt(n, errno);
        Leaks leaks = Leaks.beneath(HERE.path());
        Optional<Throwable> failure = run(lab, sys);
        List<String> open = leaks.extra().stream().filter(l -> l.startsWith("fd ")).toList();
        Optional<String> wrong =
            open.isEmpty()
                ? check(lab, before, timeless, failure)
                : Optional.of("descriptors left open: " + open);
        wrong.ifPresent(it -> failures.add(errno + " at " + sys.struck() + ": " + it));
        if (sys.struck().isEmpty()) {
          break;
        }
      }
    }
    assertNone(failures);
  }

  /** The process is no more. */
  private static final class Dead extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** A process that dies before a call: no call is made any more, but the kernel's closing. */
  private static final class Dying extends ObservedSyscalls {
    private final int last;
    private int calls;
    private String name = "";

    Dying(int last) {
      super(new LinuxSyscalls());
      this.last = last;
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      if (calls >= last && !invocation.name().equals("close")) {
        if (name.isEmpty()) {
          name = invocation.name() + "(" + invocation.arguments() + ")";
        }
        throw new Dead();
      }
      calls++;
      return invocation.perform();
    }
  }

  @ParameterizedTest
  @EnumSource
  void eachCallMayBeTheLast(Operation operation) throws Exception {
    Requires.overlay();
    List<String> failures = new ArrayList<>();
    boolean dead = true;
    for (int n = 0; dead; n++) {
      assertTrue(n < MANY);
      MergeLab lab = prepare(operation);
      Trees.Snapshot before = lab.shown(true);
      Trees.Snapshot timeless = lab.shown(false);
      Dying sys = new Dying(n);
      Optional<Throwable> failure = run(lab, sys);
      dead = failure.isPresent();
      check(lab, before, timeless, failure)
          .ifPresent(wrong -> failures.add("dead before " + sys.name + ": " + wrong));
    }
    assertNone(failures);
  }

  /** Recovery dies, too, wherever it is, and the next one ends it. */
  @ParameterizedTest
  @EnumSource(names = {"NAMES", "RENAMED_ACROSS"})
  void recoveryMayDieToo(Operation operation) throws Exception {
    Requires.overlay();
    List<String> failures = new ArrayList<>();
    boolean dead = true;
    for (int n = 10; dead; n += 23) {
      MergeLab lab = prepare(operation);
      Trees.Snapshot before = lab.shown(true);
      Trees.Snapshot timeless = lab.shown(false);
      Dying sys = new Dying(n);
      Optional<Throwable> failure = run(lab, sys);
      dead = failure.isPresent();
      boolean again = dead;
      for (int m = 0; again; m += 3) {
        again = isDying(lab, m);
      }
      check(lab, before, timeless, failure)
          .ifPresent(wrong -> failures.add("dead before " + sys.name + ": " + wrong));
    }
    assertNone(failures);
  }

  private static boolean isDying(MergeLab lab, int last) throws EngineException, ErrnoException {
    try {
      lab.merge(new Dying(last)).recover();
      return false;
    } catch (Dead e) {
      return true;
    }
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
