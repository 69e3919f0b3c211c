package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.ovl.engine.mount.MountMethod;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.testkit.Requires;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whiteouts, opaque directories, redirects and metadata-only copies where a stack of more than 500
 * lowers is folded. Each case puts its layers at chosen places of a stack of 600 otherwise empty
 * ones, and compares with a small stack of the same layers alone.
 */
@Tag("kernel")
class NestedBoundaryTest {
  private static final int COUNT = 600;

  /** Layers 0 to 99 are the mount's own, 100 to 599 are folded. */
  private static final int FIRST_FOLDED = 100;

  private static final int LAST_OWN = FIRST_FOLDED - 1;

  @RegisterExtension final StackLab lab = new StackLab();
  private final SortedMap<Integer, OsPath> placed = new TreeMap<>();

  private void place(int position, OsPath layer) {
    if (placed.put(position, layer) != null) {
      fail("position " + position + " is taken");
    }
  }

  private List<OsPath> layers() throws ErrnoException {
    List<OsPath> layers = new ArrayList<>();
    for (int i = 0; i < COUNT; i++) {
      OsPath layer = placed.get(i);
      layers.add(layer != null ? layer : lab.layer("empty" + i));
    }
    return layers;
  }

  /** Mounts both stacks, compares, and gives the big one's target. */
  private OsPath compared(MountMethod method, String... options) throws Exception {
    List<OsPath> layers = layers();
    List<OsPath> few = new ArrayList<>(placed.values());
    few.add(lab.layer("bottom"));
    OsPath flat = lab.stack("flat", few).options(options).method(MountMethod.CLASSIC).up();
    OsPath nested = lab.stack("nested", layers).options(options).folding(method).up();

    assertTrue(lab.report("nested").nested());
    assertSameTree(flat, nested);
    return nested;
  }

  private void assertSameTree(OsPath expected, OsPath actual) throws ErrnoException {
    SortedMap<String, String> there = new TreeMap<>();
    SortedMap<String, String> here = new TreeMap<>();
    view(expected, "", there);
    view(actual, "", here);
    assertEquals(there, here);
  }

  /**
   * What a user sees. Not by {@code Trees}: overlayfs lists whiteouts of directories that only one
   * layer has, and then knows no such file.
   */
  private void view(OsPath directory, String prefix, SortedMap<String, String> seen)
      throws ErrnoException {
    for (OsPath name : lab.files.list(directory)) {
      OsPath path = directory.resolve(name);
      Optional<Statx> stat = lab.files.lstat(path);
      if (stat.isPresent()) {
        String text = prefix + name;
        String mode = Integer.toOctalString(stat.get().mode());
        seen.put(text, mode + (stat.get().isRegularFile() ? " " + lab.read(path) : ""));
        if (stat.get().isDirectory()) {
          view(path, text + "/", seen);
        }
      }
    }
  }

  /** A layer made as ovl makes it: by what is done to an overlay over the given lowers. */
  private OsPath layerBy(String name, List<OsPath> lowers, String options, Change change)
      throws Exception {
    OsPath merged = lab.stack("make" + name, lowers).options(options).up();
    OsPath upper = lab.upperOf("make" + name);
    change.to(merged);
    lab.down("make" + name);
    OsPath layer = lab.directory("layers").resolve(name);
    lab.files.rename(upper, layer);
    lab.directory(upper);
    lab.remove("make" + name);
    return layer;
  }

  private interface Change {
    void to(OsPath merged) throws Exception;
  }

  private static void rename(StackLab lab, OsPath from, OsPath to) throws ErrnoException {
    lab.sys.renameat2(Linux.AT_FDCWD, from, Linux.AT_FDCWD, to, 0);
  }

  @ParameterizedTest
  @EnumSource(
      value = MountMethod.class,
      names = {"LOWERDIR_PLUS", "FD"})
  void whiteoutsHideWhateverLiesBelow(MountMethod method) throws Exception {
    OsPath top = lab.layer("top", "top=t");
    OsPath lastOwn = lab.layer("lastOwn", "own=o");
    OsPath firstFolded = lab.layer("firstFolded", "byTop=1", "byLastOwn=2", "byFolded=no", "d/a=3");
    OsPath folded = lab.layer("folded", "kept=k");
    OsPath lowest =
        lab.layer("lowest", "byTop=4", "byLastOwn=5", "byFolded=6", "d/a=7", "d/b=8", "e/f=9");
    lab.whiteout(top.resolve("byTop"));
    lab.whiteout(top.resolve("e"));
    lab.whiteout(lastOwn.resolve("byLastOwn"));
    lab.directory(lastOwn.resolve("d"));
    lab.whiteout(lastOwn.resolve("d/a"));
    lab.unlink(firstFolded.resolve("byFolded"));
    lab.whiteout(firstFolded.resolve("byFolded"));
    place(0, top);
    place(LAST_OWN, lastOwn);
    place(FIRST_FOLDED, firstFolded);
    place(300, folded);
    place(COUNT - 1, lowest);

    OsPath merged = compared(method);

    assertEquals(List.of("d", "kept", "own", "top"), lab.names(merged));
    assertEquals(List.of("b"), lab.names(merged.resolve("d")));
  }

