package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Names that hurt: everything but NUL and slash may stand in a path. */
@Tag("kernel")
class OddPathsTest {
  private static final List<OsPath> NAMES =
      Stream.of(
              "a:b",
              ":",
              "a,b",
              ",lowerdir=x",
              "back\\slash",
              "end\\",
              "\\:\\,\\\\",
              "\\040",
              " ",
              "in the middle",
              "new\nline",
              "\n",
              "tab\there",
              "#hash",
              "'single'",
              "\"double\"",
              "$HOME `x` *?[a]",
              "..x",
              "-o",
              "grün€\uD83D\uDE00",
              "=",
              "x".repeat(255),
              ":".repeat(255))
          .map(OsPath::of)
          .toList();

  private static final OsPath NOT_UTF8 = OsPath.of(new byte[] {'x', (byte) 0xff, (byte) 0xfe, 'y'});
  private static final OsPath CUT_UTF8 = OsPath.of(new byte[] {(byte) 0xe2, (byte) 0x82});
  private static final int PAGE = 4095;

  @RegisterExtension final StackLab lab = new StackLab();

  private static List<OsPath> names() {
    List<OsPath> all = new ArrayList<>(NAMES);
    all.add(NOT_UTF8);
    all.add(CUT_UTF8);
    return all;
  }

  /** All the short names as one path, each a directory in the one before; and the long ones. */
  private static List<OsPath> paths() {
    OsPath chain = OsPath.EMPTY;
    List<OsPath> paths = new ArrayList<>();
    for (OsPath name : names()) {
      if (name.length() < 100) {
        chain = chain.resolve(name);
      } else {
        paths.add(name);
      }
    }
    paths.add(chain);
    return paths;
  }

  static Stream<Arguments> pathsByMethod() {
    return Arrays.stream(MountMethod.values())
        .flatMap(method -> paths().stream().map(path -> Arguments.of(method, path.quoted(), path)));
  }

  /** A stack of which every path lies in one directory. */
  private final class Place {
    final OsPath top;
    final OsPath one;
    final OsPath two;
    final OsPath upper;
    final OsPath work;
    final OsPath target;
    final Stacks stacks;

    Place(OsPath base, OsPath name) throws Exception {
      top = lab.directory(base.resolve(name));
      one = lab.directory(top.resolve("1").resolve(name));
      two = lab.directory(top.resolve("2").resolve(name));
      upper = lab.directory(top.resolve("u").resolve(name));
      work = lab.directory(top.resolve("w").resolve(name));
      target = lab.directory(top.resolve("t").resolve(name));
      stacks =
          lab.stacks(lab.sys, top.resolve("root").resolve(name), top.resolve("run").resolve(name));
      lab.write(one.resolve("one"), "1");
      lab.write(one.resolve("both"), "top");
      lab.write(two.resolve("two"), "2");
      lab.write(two.resolve("both"), "bottom");
    }

