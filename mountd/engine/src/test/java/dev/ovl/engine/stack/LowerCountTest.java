package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Few lowers and many: which method carries how many, and that every one of them is there. */
@Tag("kernel")
class LowerCountTest {
  private static final int PAGE = 4095;
  private static final int LAYER_ID = 64;
  private static final int LINK_NAME = "l/".length() + 26;
  private static final List<Integer> COUNTS = List.of(1, 2, 10, 40, 41, 128, 133, 200, 499, 500);

  @RegisterExtension final StackLab lab = new StackLab();

  /** Layer i holds {@code f<i>} and {@code same}, both with i as content. */
  private List<OsPath> layers(int count) throws Exception {
    List<OsPath> layers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      layers.add(lab.layer(String.valueOf(i), "f" + i + "=" + i, "same=" + i));
    }
    return layers;
  }

  /** That the layers 0 to count-1 make up the mount, the first of them on top. */
  private void assertComplete(OsPath merged, int count) throws Exception {
    TreeSet<String> expected = new TreeSet<>();
    IntStream.range(0, count).forEach(i -> expected.add("f" + i));
    expected.add("same");
    assertEquals(expected, new TreeSet<>(lab.names(merged)));
    assertEquals("0", lab.read(merged.resolve("same")));
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<Integer> samples = new ArrayList<>(List.of(0, count / 2, count - 1));
    random.ints(8, 0, count).forEach(samples::add);
    for (int i : samples) {
      assertEquals(
          String.valueOf(i), lab.read(merged.resolve("f" + i)), "layer " + i + ", seed " + seed);
    }
    // and writable
    OsPath deepest = merged.resolve("f" + (count - 1));
    lab.append(deepest, "+");
    assertEquals(count - 1 + "+", lab.read(deepest));
  }

  static Stream<Arguments> countsByMethod() {
    return Arrays.stream(MountMethod.values())
        .flatMap(method -> COUNTS.stream().map(count -> Arguments.of(method, count)));
  }

  @ParameterizedTest
  @MethodSource("countsByMethod")
  void eachMethodCarriesWhatFitsAndRefusesTheRest(MountMethod method, int count) throws Exception {
    List<OsPath> layers = layers(count);
    StackLab.Spec spec = lab.stack("many", layers).compat().method(method);
    int bytes =
        switch (method) {
          case CLASSIC -> classicBytes(layers);
          case RELATIVE -> relativeBytes(count);
          case LOWERDIR_PLUS, FD -> 0;
        };
    if (bytes > PAGE) {
      lab.stack("other", layers.get(0)).compat().create();
      lab.assertRefused(
          "method "
              + method.word()
              + " is not possible: the options take "
              + bytes
              + " bytes, a page holds 4095",
          spec::create);
      return;
    }

    int before = lab.mountLines().size();
    OsPath merged = spec.up();

    assertEquals(before + 1, lab.mountLines().size());
    assertComplete(merged, count);
    assertEquals(method, lab.report("many").method());
    assertFalse(lab.report("many").nested());
    lab.down("many");
    assertEquals(before, lab.mountLines().size());
    lab.remove("many");
    for (int i = 0; i < count; i += 17) {
      assertEquals(List.of("f" + i, "same"), lab.names(layers.get(i)));
    }
  }

  /** Length of the option string with absolute paths; what is refused is computed here as well. */
  private int classicBytes(List<OsPath> lowers) {
    int home = lab.root().length() + "/overlay2/".length();
    return "index=off,upperdir=,workdir=,lowerdir=".length()
        + 2 * (home + LAYER_ID)
        + "/diff".length()
        + "/work".length()
        + lowers.stream().mapToInt(OsPath::length).sum()
        + lowers.size()
        - 1;
  }

  /** Length of the option string with names relative to the driver's home. */
  private static int relativeBytes(int lowers) {
    return "index=off,upperdir=,workdir=,lowerdir=".length()
        + 2 * LAYER_ID
        + "/diff".length()
        + "/work".length()
        + lowers * (LINK_NAME + 1)
        - 1;
  }

  @Test
  void relativeCarriesAsManyAsAPageHoldsAndNotOneMore() throws Exception {
    int largest = 135;
    assertTrue(relativeBytes(largest) <= PAGE);
    assertTrue(relativeBytes(largest + 1) > PAGE);
    List<OsPath> layers = layers(largest + 1);

    OsPath merged =
        lab.stack("fits", layers.subList(0, largest)).compat().method(MountMethod.RELATIVE).up();

    assertComplete(merged, largest);
    lab.assertRefused(
        "method relative is not possible: the options take 4119 bytes, a page holds 4095",
        () -> lab.stack("toomany", layers).compat().method(MountMethod.RELATIVE).create());
  }

  @Test
  void classicCarriesAsManyAsAPageHoldsAndNotOneMore() throws Exception {
    List<OsPath> layers = layers(150);
    int largest = 1;
    while (classicBytes(layers.subList(0, largest + 1)) <= PAGE) {
      largest++;
    }

    OsPath merged =
        lab.stack("fits", layers.subList(0, largest)).compat().method(MountMethod.CLASSIC).up();

    assertComplete(merged, largest);
    List<OsPath> more = layers.subList(0, largest + 1);
    lab.assertRefused(
        "method classic is not possible: the options take "
            + classicBytes(more)
            + " bytes, a page holds 4095",
        () -> lab.stack("toomany", more).compat().method(MountMethod.CLASSIC).create());
  }

  @Test
  void theMethodIsChosenByWhatFits() throws Exception {
    // paths as long as Docker's: 40 of them fit a page
    List<OsPath> layers = new ArrayList<>();
    String id = "0123456789abcdef".repeat(4);
    for (int i = 0; i < 136; i++) {
      String name = String.valueOf(i);
      layers.add(lab.layer(id.substring(name.length()) + name, "f" + i + "=" + i, "same=" + i));
    }
    OsPath merged = lab.stack("classic", layers.subList(0, 20)).compat().up();
    assertEquals(MountMethod.CLASSIC, lab.report("classic").method());
    assertEquals(
        String.join(":", layers.subList(0, 20).stream().map(OsPath::toString).toList()),
        lab.mountOn(merged).values("lowerdir").get(0));
    assertComplete(merged, 20);

    merged = lab.stack("relative", layers.subList(0, 135)).compat().up();
    assertEquals(MountMethod.RELATIVE, lab.report("relative").method());
    assertTrue(
        lab.mountOn(merged).values("lowerdir").get(0).startsWith("l/"),
        lab.mountOn(merged)::toString);
    assertComplete(merged, 135);

    merged = lab.stack("single", layers).compat().up();
    MountMethod chosen = lab.report("single").method();
    assertTrue(chosen == MountMethod.LOWERDIR_PLUS || chosen == MountMethod.FD, chosen.word());
    assertComplete(merged, 136);
    if (chosen == MountMethod.LOWERDIR_PLUS) {
      assertEquals(
          layers.stream().map(OsPath::toString).toList(), lab.mountOn(merged).values("lowerdir+"));
    }
  }

  // ---- beyond 500 ---------------------------------------------------------------------------

  static Stream<Arguments> nestedCounts() {
    return Stream.of(MountMethod.LOWERDIR_PLUS, MountMethod.FD)
        .flatMap(method -> Stream.of(501, 600, 999).map(count -> Arguments.of(method, count)));
  }

  @ParameterizedTest
  @MethodSource("nestedCounts")
  void moreThan500AreNestedOnce(MountMethod method, int count) throws Exception {
    List<OsPath> layers = layers(count);
    int before = lab.mountLines().size();

    OsPath merged = lab.stack("many", layers).compat().folding(method).up();

    StackReport report = lab.report("many");
    assertTrue(report.nested());
    assertEquals(method, report.method());
    assertEquals(before + 1, lab.mountLines().size(), "the folded mount is not to be seen");
    assertEquals(List.of(), lab.names(lab.run().resolve("nested")));
    assertComplete(merged, count);
    lab.down("many");
    assertEquals(before, lab.mountLines().size());
    assertComplete(lab.up("many"), count - 1, count);
  }

  /** After {@link #assertComplete(OsPath, int)} has appended to the last file once. */
  private void assertComplete(OsPath merged, int appended, int count) throws Exception {
    assertEquals(count + 1, lab.names(merged).size());
    assertEquals(appended + "+", lab.read(merged.resolve("f" + appended)));
  }

  @Test
  void nestingIsChosenWhereItIsNeeded() throws Exception {
    List<OsPath> layers = layers(501);
    lab.stack("flat", layers.subList(0, 500)).compat().create();
    OsPath merged = lab.stack("nested", layers).compat().up();

    assertFalse(lab.report("flat").nested());
    assertTrue(lab.report("nested").nested());
    assertComplete(merged, 501);
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "relative"})
  void nestingIsRefusedWhereAMethodCannot(String word) throws Exception {
    List<OsPath> layers = layers(501);
    lab.stack("other", layers.get(0)).compat().create();
    lab.assertRefused(
        "method " + word + " is not possible: it cannot fold 501 lowers into one mount",
        () -> lab.stack("many", layers).compat().method(MountMethod.of(word)).create());
  }

  @Test
  void oneThousandAreRefusedWithTheReason() throws Exception {
    List<OsPath> layers = layers(1000);
    lab.stack("other", layers.get(0)).compat().create();
    String reason =
        "1000 lowers are too many: the kernel takes 500 in one overlay and ovl folds the bottom 500"
            + " into one, which makes 999; a second folded group could not hide the first one's"
            + " deleted files (E2BIG)";

    lab.assertRefused(reason, () -> lab.stack("many", layers).compat().create());
    for (MountMethod method : lab.methods()) {
      EngineException refused =
          lab.refusal(() -> lab.stack("many", layers).compat().method(method).create());
      assertEquals(reason, refused.getMessage(), method.word());
    }
    assertEquals(List.of(StackLab.name("other")), lab.stacks().names());
  }

  @ParameterizedTest
  @EnumSource(
      value = MountMethod.class,
      names = {"LOWERDIR_PLUS", "FD"})
  void theFoldedMountDiesWithItsStack(MountMethod method) throws Exception {
    OsPath place = lab.directory("elsewhere");
    lab.mountTmpfs(place);
    Statx device = lab.stat(place);
    List<OsPath> layers = new ArrayList<>();
    for (int i = 0; i < 501; i++) {
      layers.add(lab.directory(place.resolve("l" + i)));
      lab.write(layers.get(i).resolve("f" + i), String.valueOf(i));
    }
    OsPath merged = lab.stack("many", layers).compat().folding(method).up();
    lab.umount(place);

    // only the folded mount keeps that file system alive now
    assertTrue(lab.sys.ustat(device.devMajor(), device.devMinor()));
    assertEquals("500", lab.read(merged.resolve("f500")));
    lab.down("many");
    StackLab.await(
        "the folded mount ends", () -> !lab.sys.ustat(device.devMajor(), device.devMinor()));
  }
}
