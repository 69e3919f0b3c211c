package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** File names of any bytes, from the command line to the kernel and back, whatever the locale. */
@ParameterizedClass
@EnumSource
class ByteNamesTest {
  /** A byte 0xXX that is no UTF-8 stands as U+DCXX, as in {@link OsPath}. */
  private static final List<String> NAMES =
      List.of(
          "stray\udcff\udc80",
          "\udcc3(",
          "new\nline",
          "two words ",
          "it's \"quoted\" `so`",
          "$(touch pwned)*?",
          "back\\slash",
          "colon:comma,equals=",
          "ünï\u20ac\ud83d\ude00",
          "tab\t\u0001\u007f",
          "-leading",
          "\u00e9".repeat(127) + "x");

  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  @Parameter private Host host;

  @BeforeEach
  void needs() {
    Requires.overlay();
  }

  /** The daemon has the command's locale. */
  private Ovlctl in(String locale) {
    return hosting.ovlctl(host, Ovlctl.of(scratch).with("LC_ALL", locale));
  }

  private OsPath mkdir(String name) throws ErrnoException {
    OsPath directory = scratch.resolve(name);
    new LinuxSyscalls().mkdirat(Linux.AT_FDCWD, directory, 0755);
    return directory;
  }

  private static Map<?, ?> inspect(Ovlctl ovlctl, String name) {
    return JsonText.objects(ovlctl.run("inspect", "--json", name).fine().json()).get(0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"C", "C.UTF-8"})
  void lowersOfAnyName(String locale) throws ErrnoException {
    Ovlctl ovlctl = in(locale);
    List<String> command = new ArrayList<>(List.of("create", "web"));
    List<String> expected = new ArrayList<>();
    StringBuilder listing = new StringBuilder();
    StringBuilder touch = new StringBuilder("touch --");
    for (int i = 0; i < NAMES.size(); i++) {
      OsPath lower = mkdir(NAMES.get(i));
      command.add("--lower=" + NAMES.get(i));
      expected.add(lower.toString());
      touch.append(' ').append(Ovlctl.quote(lower + "/" + (char) ('a' + i)));
      listing.append((char) ('a' + i)).append('\n');
    }
    ovlctl.shell(touch.toString()).fine();
    List<String> all = List.of("classic", "relative", "lowerdir+", "fd");
    // the locale is over before the method is chosen
    for (String method : locale.equals("C") ? all : List.of("auto")) {
      List<String> forced = new ArrayList<>(command);
      forced.addAll(List.of("--method", method, "--up"));
      String target = ovlctl.run(forced.toArray(String[]::new)).fine().out().strip();
      assertEquals(
          listing.toString(),
          ovlctl.shell("ls " + Ovlctl.quote(target)).fine().out(),
          method + " under " + locale);
      assertEquals(expected, inspect(ovlctl, "web").get("lower"));
      ovlctl.run("rm", "--force", "web").fine();
    }
    assertEquals("", ovlctl.shell("ls -d pwned 2>&-; true").out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"C", "C.UTF-8"})
  void upperAndTargetOfAnyName(String locale) throws ErrnoException {
    Ovlctl ovlctl = in(locale);
    OsPath lower = mkdir("low");
    for (String name : List.of("x\udcff\n'\\ :,", "-ü")) {
      OsPath upper = mkdir(name);
      OsPath work = mkdir(name + "w");
      OsPath target = mkdir(name + "t");
      Result create =
          ovlctl.run(
              "create",
              "web",
              "--lower",
              lower.toString(),
              "--upper=" + name,
              "--work=" + name + "w",
              "--at=" + name + "t");
      create.fine();
      assertEquals(
          target + "\n", ovlctl.run("up", "web").fine().out(), "to a pipe the bytes themselves");
      ovlctl.shell("touch " + Ovlctl.quote(target + "/\udcfe")).fine();
      assertEquals("\udcfe\n", ovlctl.shell("ls " + Ovlctl.quote(upper.toString())).fine().out());

      Result report = ovlctl.run("inspect", "--json", "web").fine();
      Map<?, ?> web = JsonText.objects(report.json()).get(0);
      assertEquals("up", web.get("state"));
      assertEquals(upper.toString(), web.get("upper"));
      assertEquals(work.toString(), web.get("work"));
      assertEquals(target.toString(), web.get("target"));
      assertEquals(name.contains("\udcff"), report.out().contains("\\udcff"), report::out);

      assertEquals(
          "web: up on " + target.quoted() + "\n", ovlctl.run("status", "web").fine().out());
      ovlctl.run("down", "web").fine();
      ovlctl.run("rm", "web").fine();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"C", "C.UTF-8"})
  void rootAndDirectoryOfAnyName(String locale) throws ErrnoException {
    OsPath here = mkdir("here\udcff \n'");
    new LinuxSyscalls().mkdirat(Linux.AT_FDCWD, here.resolve("low"), 0755);
    OsPath root = scratch.resolve("root\udcfe\n:,");
    Ovlctl like =
        Ovlctl.of(scratch).in(here).with("LC_ALL", locale).with("OVL_ROOT", root.toString());
    if (host == Host.IN_PROCESS) {
      // Java cannot reach a socket of such a name
      like = like.with("OVL_RUN", scratch.resolve("run\udcfd ").toString());
    }
    Ovlctl ovlctl = hosting.ovlctl(host, like);
    String target = ovlctl.run("create", "web", "--lower", "low", "--up").fine().out();
    assertTrue(target.startsWith(root + "/overlay2/"), target);
    assertEquals(List.of(here.resolve("low").toString()), inspect(ovlctl, "web").get("lower"));
    assertEquals("up", inspect(ovlctl.without("OVL_ROOT").in(scratch.path()), root).get("state"));
    ovlctl.run("down", "web").fine();
    ovlctl.run("rm", "web").fine();
    assertEquals(List.of(), World.mountsBeneath(List.of(scratch.path())));
  }