  @ParameterizedTest
  @EnumSource(
      value = MountMethod.class,
      names = {"LOWERDIR_PLUS", "FD"})
  void whatWasDeletedWithinTheFoldedGroupComesBackAbove(MountMethod method) throws Exception {
    OsPath own = lab.layer("own", "back=again");
    OsPath hiding = lab.layer("hiding");
    OsPath lowest = lab.layer("lowest", "back=old", "gone=g");
    lab.whiteout(hiding.resolve("back"));
    lab.whiteout(hiding.resolve("gone"));
    place(LAST_OWN, own);
    place(FIRST_FOLDED, hiding);
    place(FIRST_FOLDED + 1, lowest);

    OsPath merged = compared(method);

    assertEquals(List.of("back"), lab.names(merged));
    assertEquals("again", lab.read(merged.resolve("back")));
  }

  @ParameterizedTest
  @EnumSource(
      value = MountMethod.class,
      names = {"LOWERDIR_PLUS", "FD"})
  void opaqueDirectoriesHideWhateverLiesBelow(MountMethod method) throws Exception {
    OsPath top = lab.layer("top", "own/new=n", "both/t=t");
    OsPath folded = lab.layer("folded", "inner/new=n", "own/mid=m", "both/m=m");
    OsPath lowest = lab.layer("lowest", "own/old=o", "inner/old=o", "both/l=l", "x=x");
    lab.opaque(top.resolve("own"));
    lab.opaque(folded.resolve("inner"));
    lab.opaque(folded.resolve("both"));
    place(50, top);
    place(FIRST_FOLDED + 7, folded);
    place(COUNT - 1, lowest);

    OsPath merged = compared(method);

    assertEquals(List.of("new"), lab.names(merged.resolve("own")));
    assertEquals(List.of("new"), lab.names(merged.resolve("inner")));
    assertEquals(List.of("m", "t"), lab.names(merged.resolve("both")));
  }

  @ParameterizedTest
  @EnumSource(
      value = MountMethod.class,
      names = {"LOWERDIR_PLUS", "FD"})
  void redirectsLeadAcrossTheBoundary(MountMethod method) throws Exception {
    OsPath lowest = lab.layer("lowest", "p/from/deep/file=content", "q/other=o");
    OsPath redirecting =
        layerBy(
            "redirecting",
            List.of(lowest),
            "redirect_dir=on",
            merged -> {
              rename(lab, merged.resolve("p/from"), merged.resolve("to"));
              lab.write(merged.resolve("to/deep/more"), "more");
              rename(lab, merged.resolve("q"), merged.resolve("p/q"));
            });
    assertEquals(
        Optional.of("/p/from"),
        lab.attribute(redirecting.resolve("to"), "trusted.overlay.redirect"));
    place(3, redirecting);
    place(COUNT - 2, lowest);

    OsPath merged = compared(method, "redirect_dir=on");

    assertEquals("content", lab.read(merged.resolve("to/deep/file")));
    assertEquals("more", lab.read(merged.resolve("to/deep/more")));
    assertEquals("o", lab.read(merged.resolve("p/q/other")));
    assertEquals(List.of("p", "to"), lab.names(merged));
  }

  @ParameterizedTest
  @EnumSource(
      value = MountMethod.class,
      names = {"LOWERDIR_PLUS", "FD"})
  void redirectsWorkWithinTheFoldedGroupAndOnTopOfIt(MountMethod method) throws Exception {
    OsPath lowest = lab.layer("lowest", "p/from/deep/file=content");
    OsPath inner =
        layerBy(
            "inner",
            List.of(lowest),
            "redirect_dir=on",
            merged -> rename(lab, merged.resolve("p/from"), merged.resolve("to")));
    OsPath outer =
        layerBy(
            "outer",
            List.of(inner, lowest),
            "redirect_dir=on",
            merged -> {
              rename(lab, merged.resolve("to"), merged.resolve("again"));
              lab.write(merged.resolve("again/new"), "new");
            });
    place(LAST_OWN, outer);
    place(FIRST_FOLDED, inner);
    place(COUNT - 1, lowest);

    OsPath merged = compared(method, "redirect_dir=on");

    assertEquals("content", lab.read(merged.resolve("again/deep/file")));
    assertEquals(List.of("deep", "new"), lab.names(merged.resolve("again")));
    assertEquals(List.of("again", "p"), lab.names(merged));
  }

