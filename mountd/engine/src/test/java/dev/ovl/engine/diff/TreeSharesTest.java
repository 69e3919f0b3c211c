package dev.ovl.engine.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Holding.Role;
import dev.ovl.engine.diff.TreeShares.Share;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Which layers a tree comes from, by cases and against what each path of random trees says. */
class TreeSharesTest {
  private static final int HISTORIES = 100;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);

  @BeforeEach
  void empty() throws ErrnoException {
    Requires.overlay();
    SCRATCH.empty();
  }

  private List<Share> shares(String path, OsPath... layers) throws EngineException {
    return TreeShares.of(sys, View.overlay(List.of(layers)), OsPath.of(path), () -> false);
  }

  @Test
  void ofASubtree() throws Exception {
    OverlayLab lab = new OverlayLab(SCRATCH.path());
    OsPath base = lab.directory("base");
    files.mkdirs(base.resolve("d/sub"), 0755);
    files.create(base.resolve("d/one"), new byte[10], 0644, false);
    files.create(base.resolve("d/sub/two"), new byte[20], 0644, false);
    files.create(base.resolve("out"), new byte[40], 0644, false);
    sys.linkat(
        Linux.AT_FDCWD, base.resolve("d/one"), Linux.AT_FDCWD, base.resolve("d/sub/again"), 0);
    OsPath upper =
        lab.upper(
            List.of(base),
            ",redirect_dir=on,metacopy=on",
            m -> {
              files.create(m.resolve("d/new"), new byte[100], 0644, false);
              sys.fchmodat(Linux.AT_FDCWD, m.resolve("d/sub/two"), 0600);
              files.remove(m.resolve("out"));
            });
    assertEquals(
        List.of(new Share(0, 5, 100), new Share(1, 2, 30)),
        shares("/", upper, base),
        "root, d, d/new, d/sub, d/sub/two; d/one, d/sub/again");
    assertEquals(List.of(new Share(0, 2, 0), new Share(1, 1, 30)), shares("d/sub", upper, base));
    assertEquals(List.of(new Share(1, 1, 10)), shares("/d/one", upper, base));
    assertEquals(List.of(), shares("/out", upper, base));
    assertThrows(EngineException.class, () -> shares("/d/..", upper, base));
    assertThrows(
        EngineException.class,
        () -> TreeShares.of(sys, View.overlay(List.of(upper, base)), OsPath.ROOT, () -> true));
  }

  @Test
  void addUpToWhatEachPathSays() throws Exception {
    long start = Long.getLong("ovl.diff.seed", System.nanoTime());
    for (int i = 0; i < HISTORIES; i++) {
      List<String> log = new ArrayList<>();
      SCRATCH.empty();
      OverlayLab lab = new OverlayLab(SCRATCH.path());
      try {
        RandomLayers made = RandomLayers.make(new Random(start + i), lab, log);
        View.Union view = new View.Union(made.layers(), List.of(), made.books());
        Map<Integer, Share> expected = new TreeMap<>();
        lab.shown(
            made.layers(),
            made.books() == View.Books.USER,
            mounted -> expected(mounted, OsPath.EMPTY, view, new HashSet<>(), expected));
        assertTrue(!expected.isEmpty(), "the root at least");
        assertEquals(
            List.copyOf(expected.values()), TreeShares.of(sys, view, OsPath.ROOT, () -> false));
      } catch (Exception | AssertionError e) {
        throw new AssertionError(
            "-Dovl.diff.seed=" + (start + i) + "\n" + String.join("\n", log) + "\n" + e, e);
      }
    }
  }

  private void expected(
      OsPath mounted,
      OsPath path,
      View.Union view,
      Set<Identity> counted,
      Map<Integer, Share> shares)
      throws EngineException, ErrnoException {
    List<Holding> seen =
        PathSearch.find(sys, view, path).stream()
            .filter(h -> h.role() == Role.SERVES || h.role() == Role.DATA)
            .toList();
    add(shares, seen.getFirst().layer(), 1, 0);
    Holding data = seen.getLast();
    OsPath real = view.layers().get(data.layer()).resolve(data.path());
    if (data.kind() == Holding.Kind.FILE
        && counted.add(Identity.of(files.lstat(real).orElseThrow()))) {
      add(shares, data.layer(), 0, data.bytes());
    }
    Optional<Statx> stat = files.lstat(mounted.resolve(path));
    if (stat.filter(Statx::isDirectory).isPresent()) {
      for (OsPath name : files.list(mounted.resolve(path))) {
        // whiteouts in an opaque directory are listed by some kernels, and are not there
        if (files.lstat(mounted.resolve(path).resolve(name)).isPresent()) {
          expected(mounted, path.resolve(name), view, counted, shares);
        }
      }
    }
  }

  private static void add(Map<Integer, Share> shares, int layer, long names, long bytes) {
    shares.merge(
        layer,
        new Share(layer, names, bytes),
        (a, b) -> new Share(layer, a.names() + b.names(), a.bytes() + b.bytes()));
  }
}
