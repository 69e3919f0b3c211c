package dev.ovl.exdev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Several renames at once, and threads that are cancelled. */
class ThreadsTest {
  private static final int THREADS = 8;

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  @BeforeEach
  void mount() {
    Program.shell(scratch.path(), "mkdir from to; mount -t tmpfs x to");
  }

  private void make(String directory) {
    Program.shell(
        scratch.resolve("from"),
        """
        mkdir -p %1$s/{a,b,c}/{a,b,c}
        for i in %1$s/*/*; do echo $i >$i/file; ln $i/file $i/link; done
        """
            .formatted(directory));
  }

  @Test
  void eightTreesAtOnce() throws Exception {
    for (int i = 0; i < THREADS; i++) {
      make(i + "");
    }
    Trees.Snapshot before = Trees.snapshotWithTimes(scratch.resolve("from"));
    Program.Result result =
        Program.threaded(scratch.path()).run("threads", THREADS + "", ".", "from", "to").fine();
    assertEquals(Collections.nCopies(THREADS, "0"), result.out().lines().toList());
    assertEquals("", Program.shell(scratch.path(), "ls -A from"));
    Trees.Snapshot after = Trees.snapshotWithTimes(scratch.resolve("to"));
    for (int i = 0; i < THREADS; i++) {
      String top = i + "";
      before.nodes().keySet().stream()
          .filter(path -> path.toString().startsWith(top))
          .forEach(path -> assertEquals(before.nodes().get(path), after.nodes().get(path)));
    }
    assertEquals(before.nodes().size(), after.nodes().size());
  }

  /** An asynchronous cancellation comes at any moment; the library's work is one step of it. */
  @Test
  void aCancelledThreadLeavesNothingHalf() throws Exception {
    Set<String> seen = cancelEightTimes("cancelled");
    assertTrue(seen.contains("cancelled, moved"), seen::toString);
  }

  /**
   * The thread had been seen as one that may be cancelled, and then began to move. Whether it is
   * cancelled afterwards is the C library's affair.
   */
  @Test
  void aCancellationThatWasUnderWayLeavesNothingHalf() throws Exception {
    Set<String> seen = cancelEightTimes("cancelled-late");
    assertTrue(seen.stream().anyMatch(how -> how.endsWith(", moved")), seen::toString);
  }

  private Set<String> cancelEightTimes(String how) throws Exception {
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < 8; i++) {
      seen.add(cancel(how));
    }
    return seen;
  }

  /** What became of a thread and of the tree that it was to move. */
  private String cancel(String how) throws Exception {
    make("tree");
    Program.shell(scratch.resolve("from/tree"), "touch {1..1000}");
    Trees.Snapshot before = Trees.snapshotWithTimes(scratch.resolve("from/tree"));
    Program.Result result =
        Program.preloaded(scratch.path()).run(how, "from/tree", "to/tree").fine();
    String left = Program.shell(scratch.path(), "ls -A from to");
    boolean moved = left.equals("from:\n\nto:\ntree\n");
    assertTrue(moved || left.equals("from:\ntree\n\nto:\n"), left);
    Trees.assertSame(
        before, Trees.snapshotWithTimes(scratch.resolve(moved ? "to/tree" : "from/tree")));
    Program.shell(scratch.path(), "rm -rf from/* to/*");
    return result.out().strip() + (moved ? ", moved" : "");
  }
}
