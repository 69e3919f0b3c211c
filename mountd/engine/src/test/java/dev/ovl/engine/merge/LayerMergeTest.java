package dev.ovl.engine.merge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.tree.RichTree;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What other tools lose when they merge, and uppers that no kernel has written so. */
@Tag("kernel")
@Tag("slow")
class LayerMergeTest {
  private static final int MEGABYTE = 1 << 20;

  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Scratch small = Scratch.ext4();

  @BeforeEach
  void overlay() {
    Requires.overlay();
  }

  private MergeLab lab(String options) throws ErrnoException {
    return new MergeLab(scratch.resolve("lab"), options);
  }

  /** Merges, and the view is the same, with the upper and without it. */
  private static void check(MergeLab lab) throws Exception {
    Trees.Snapshot before = lab.shown(true);
    lab.merge();
    Trees.assertSame(before, lab.shown(true));
    Trees.assertSame(before, lab.shownBelow());
    assertEquals(List.of(), lab.files.list(lab.upper()));
    assertEquals(List.of(), lab.files.list(lab.work()));
    assertEquals(Optional.empty(), lab.files.lstat(lab.journal()));
  }

  private static void rename(MergeLab lab, OsPath root, String from, String to)
      throws ErrnoException {
    int at = Linux.AT_FDCWD;
    lab.sys.renameat2(at, root.resolve(from), at, root.resolve(to), 0);
  }

  private static void rich(RichTree tree) throws ErrnoException {
    tree.all(Requires.hasUserAttributesOnTmpfs());
  }

  @Test
  void everyKindOfFileAndAttribute() throws Exception {
    MergeLab lab = lab(MergeLab.FULL);
    lab.layer((tree, root) -> tree.file("below", "below"));
    check(lab.layer((tree, root) -> rich(tree)));
  }

  @Test
  void everyKindOfFileAndAttributeToAnotherFileSystem() throws Exception {
    MergeLab lab = lab(MergeLab.FULL);
    lab.layer((tree, root) -> tree.file("below", "below"));
    lab.layer((tree, root) -> rich(tree));
    check(lab.elsewhere(small.resolve("x")));
  }

  /** FIFOs, devices and sockets of the lower are found under a renamed directory. */
  @Test
  void everyKindOfFileInARenamedDirectory() throws Exception {
    MergeLab lab = lab(MergeLab.FULL);
    lab.layer(
        (tree, root) -> {
          tree.directory("d");
          rich(new RichTree(root.resolve("d")));
        });
    lab.layer(
        (tree, root) -> {
          rename(lab, root, "d", "e");
          rename(lab, root, "e/plain", "e/dir/plain");
          tree.mode("e/large", 1, 2, 0600);
        });
    check(lab);
  }

  /**
   * A rename that fails leaves a redirect to the directory's own name; links stay what they are.
   */
  @Test
  void redirectsToTheSamePlace() throws Exception {
    MergeLab lab = lab(MergeLab.FULL);
    lab.layer(
        (tree, root) -> {
          tree.directory("a");
          tree.file("a/one", "linked");
          int at = Linux.AT_FDCWD;
          lab.sys.linkat(at, root.resolve("a/one"), at, root.resolve("two"), 0);
        });
    lab.layer(
        (tree, root) -> {
          tree.directory("full");
          tree.file("full/x", "");
          ErrnoException e =
              assertThrows(ErrnoException.class, () -> rename(lab, root, "a", "full"));
          assertEquals(Errno.ENOTEMPTY, e.errno());
        });
    assertEquals(
        Optional.of("a"),
        lab.sys
            .getxattr(lab.upper().resolve("a"), "trusted.overlay.redirect", false)
            .map(OsPath::decode));
    check(lab);
    assertEquals(2, lab.files.lstat(lab.lower().resolve("two")).orElseThrow().links());
  }

  /** Directories that were moved into each other, in a circle of dependences. */
  @Test
  void redirectsThatDependOnEachOther() throws Exception {
    MergeLab lab = lab(MergeLab.FULL);
    lab.layer(
        (tree, root) -> {
          for (String name : List.of("a", "a/x", "q", "q/r")) {
            tree.directory(name);
            tree.file(name + "/file", name);
          }
        });
    lab.layer(
        (tree, root) -> {
          rename(lab, root, "q/r", "s");
          rename(lab, root, "a/x", "s/c");
          rename(lab, root, "q", "s/c/z");
        });
    check(lab);
  }