    void assertShows(OsPath merged) throws Exception {
      assertEquals("1", lab.read(merged.resolve("one")));
      assertEquals("2", lab.read(merged.resolve("two")));
      assertEquals("top", lab.read(merged.resolve("both")));
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("pathsByMethod")
  void everyPathOfAStackMayBeOdd(MountMethod method, String shown, OsPath name) throws Exception {
    Place place = new Place(lab.path("p"), name);
    StackName web = StackLab.name("web");
    StackRequest request =
        lab.stack("web", place.one, place.two)
            .upper(place.upper, place.work)
            .at(place.target)
            .method(method)
            .request();
    int paths = bytesOf(place.one, place.two, place.upper, place.work);
    if (method == MountMethod.CLASSIC && paths > PAGE) {
      EngineException refused = lab.refusal(() -> place.stacks.create(request));
      assertTrue(
          refused.getMessage().startsWith("method classic is not possible: the options take"));
      return;
    }
    List<String> before = lab.mountLines();
    place.stacks.create(request);

    assertEquals(place.target, place.stacks.up(web, false));

    place.assertShows(place.target);
    lab.write(place.target.resolve("new"), "odd");
    assertEquals("odd", lab.read(place.upper.resolve("new")));
    StackReport report = place.stacks.report(web);
    assertTrue(report.state() instanceof StackState.Up, report::toString);
    assertEquals(method, report.method());
    assertEquals(
        List.of(place.one, place.two),
        report.definition().lowers().stream().map(StackDefinition.Lower::path).toList());
    assertEquals(place.target, report.target());
    assertEquals(place.upper, report.upper().orElseThrow().directory());
    assertEquals(Optional.of(place.work), report.upper().orElseThrow().work());
    assertEquals(place.target, report.state().mounted().orElseThrow().point());

    // another process, which has not the definition in memory, and whose run directory is lost
    Stacks other =
        lab.stacks(lab.sys, place.top.resolve("root").resolve(name), place.top.resolve("none"));
    assertTrue(other.state(web) instanceof StackState.Up, () -> shown);
    assertEquals(report.definition(), other.report(web).definition());
    other.down(web, false);
    assertEquals(before, lab.mountLines());
    assertEquals(new StackState.Down(), place.stacks.state(web));
    place.stacks.remove(web, false);
    assertEquals("odd", lab.read(place.upper.resolve("new")));
  }

  private static int bytesOf(OsPath... paths) {
    int bytes = "index=off,upperdir=,workdir=,lowerdir=:".length();
    for (OsPath path : paths) {
      for (byte b : path.bytes()) {
        bytes += b == ':' || b == ',' || b == '\\' ? 2 : 1;
      }
    }
    return bytes;
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("pathsByMethod")
  void theRootMayBeOddAndHoldUpperAndTarget(MountMethod method, String shown, OsPath name)
      throws Exception {
    Place place = new Place(lab.path("p"), name);
    StackName web = StackLab.name("web");
    List<String> before = lab.mountLines();
    StackRequest request = lab.stack("web", place.one, place.two).method(method).request();
    OsPath root = place.top.resolve("root").resolve(name);
    int roots = bytesOf(place.one, place.two, root, root) + 2 * "/overlay2/diff".length() + 128;
    if (method == MountMethod.CLASSIC && roots > PAGE) {
      EngineException refused = lab.refusal(() -> place.stacks.create(request));
      assertTrue(
          refused.getMessage().startsWith("method classic is not possible: the options take"));
      return;
    }
    place.stacks.create(request);

    OsPath merged = place.stacks.up(web, false);

    place.assertShows(merged);
    assertTrue(place.stacks.state(web) instanceof StackState.Up, () -> shown);
    Stacks other = lab.stacks(lab.sys, root, place.top.resolve("none"));
    assertTrue(other.state(web) instanceof StackState.Up, () -> shown);
    assertTrue(merged.startsWith(place.top), merged::quoted);
    place.stacks.down(web, false);
    place.stacks.remove(web, false);
    assertEquals(before, lab.mountLines());
    assertEquals(List.of("l"), lab.names(root.resolve("overlay2")));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void namesInsideTheMountMayBeOdd(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a");
    for (OsPath name : names()) {
      lab.write(lower.resolve(name), name.bytes());
    }
    OsPath merged = lab.stack("web", lower).options("redirect_dir=on").method(method).up();
    assertEquals(new TreeSet<>(names()), new TreeSet<>(lab.files.list(merged)));

    OsPath made = lab.directory(merged.resolve("made"));
    for (OsPath name : names()) {
      assertEquals(name, OsPath.of(lab.readBytes(merged.resolve(name))));
      lab.unlink(merged.resolve(name));
      assertFalse(lab.exists(merged.resolve(name)));
      assertTrue(lab.stat(lab.upperOf("web").resolve(name)).isWhiteout());
      lab.write(made.resolve(name), name.bytes());
    }
    assertEquals(List.of("made"), lab.names(merged));
    assertEquals(new TreeSet<>(names()), new TreeSet<>(lab.files.list(made)));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void pathsMayBeLong(MountMethod method) throws Exception {
    OsPath base = lab.path("long");
    for (int i = 0; i < 5; i++) {
      base = base.resolve(String.valueOf(i).repeat(250));
    }
    assertTrue(base.length() > 1000);
    Place place = new Place(base, OsPath.of("n"));
    StackName web = StackLab.name("web");
    StackRequest request =
        lab.stack("web", place.one, place.two)
            .upper(place.upper, place.work)
            .at(place.target)
            .method(method)
            .request();
    if (method == MountMethod.CLASSIC) {
      int bytes = bytesOf(place.one, place.two, place.upper, place.work);
      lab.assertRefused(
          "method classic is not possible: the options take " + bytes + " bytes, a page holds 4095",
          () -> place.stacks.create(request));
      return;
    }
    place.stacks.create(request);

    place.stacks.up(web, false);

    place.assertShows(place.target);
    assertTrue(place.stacks.state(web) instanceof StackState.Up);
    lab.write(place.target.resolve("both"), "changed");
    assertEquals("changed", lab.read(place.upper.resolve("both")));
    place.stacks.down(web, false);
    assertEquals(new StackState.Down(), place.stacks.state(web));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void stacksMayHaveOddNames(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    Stacks other = lab.stacks(lab.sys, lab.root(), lab.path("none"));
    for (String text :
        List.of(
            "with space", "a:b", "a,b", "back\\slash", "\\040", "#", "'q'", "\"", "grün€", "=")) {
      StackName name = StackLab.name(text);
      OsPath merged = lab.stack(text, lower).method(method).up();
      assertEquals(name.mountSource(), lab.mountOn(merged).source());
      assertEquals(OsPath.of("ovl:" + text), name.mountSource());
      assertTrue(other.state(name) instanceof StackState.Up, text);
      lab.down(text);
      assertEquals(new StackState.Down(), other.state(name));
    }
    assertEquals(10, other.names().size());
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void linksAmongThePathsAreFollowed(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    OsPath upper = lab.directory("real/upper");
    OsPath work = lab.directory("real/work");
    OsPath target = lab.directory("real/target");
    lab.sys.symlinkat(lab.path("real"), Linux.AT_FDCWD, lab.path("by-link"));
    lab.sys.symlinkat(lower, Linux.AT_FDCWD, lab.path("lower-link"));
    OsPath link = lab.path("by-link");
    lab.stack("web", lab.path("lower-link"))
        .upper(link.resolve("upper"), link.resolve("work"))
        .at(link.resolve("target"))
        .method(method)
        .up();

    lab.write(target.resolve("new"), "n");
    assertEquals("1", lab.read(target.resolve("file")));
    assertEquals("n", lab.read(upper.resolve("new")));
    assertTrue(lab.exists(work));
    Stacks other = lab.stacks(lab.sys, lab.root(), lab.path("none"));
    assertTrue(other.state(StackLab.name("web")) instanceof StackState.Up);
    other.down(StackLab.name("web"), false);
    assertEquals(Optional.empty(), lab.state("web").mounted());
    assertEquals(List.of(), lab.mountsOn(target));
  }
}