  private static Map<?, ?> inspect(Ovlctl ovlctl, OsPath root) {
    Result report = ovlctl.run("--root=" + root.fileName(), "inspect", "--json", "web").fine();
    return JsonText.objects(report.json()).get(0);
  }

  @Test
  void mountTakesNamesAsMount8Does() throws ErrnoException {
    Ovlctl ovlctl = in("C");
    mkdir("a:b,c\udcff");
    mkdir("\\");
    mkdir("-t\n");
    ovlctl.shell("cd a:b,c* && touch one").fine();
    ovlctl.run("mount", "-o", "lowerdir=a\\:b\\,c\udcff:\\\\", "--", "-t\n").fine();
    assertEquals("one\n", ovlctl.shell("ls ./-t*").fine().out());
    ovlctl.run("umount", "--", "-t\n").fine();
    assertEquals(List.of(), World.mountsBeneath(List.of(scratch.path())));
  }

  @Test
  void errorsQuoteNames() {
    Ovlctl ovlctl = in("C");
    assertEquals(
        "create web: lower does not exist: " + scratch.resolve("no\n\udcff").quoted() + " (ENOENT)",
        ovlctl.run("create", "web", "--lower", "no\n\udcff").failed(1));
    assertEquals(
        "up 'a'$'\\n''b': the name 'a'$'\\n''b' contains a control character",
        ovlctl.run("up", "a\nb").failed(2));
    assertTrue(ovlctl.run("up", "\udcff").failed(2).endsWith("is not UTF-8"));
  }

  @Test
  void aTerminalGetsQuotedNames() throws ErrnoException {
    Requires.program("script");
    Ovlctl ovlctl = in("C.UTF-8");
    mkdir("low");
    OsPath target = mkdir("t\udcff");
    ovlctl.run("create", "web", "--lower", "low", "--at", "t\udcff").fine();
    Result up = ovlctl.shell("script -qec '" + Ovlctl.program() + " up web' /dev/null").ended(0);
    assertEquals(target.quoted(), up.out().strip());
    assertTrue(up.out().contains("$'\\377'"), up::toString);
  }
}