  /** Two redirects to one directory, which is shown in its own place, too. */
  @Test
  void aDirectoryThatIsShownThreeTimes() throws Exception {
    MergeLab lab = lab(MergeLab.FULL);
    lab.layer(
        (tree, root) -> {
          tree.directory("d");
          tree.file("d/file", "text");
        });
    lab.layer((tree, root) -> {});
    for (String name : List.of("e", "f")) {
      OsPath made = lab.upper().resolve(name);
      lab.files.mkdir(made, 0755);
      lab.sys.setxattr(made, "trusted.overlay.redirect", OsPath.encode("/d"), 0, false);
    }
    check(lab);
    for (String name : List.of("d", "e", "f")) {
      assertEquals(
          1, lab.files.lstat(lab.lower().resolve(name + "/file")).orElseThrow().links(), name);
    }
  }

  /** What stands for nothing: a redirect that leads nowhere, an opaque file's whiteouts. */
  @Test
  void bookkeepingThatMeansNothingGoes() throws Exception {
    MergeLab lab = lab(MergeLab.FULL);
    lab.layer(
        (tree, root) -> {
          tree.directory("d");
          tree.file("d/hidden", "hidden");
          tree.file("g", "g");
        });
    lab.layer((tree, root) -> {});
    OsPath upper = lab.upper();
    lab.files.mkdir(upper.resolve("d"), 0755);
    lab.sys.setxattr(
        upper.resolve("d"), "trusted.overlay.redirect", OsPath.encode("/none"), 0, false);
    lab.files.mkdir(upper.resolve("n"), 0755);
    lab.sys.setxattr(upper.resolve("n"), "trusted.overlay.opaque", new byte[] {'y'}, 0, false);
    lab.sys.mknodat(Linux.AT_FDCWD, upper.resolve("n/w"), Linux.S_IFCHR, 0, 0);
    lab.sys.mknodat(Linux.AT_FDCWD, upper.resolve("w"), Linux.S_IFCHR, 0, 0);
    Trees.Snapshot before = lab.shown(true);
    lab.merge();
    Trees.assertSame(before, lab.shownBelow());
    Trees.assertSame(before, Trees.snapshotWithTimes(lab.lower()));
  }

  // ---- full disks ---------------------------------------------------------------------------

  /** The lower lies on a small file system that is full; the upper does not. */
  @Test
  void aFullDiskLeavesTheView() throws Exception {
    MergeLab lab = new MergeLab(small.resolve("lab"), MergeLab.FULL);
    lab.layer(
        (tree, root) -> {
          tree.file("a", "old");
          tree.directory("d");
          tree.file("d/b", "old");
        });
    lab.layer(
        (tree, root) -> {
          tree.file("a", "new");
          for (int i = 0; i < 8; i++) {
            tree.file("d/big" + i, "x".repeat(MEGABYTE));
          }
          tree.link("d/link", "d/big0");
        });
    lab.elsewhere(scratch.resolve("elsewhere"));
    Trees.Snapshot before = lab.shown(true);
    OsPath filler = small.resolve("filler");
    fill(filler, 4 * MEGABYTE);
    EngineException full = assertThrows(EngineException.class, lab::merge);
    assertEquals(Optional.of(Errno.ENOSPC), full.errno());
    assertTrue(full.getMessage().contains("big"), full.getMessage());
    Trees.assertSame(before, lab.shown(true));
    lab.files.remove(filler);
    check(lab);
  }

  /** Takes all the room but so many bytes. */
  private static void fill(OsPath filler, long but) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(filler.toString(), "rw")) {
      byte[] block = new byte[MEGABYTE];
      for (int size = block.length; size >= 512; ) {
        try {
          file.seek(file.length());
          file.write(block, 0, size);
        } catch (IOException full) {
          size /= 2;
        }
      }
      file.setLength(file.length() - but);
    }
  }
}