  @ParameterizedTest
  @EnumSource(
      value = MountMethod.class,
      names = {"LOWERDIR_PLUS", "FD"})
  void metadataOnlyCopiesShowTheirData(MountMethod method) throws Exception {
    OsPath lowest = lab.layer("lowest", "inner=inner data", "outer=outer data", "moved=moved data");
    OsPath inner =
        layerBy(
            "inner",
            List.of(lowest),
            "metacopy=on",
            merged -> {
              lab.sys.fchmodat(Linux.AT_FDCWD, merged.resolve("inner"), 0600);
              rename(lab, merged.resolve("moved"), merged.resolve("away"));
            });
    OsPath outer =
        layerBy(
            "outer",
            List.of(inner, lowest),
            "metacopy=on",
            merged -> {
              lab.sys.fchmodat(Linux.AT_FDCWD, merged.resolve("outer"), 0640);
              lab.sys.fchmodat(Linux.AT_FDCWD, merged.resolve("away"), 0604);
            });
    for (OsPath copy : List.of(inner.resolve("inner"), outer.resolve("outer"))) {
      assertTrue(lab.attribute(copy, "trusted.overlay.metacopy").isPresent(), copy::quoted);
    }
    place(LAST_OWN, outer);
    place(FIRST_FOLDED + 1, inner);
    place(COUNT - 1, lowest);

    OsPath merged = compared(method, "metacopy=on");

    assertEquals("inner data", lab.read(merged.resolve("inner")));
    assertEquals("outer data", lab.read(merged.resolve("outer")));
    assertEquals("moved data", lab.read(merged.resolve("away")));
    assertEquals(0600, lab.stat(merged.resolve("inner")).permissions());
    assertEquals(0640, lab.stat(merged.resolve("outer")).permissions());
    assertEquals(0604, lab.stat(merged.resolve("away")).permissions());
    lab.append(merged.resolve("outer"), "+");
    assertEquals("outer data+", lab.read(merged.resolve("outer")));
  }

  @ParameterizedTest
  @EnumSource(
      value = MountMethod.class,
      names = {"LOWERDIR_PLUS", "FD"})
  void aMetadataOnlyCopyWithinTheFoldedGroupNeedsNoOption(MountMethod method) throws Exception {
    OsPath lowest = lab.layer("lowest", "file=data");
    OsPath inner =
        layerBy(
            "inner",
            List.of(lowest),
            "metacopy=on",
            merged -> lab.sys.fchmodat(Linux.AT_FDCWD, merged.resolve("file"), 0600));
    place(FIRST_FOLDED + 1, inner);
    place(COUNT - 1, lowest);

    OsPath merged = lab.stack("nested", layers()).folding(method).up();

    assertEquals("data", lab.read(merged.resolve("file")));
    assertEquals(0600, lab.stat(merged.resolve("file")).permissions());
  }

  @ParameterizedTest
  @EnumSource(
      value = MountMethod.class,
      names = {"LOWERDIR_PLUS", "FD"})
  void userAttributesAreFollowedInBothGroups(MountMethod method) throws Exception {
    Requires.userAttributesOnTmpfs();
    OsPath top = lab.layer("top", "own/new=n");
    OsPath folded = lab.layer("folded", "inner/new=n");
    OsPath lowest = lab.layer("lowest", "own/old=o", "inner/old=o");
    byte[] yes = {'y'};
    lab.sys.setxattr(top.resolve("own"), "user.overlay.opaque", yes, 0, true);
    lab.sys.setxattr(folded.resolve("inner"), "user.overlay.opaque", yes, 0, true);
    place(0, top);
    place(FIRST_FOLDED, folded);
    place(COUNT - 1, lowest);

    OsPath merged = compared(method, "userxattr");

    assertEquals(List.of("new"), lab.names(merged.resolve("own")));
    assertEquals(List.of("new"), lab.names(merged.resolve("inner")));
  }

  // ---- random layers ------------------------------------------------------------------------

  static Stream<Arguments> seeds() {
    long base = System.nanoTime();
    return Stream.of(MountMethod.LOWERDIR_PLUS, MountMethod.FD)
        .flatMap(
            method -> Stream.of(base, base + 1, base + 2).map(seed -> Arguments.of(method, seed)));
  }

  @ParameterizedTest(name = "{0}, seed {1}")
  @MethodSource("seeds")
  void randomLayersLookTheSameNested(MountMethod method, long seed) throws Exception {
    Random random = new Random(seed);
    for (int position : List.of(0, 40, 98, 99, 100, 101, 350, 598)) {
      place(position, randomLayer("random" + position, random));
    }
    compared(method);
  }

  private OsPath randomLayer(String name, Random random) throws ErrnoException {
    OsPath layer = lab.layer(name);
    fill(layer, random, 3);
    return layer;
  }

  private void fill(OsPath directory, Random random, int depth) throws ErrnoException {
    for (String name : List.of("a", "b", "c", "d", "e")) {
      OsPath path = directory.resolve(name);
      switch (random.nextInt(depth > 0 ? 8 : 4)) {
        case 0, 1 -> {}
        case 2 -> lab.write(path, path.toString());
        case 3 -> lab.whiteout(path);
        default -> {
          lab.directory(path);
          lab.sys.fchmodat(Linux.AT_FDCWD, path, 0700 + random.nextInt(0100));
          fill(path, random, depth - 1);
          if (random.nextInt(4) == 0) {
            lab.opaque(path);
          }
        }
      }
    }
  }
}
