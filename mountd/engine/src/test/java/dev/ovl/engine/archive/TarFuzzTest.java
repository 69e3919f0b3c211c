package dev.ovl.engine.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.RichTree;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;

/**
 * Whatever bytes there are, unpacking them ends well or with one line, changes nothing around the
 * directory and leaves nothing open. The first byte chooses the formats; checksums of headers are
 * mended, without which hardly an input would be let in.
 *
 * <p>An ordinary test run feeds it what is kept in the resources; with JAZZER_FUZZ=1 it makes
 * inputs of its own.
 */
class TarFuzzTest {
  private static final int BLOCK = 512;
  private static final int CHECK_EVERY = 256;

  private static final Scratch SCRATCH = Scratch.tmpfs();
  private static State state;

  /** What there is around the directory. */
  private record State(OsPath around, OsPath root, Trees.Snapshot before, Leaks leaks) {
    static State make() {
      try {
        OsPath around = SCRATCH.mkdirs("around");
        new RichTree(around).file("file", "outside");
        OsPath root = SCRATCH.mkdirs("around/root");
        Archives.SYS.mount(
            OsPath.of("ovl-test"),
            root,
            "tmpfs",
            0,
            "size=8m,nr_inodes=4k".getBytes(StandardCharsets.US_ASCII));
        return new State(around, root, outside(around), Leaks.beneath(around));
      } catch (ErrnoException e) {
        throw new AssertionError(e);
      }
    }

    /** All but what is in the root. */
    static Trees.Snapshot outside(OsPath around) throws ErrnoException {
      Trees.Snapshot all = Trees.snapshotWithTimes(around);
      SortedMap<OsPath, Trees.Node> nodes = new TreeMap<>(all.nodes());
      nodes.keySet().removeIf(path -> path.startsWith(OsPath.of("root")));
      return new Trees.Snapshot(nodes);
    }
  }

  private static long runs;

  @AfterAll
  static void clear() {
    SCRATCH.close();
  }

  @FuzzTest(maxDuration = "1m")
  void anyArchive(byte[] data) throws ErrnoException {
    run(data);
  }

  /** By hand, until it is stopped. */
  @FuzzTest(maxDuration = "")
  void forLong(byte[] data) throws ErrnoException {
    run(data);
  }

  private static void run(byte[] data) throws ErrnoException {
    if (data.length == 0) {
      return;
    }
    if (state == null) {
      state = State.make();
    }
    ArchiveFormat[] formats = ArchiveFormat.values();
    LayerForm[] forms = LayerForm.values();
    int choice = data[0] & 0xFF;
    byte[] archive = new byte[data.length - 1];
    System.arraycopy(data, 1, archive, 0, archive.length);
    mend(archive);
    try {
      Archives.unpack(
          new ByteArrayInputStream(archive),
          state.root(),
          formats[choice % formats.length],
          forms[choice / formats.length % forms.length]);
    } catch (EngineException e) {
      assertFalse(e.getMessage().contains("\n"), e.getMessage());
    }
    empty();
    if (runs++ % CHECK_EVERY == 0 || !isFuzzing()) {
      state.leaks().assertNone();
      assertEquals(List.of(), State.outside(state.around()).differences(state.before()));
    }
  }

  private static boolean isFuzzing() {
    String wanted = System.getenv("JAZZER_FUZZ");
    return wanted != null && !wanted.isEmpty();
  }

  private static void empty() throws ErrnoException {
    Files files = new Files(Archives.SYS);
    for (OsPath name : files.list(state.root())) {
      try (Fd root = files.openDirectory(state.root())) {
        files.removeAny(root, name);
      }
    }
    for (String name : Archives.SYS.listxattr(state.root(), false)) {
      Archives.SYS.removexattr(state.root(), name, false);
    }
    Archives.SYS.fchownat(Linux.AT_FDCWD, state.root(), 0, 0, 0);
  }

  private static void mend(byte[] archive) {
    for (int start = 0; start + BLOCK <= archive.length; start += BLOCK) {
      boolean header =
          archive[start + 257] == 'u' && archive[start + 258] == 's' && archive[start + 259] == 't';
      if (header) {
        int sum = 8 * ' ';
        for (int i = 0; i < BLOCK; i++) {
          sum += i >= 148 && i < 156 ? 0 : archive[start + i] & 0xFF;
        }
        byte[] text = String.format("%06o\0 ", sum).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(text, 0, archive, start + 148, text.length);
      }
    }
  }
}
