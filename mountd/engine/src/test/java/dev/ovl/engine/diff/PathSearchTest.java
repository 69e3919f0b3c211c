package dev.ovl.engine.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Holding.Kind;
import dev.ovl.engine.diff.Holding.Role;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Which layers hold a path, by cases and against mounts of what random work has made. */
class PathSearchTest {
  private static final int HISTORIES = 150;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);
  private OverlayLab lab;
  private OsPath base;
  private Leaks leaks;

  @BeforeEach
  void make() throws ErrnoException {
    Requires.overlay();
    SCRATCH.empty();
    lab = new OverlayLab(SCRATCH.path());
    base = lab.directory("base");
    leaks = Leaks.beneath(SCRATCH.path());
  }

  @AfterEach
  void nothingIsLeft() {
    leaks.assertNone();
  }

  private void write(OsPath root, String name, String text) throws ErrnoException {
    files.create(root.resolve(name), text.getBytes(StandardCharsets.UTF_8), 0644, false);
  }

  private void mkdirs(OsPath root, String name) throws ErrnoException {
    files.mkdirs(root.resolve(name), 0755);
  }

  private void rename(OsPath root, String from, String to) throws ErrnoException {
    files.rename(root.resolve(from), root.resolve(to));
  }

  private void chmod(OsPath root, String name, int mode) throws ErrnoException {
    sys.fchmodat(Linux.AT_FDCWD, root.resolve(name), mode);
  }

  /** Layer, path, kind, role and what else there is to tell, a line a holding. */
  private List<String> find(String path, OsPath... layers) throws EngineException {
    return PathSearch.find(sys, View.overlay(List.of(layers)), OsPath.of(path)).stream()
        .map(PathSearchTest::line)
        .toList();
  }

  private static String line(Holding holding) {
    return holding.layer()
        + " "
        + (holding.path().isEmpty() ? "/" : holding.path())
        + " "
        + holding.kind()
        + " "
        + holding.role()
        + (holding.bytes() > 0 ? " " + holding.bytes() : "")
        + (holding.opaque() ? " opaque" : "")
        + (holding.metadataOnly() ? " metacopy" : "")
        + holding.redirect().map(to -> " -> " + to).orElse("")
        + holding
            .cover()
            .map(cover -> " by " + cover.layer() + " " + cover.path() + " " + cover.why())
            .orElse("");
  }

  // ---- cases --------------------------------------------------------------------------------

  @Test
  void copiesAndWhiteouts() throws Exception {
    mkdirs(base, "d");
    write(base, "d/file", "12");
    OsPath second = lab.upper(List.of(base), "", m -> write(m, "d/file", "123"));
    OsPath third = lab.upper(List.of(second, base), "", m -> files.remove(m.resolve("d/file")));
    OsPath fourth = lab.upper(List.of(third, second, base), "", m -> write(m, "d/file", "1234"));
    assertEquals(
        List.of("0 d/file FILE SERVES 3", "1 d/file FILE HIDDEN 2 by 0 d/file OTHER_FILE"),
        find("/d/file", second, base));
    assertEquals(
        List.of(
            "0 d/file WHITEOUT DELETES",
            "1 d/file FILE HIDDEN 3 by 0 d/file WHITEOUT",
            "2 d/file FILE HIDDEN 2 by 0 d/file WHITEOUT"),
        find("d/file", third, second, base));
    assertEquals(
        List.of(
            "0 d/file FILE SERVES 4",
            "1 d/file WHITEOUT HIDDEN by 0 d/file OTHER_FILE",
            "2 d/file FILE HIDDEN 3 by 0 d/file OTHER_FILE",
            "3 d/file FILE HIDDEN 2 by 0 d/file OTHER_FILE"),
        find("./d/file", fourth, third, second, base));
    assertEquals(List.of(), find("/d/none", second, base));
    assertEquals(List.of(), find("/d/file/more", second, base));
  }

  @Test
  void directories() throws Exception {
    mkdirs(base, "d");
    write(base, "d/file", "1");
    OsPath merged = lab.upper(List.of(base), "", m -> write(m, "d/new", "1"));
    OsPath made =
        lab.upper(
            List.of(base),
            "",
            m -> {
              files.removeTree(m.resolve("d"));
              mkdirs(m, "d");
            });
    assertEquals(List.of("0 d DIRECTORY SERVES", "1 d DIRECTORY MERGES"), find("/d", merged, base));
    assertEquals(List.of("0 / DIRECTORY SERVES", "1 / DIRECTORY MERGES"), find("/", merged, base));
    assertEquals(
        List.of("0 d DIRECTORY SERVES opaque", "1 d DIRECTORY HIDDEN by 0 d OPAQUE"),
        find("/d", made, base));
    assertEquals(List.of("1 d/file FILE HIDDEN 1 by 0 d OPAQUE"), find("/d/file", made, base));
    OsPath file =
        lab.upper(
            List.of(base),
            "",
            m -> {
              files.removeTree(m.resolve("d"));
              write(m, "d", "12");
            });
    assertEquals(
        List.of("0 d FILE SERVES 2", "1 d DIRECTORY HIDDEN by 0 d OTHER_FILE"),
        find("/d", file, base));
    assertEquals(List.of("1 d/file FILE HIDDEN 1 by 0 d OTHER_FILE"), find("/d/file", file, base));
  }

  @Test
  void redirects() throws Exception {
    mkdirs(base, "a/deep");
    mkdirs(base, "to");
    write(base, "a/deep/file", "1");
    OsPath upper =
        lab.upper(
            List.of(base),
            ",redirect_dir=on",
            m -> {
              rename(m, "a", "b");
              rename(m, "b/deep", "to/c");
            });
    assertEquals(
        List.of("0 b DIRECTORY SERVES -> a", "1 a DIRECTORY MERGES"), find("/b", upper, base));
    assertEquals(
        List.of("0 to/c DIRECTORY SERVES -> /a/deep", "1 a/deep DIRECTORY MERGES"),
        find("/to/c", upper, base));
    assertEquals(List.of("1 a/deep/file FILE SERVES 1"), find("/to/c/file", upper, base));
    assertEquals(
        List.of("0 a WHITEOUT DELETES", "1 a DIRECTORY HIDDEN by 0 a WHITEOUT"),
        find("/a", upper, base));
  }

  @Test
  void metadataOnlyCopies() throws Exception {
    write(base, "file", "12345");
    String options = ",redirect_dir=on,metacopy=on";
    OsPath second = lab.upper(List.of(base), options, m -> chmod(m, "file", 0600));
    OsPath third = lab.upper(List.of(second, base), options, m -> rename(m, "file", "moved"));
    assertEquals(
        List.of("0 file FILE SERVES metacopy", "1 file FILE DATA 5"), find("/file", second, base));
    assertEquals(
        List.of(
            "0 moved FILE SERVES metacopy -> file",
            "1 file FILE DATA metacopy",
            "2 file FILE DATA 5"),
        find("/moved", third, second, base));
  }

  @Test
  void whatIsNoPathInAStack() {
    EngineException e = assertThrows(EngineException.class, () -> find("/a/../b", base));
    assertEquals(EngineException.Kind.USAGE, e.kind());
    assertEquals("a path in a stack has no '..' in it: /a/../b", e.getMessage());
  }

  // ---- anything -----------------------------------------------------------------------------

  @Test
  void whatServesIsWhatIsSeen() throws Exception {
    long start = Long.getLong("ovl.diff.seed", System.nanoTime());
    int seen = 0;
    for (int i = 0; i < HISTORIES; i++) {
      List<String> log = new ArrayList<>();
      SCRATCH.empty();
      OverlayLab fresh = new OverlayLab(SCRATCH.path());
      try {
        RandomLayers made = RandomLayers.make(new Random(start + i), fresh, log);
        SortedSet<OsPath> paths = new TreeSet<>();
        for (OsPath layer : made.layers()) {
          collect(layer, OsPath.EMPTY, paths);
        }
        boolean user = made.books() == View.Books.USER;
        int[] count = {0};
        fresh.shown(
            made.layers(),
            user,
            mounted -> {
              collect(mounted, OsPath.EMPTY, paths);
              for (OsPath path : paths) {
                count[0] += check(made, path, mounted);
              }
            });
        seen += count[0];
      } catch (Exception | AssertionError e) {
        throw new AssertionError(
            "-Dovl.diff.seed=" + (start + i) + "\n" + String.join("\n", log) + "\n" + e, e);
      }
    }
    assertTrue(seen > HISTORIES, "hardly anything was seen: " + seen);
  }

  private void collect(OsPath root, OsPath path, SortedSet<OsPath> all) throws ErrnoException {
    for (OsPath name : files.list(root.resolve(path))) {
      OsPath at = path.resolve(name);
      all.add(at);
      Optional<Statx> stat = files.lstat(root.resolve(at));
      if (stat.filter(Statx::isDirectory).isPresent()) {
        collect(root, at, all);
      }
    }
  }

  /** Returns 1 when the path is seen. */
  private int check(RandomLayers made, OsPath path, OsPath mounted) throws Exception {
    View.Union view = new View.Union(made.layers(), List.of(), made.books());
    List<Holding> holdings = PathSearch.find(sys, view, path);
    String told =
        path + "\n" + holdings.stream().map(PathSearchTest::line).collect(Collectors.joining("\n"));
    for (Holding holding : holdings) {
      OsPath real = made.layers().get(holding.layer()).resolve(holding.path());
      assertTrue(files.lstat(real).isPresent(), told);
    }
    Optional<Statx> stat = lstat(mounted, path);
    List<Holding> serving = holdings.stream().filter(h -> h.role() == Role.SERVES).toList();
    assertEquals(stat.isPresent() ? 1 : 0, serving.size(), told);
    if (stat.isEmpty()) {
      return 0;
    }
    Holding top = serving.get(0);
    OsPath real = made.layers().get(top.layer()).resolve(top.path());
    assertEquals(stat.get().mode(), files.lstat(real).orElseThrow().mode(), told);
    if (top.kind() == Kind.FILE) {
      Holding data =
          holdings.stream()
              .filter(h -> h.role() == Role.SERVES || h.role() == Role.DATA)
              .reduce((first, second) -> second)
              .orElseThrow();
      OsPath holder = made.layers().get(data.layer()).resolve(data.path());
      byte[] bytes = files.read(mounted.resolve(path)).orElseThrow();
      assertEquals(bytes.length, data.bytes(), told);
      assertTrue(Arrays.equals(bytes, files.read(holder).orElseThrow()), told);
    }
    return 1;
  }

  /** What lies beneath a file or a symbolic link is not there. */
  private Optional<Statx> lstat(OsPath root, OsPath path) throws ErrnoException {
    OsPath at = root;
    Optional<Statx> stat = files.lstat(at);
    for (OsPath component : path.components()) {
      if (stat.filter(Statx::isDirectory).isEmpty()) {
        return Optional.empty();
      }
      at = at.resolve(component);
      stat = files.lstat(at);
    }
    return stat;
  }
}
