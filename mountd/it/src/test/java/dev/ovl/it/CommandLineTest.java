package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Every verb by its arguments, streams and exit status, by either host. */
@ParameterizedClass
@EnumSource
class CommandLineTest {
  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  @Parameter private Host host;
  private Ovlctl ovlctl;

  @BeforeEach
  void directories() {
    Requires.overlay();
    ovlctl = hosting.ovlctl(host);
    ovlctl
        .shell(
            """
            mkdir lower lower2 upper work merged &&
            echo low > lower/a && echo low > lower/b && echo low2 > lower2/c
            """)
        .fine();
  }

  private List<String> mounts() {
    return World.mountsBeneath(List.of(scratch.path()));
  }

  private Map<?, ?> inspect(String name) {
    return first(ovlctl.run("inspect", "--json", name));
  }

  /** The first of an array of reports. */
  private static Map<?, ?> first(Result reports) {
    return JsonText.objects(reports.fine().json()).get(0);
  }

  private void createWeb() {
    ovlctl
        .run(
            "create", "web", "--lower", "lower", "--upper", "upper", "--work", "work", "--at",
            "merged")
        .fine();
  }

  @Test
  void aStackLivesThroughItsVerbs() {
    assertEquals("", ovlctl.run("create", "web", "--lower", "lower").fine().out());
    assertEquals("web: down\n", ovlctl.run("status", "web").ended(3).out());

    String target = ovlctl.run("up", "web").fine().out().strip();
    assertEquals(1, mounts().size());
    assertTrue(mounts().get(0).contains(" " + target + " "), target);
    assertTrue(mounts().get(0).contains(" overlay ovl:web "), mounts()::toString);
    assertEquals("web: up on " + target + "\n", ovlctl.run("status", "web").fine().out());
    assertEquals(target, ovlctl.run("up", "web").fine().out().strip(), "up again");
    assertEquals(1, mounts().size());

    ovlctl.shell("echo new > " + target + "/n && rm " + target + "/a").fine();
    assertEquals("", ovlctl.run("down", "web").fine().out());
    assertEquals("", ovlctl.run("down", "web").fine().out(), "down again");
    assertEquals(List.of(), mounts());

    ovlctl.run("up", "web").fine();
    assertEquals("b\nn\n", ovlctl.shell("ls " + target).fine().out(), "what was written lasts");
    assertEquals(
        "rm web: is up on " + target + "; 'down' it before you remove it (EBUSY)",
        ovlctl.run("rm", "web").failed(1));
    ovlctl.run("rm", "--force", "web").fine();
    assertEquals(List.of(), mounts());
    assertEquals(
        "NAME  STATE  DRIVER  LOWERS  TARGET\n", ovlctl.run("ls").fine().out(), "nothing left");
    assertEquals("status web: no such stack (ENOENT)", ovlctl.run("status", "web").failed(4));
    assertEquals("a\nb\n", ovlctl.shell("ls lower").fine().out());
    assertEquals(
        "0\n",
        ovlctl.shell("ls root/overlay2/l root/stacks root/journal | grep -c '^[^.r]' ; true").out(),
        "no layer, link or definition stays");
  }

  @Test
  void anUpperOfTheUsersStays() {
    createWeb();
    assertEquals(scratch.resolve("merged") + "\n", ovlctl.run("up", "web").fine().out());
    ovlctl.shell("echo new > merged/a").fine();
    ovlctl.run("down", "web").fine();
    ovlctl.run("rm", "web").fine();
    assertEquals("new\n", ovlctl.shell("cat upper/a").fine().out());
    assertEquals("low\n", ovlctl.shell("cat lower/a").fine().out());
  }

  @Test
  void createMayMountAtOnceOrNotAtAll() {
    String target = ovlctl.run("create", "web", "--lower", "lower", "--up").fine().out().strip();
    assertTrue(mounts().get(0).contains(" " + target + " "), target);

    String line =
        ovlctl
            .run(
                "create",
                "two",
                "--lower",
                "lower",
                "--upper",
                "lower2",
                "--work",
                "work",
                "--up",
                "--at",
                "merged",
                "--method",
                "nonsense")
            .failed(2);
    assertTrue(line.startsWith("create two: "), line);
    assertEquals("status two: no such stack (ENOENT)", ovlctl.run("status", "two").failed(4));
  }

  @Test
  void aReadOnlyStackCannotBeWrittenTo() {
    ovlctl
        .run("create", "ro", "--lower", "lower", "--read-only", "--at", "merged", "--up")
        .ended(0);
    assertEquals("a\nb\n", ovlctl.shell("ls merged").fine().out());
    assertTrue(
        ovlctl.shell("LC_ALL=C touch merged/x").ended(1).err().contains("Read-only file system"));
    Map<?, ?> ro = inspect("ro");
    assertEquals(true, ro.get("readOnly"));
    assertEquals(null, ro.get("upper"));
  }

  @Test
  void setChangesAStackThatIsDown() {
    createWeb();
    ovlctl.run("set", "web", "--lower", "lower2", "--lower", "lower", "-o", "metacopy=on").fine();
    Map<?, ?> changed = inspect("web");
    assertEquals(
        List.of(scratch.resolve("lower2").toString(), scratch.resolve("lower").toString()),
        changed.get("lower"));
    assertTrue(((List<?>) changed.get("options")).contains("metacopy=on"));
    Map<?, ?> back = first(ovlctl.run("set", "--json", "web", "-o", ""));
    assertFalse(((List<?>) back.get("options")).contains("metacopy=on"));

    ovlctl.run("up", "web").fine();
    assertEquals("a\nb\nc\n", ovlctl.shell("ls merged").fine().out());
    assertEquals(
        "set web: is up on "
            + scratch.resolve("merged")
            + "; 'down' it before you change it (EBUSY)",
        ovlctl.run("set", "web", "--lower", "lower").failed(1));
  }

  @Test
  void cloneCopiesTheDefinitionAndNotTheChanges() {
    String target = ovlctl.run("create", "web", "--lower", "lower", "--up").fine().out().strip();
    ovlctl.shell("echo new > " + target + "/n").fine();
    ovlctl.run("clone", "web", "copy").fine();
    String second = ovlctl.run("up", "copy").fine().out().strip();
    assertFalse(second.equals(target));
    assertEquals("a\nb\n", ovlctl.shell("ls " + second).fine().out());
    assertEquals(
        "clone web: a stack of that name exists (EEXIST)",
        ovlctl.run("clone", "web", "copy").failed(1));
    createTwo();
    assertTrue(
        ovlctl.run("clone", "two", "three").failed(2).contains("give another by --at"),
        "a target cannot be shared");
  }

  private void createTwo() {
    ovlctl.run("create", "two", "--lower", "lower", "--at", "merged").fine();
  }

  @Test
  void ofSeveralNamesOneMayFail() {
    ovlctl.run("create", "one", "--lower", "lower").fine();
    createTwo();
    Result up = ovlctl.run("up", "one", "nosuch", "two").ended(1);
    assertEquals("up nosuch: no such stack (ENOENT)", up.errorLine());
    assertEquals(2, up.lines().size());
    assertEquals(2, mounts().size());

    Result inspect = ovlctl.run("inspect", "--json", "one", "nosuch", "two").ended(1);
    assertEquals("inspect nosuch: no such stack (ENOENT)", inspect.errorLine());
    assertEquals(2, JsonText.objects(inspect.json()).size());

    assertEquals(
        "down nosuch: no such stack (ENOENT)",
        ovlctl.run("down", "one", "nosuch", "two").ended(1).errorLine());
    assertEquals(List.of(), mounts());
    assertEquals(
        "rm nosuch: no such stack (ENOENT)",
        ovlctl.run("rm", "one", "nosuch", "two").ended(1).errorLine());
    assertEquals("[]", ovlctl.run("ls", "--json").fine().out().replaceAll("\\s", ""));
    // the worse of the two: a name that cannot be is a usage error
    assertEquals(2, ovlctl.run("up", "nosuch", "a/b").status());
  }

  @Test
  void allGoesByDependencies() {
    ovlctl.run("create", "a-top", "--lower", "merged/sub", "--read-only").ended(1);
    ovlctl.shell("mkdir lower/sub && echo deep > lower/sub/d").fine();
    ovlctl.run("create", "z-base", "--lower", "lower", "--at", "merged", "--up").ended(0);
    ovlctl.run("create", "a-top", "--lower", "merged/sub").fine();
    ovlctl.run("up", "a-top").fine();
    assertEquals(2, mounts().size());

    ovlctl.run("down", "--all").fine();
    assertEquals(List.of(), mounts());
    Result up = ovlctl.run("up", "--all").fine();
    assertEquals(scratch.resolve("merged").toString(), up.lines().get(0), "the base first");
    assertEquals("d\n", ovlctl.shell("ls " + up.lines().get(1)).fine().out());
    assertEquals(
        "down: names and --all exclude each other", ovlctl.run("down", "--all", "x").failed(2));
    assertEquals("up: a name is missing, or --all", ovlctl.run("up").failed(2));
  }

  @Test
  void downNamesWhoHoldsTheMount() {
    createWeb();
    ovlctl.run("up", "web").fine();
    Result down =
        ovlctl.shell(
            """
            (cd merged && exec sleep 60) & holder=$!
            until [ "$(readlink /proc/$holder/cwd)" = "$PWD/merged" ] &&
                [ "$(cat /proc/$holder/comm)" = sleep ]; do sleep 0.01; done
            ovlctl down web; status=$?
            ovlctl down --lazy web || status=99
            kill $holder
            echo $holder
            exit $status
            """);
    String pid = down.ended(1).out().strip();
    assertTrue(down.errorLine().startsWith("down web: "), down::toString);
    assertTrue(down.errorLine().contains(pid), down::toString);
    assertTrue(down.errorLine().contains("sleep"), down::toString);
    assertTrue(down.errorLine().endsWith("(EBUSY)"), down::toString);
    assertEquals(List.of(), mounts(), "--lazy detached it");
  }

  @Test
  void aMountUnmountedByHandIsDown() {
    createWeb();
    ovlctl.run("up", "web").fine();
    ovlctl.shell("umount merged").fine();
    assertEquals("web: down\n", ovlctl.run("status", "web").ended(3).out());
    ovlctl.run("down", "web").fine();
    ovlctl.run("up", "web").fine();
    ovlctl.shell("mount -t tmpfs cover merged").fine();
    String status = ovlctl.run("status", "web").fine().out();
    assertTrue(status.contains("covered by a mount of tmpfs (cover)"), status);
    assertTrue(ovlctl.run("ls").fine().out().contains("covered by"));
  }

  @Test
  void listsAndReportsAsJson() {
    createWeb();
    ovlctl.run("create", "alpha", "--lower", "lower2", "--lower", "lower").fine();
    ovlctl.run("up", "web").fine();

    List<Map<?, ?>> list = JsonText.objects(ovlctl.run("ls", "--json").fine().json());
    assertEquals(List.of("alpha", "web"), list.stream().map(stack -> stack.get("name")).toList());
    assertEquals(List.of("down", "up"), list.stream().map(stack -> stack.get("state")).toList());
    assertEquals(2L, list.get(0).get("lowers"));
    assertEquals("overlay2", list.get(1).get("driver"));

    Map<?, ?> web = inspect("web");
    for (String field :
        List.of(
            "name", "driver", "state", "target", "lower", "upper", "work", "options", "method",
            "nested", "mountId")) {
      assertTrue(web.containsKey(field), field);
    }
    assertEquals("web", web.get("name"));
    assertEquals("up", web.get("state"));
    assertEquals(scratch.resolve("merged").toString(), web.get("target"));
    assertEquals(List.of(scratch.resolve("lower").toString()), web.get("lower"));
    assertEquals(scratch.resolve("upper").toString(), web.get("upper"));
    assertEquals(scratch.resolve("work").toString(), web.get("work"));
    assertTrue(
        List.of("classic", "relative", "lowerdir+", "fd").contains(web.get("method")),
        web::toString);
    assertEquals(false, web.get("nested"));
    assertTrue(web.get("mountId") instanceof Long, web::toString);
    Map<?, ?> alpha = inspect("alpha");
    assertTrue(alpha.containsKey("mountId"), "null while it is down");
    assertEquals(null, alpha.get("mountId"));

    Map<?, ?> status = (Map<?, ?>) ovlctl.run("status", "--json", "alpha").ended(3).json();
    assertEquals("down", status.get("state"));
    List<Map<?, ?>> up = JsonText.objects(ovlctl.run("up", "--json", "alpha").fine().json());
    assertEquals("up", up.get(0).get("state"));
    assertTrue(ovlctl.run("info", "--json").ended(0).json() instanceof Map<?, ?>);
  }

  @Test
  void infoLeavesNothingBehind() {
    createWeb();
    World before = World.of(scratch);
    Result info = ovlctl.run("info").fine();
    assertTrue(info.out().contains("overlay2"), info::toString);
    before.assertUnchanged(World.of(scratch), "info");
  }

  @Test
  void everyMethodCanBeForced() {
    createWeb();
    for (String method : List.of("classic", "relative", "lowerdir+", "fd")) {
      Map<?, ?> set = first(ovlctl.run("set", "--json", "web", "--method", method));
      assertEquals(method, set.get("method"));
      assertEquals(true, set.get("methodForced"));
      Map<?, ?> up = first(ovlctl.run("up", "--json", "web"));
      assertEquals("up", up.get("state"), method);
      assertEquals(method, up.get("method"));
      assertEquals("a\nb\n", ovlctl.shell("ls merged").fine().out(), method);
      ovlctl.run("down", "web").fine();
    }
    Map<?, ?> auto = first(ovlctl.run("set", "--json", "web", "--method", "auto"));
    assertEquals(false, auto.get("methodForced"));
  }

  @Test
  void mountsWithoutAStack() {
    ovlctl.run("mount", "-o", "lowerdir=lower2:lower", "merged").fine();
    assertEquals("a\nb\nc\n", ovlctl.shell("ls merged").fine().out());
    ovlctl.run("umount", "merged").fine();
    assertEquals(
        "umount: " + scratch.resolve("merged") + " is not mounted (EINVAL)",
        ovlctl.run("umount", "merged").failed(1));

    ovlctl
        .run(
            "mount",
            "-o",
            "noatime,lowerdir=lower",
            "-o",
            "upperdir=upper,workdir=work,nofail",
            "merged")
        .fine();
    assertTrue(mounts().get(0).contains("noatime"), mounts()::toString);
    ovlctl.shell("echo new > merged/a && cat upper/a").fine();
    ovlctl.run("umount", "merged").fine();
    assertEquals(
        "mount: options lack lowerdir=", ovlctl.run("mount", "-o", "ro", "merged").failed(2));
  }

  @Test
  void aDryRunChangesNothing() {
    createWeb();
    World before = World.of(scratch);
    List<List<String>> commands =
        List.of(
            List.of("create", "new", "--lower", "lower", "--up"),
            List.of("set", "web", "--lower", "lower2"),
            List.of(
                "clone", "web", "new", "--at", "default", "--upper", "lower2", "--work", "merged"),
            List.of("up", "web"),
            List.of("up", "--all"),
            List.of("down", "web"),
            List.of("rm", "web"),
            List.of("mount", "-o", "lowerdir=lower", "merged"));
    for (List<String> command : commands) {
      Result result =
          ovlctl.in(scratch.path()).shell("ovlctl --dry-run " + String.join(" ", command));
      result.ended(0);
      assertEquals("", result.out(), command::toString);
      result.errorLine();
      before.assertUnchanged(World.of(scratch), "--dry-run " + command);
    }
    ovlctl.run("up", "web").fine();
    World up = World.of(scratch);
    ovlctl.run("--dry-run", "down", "web").ended(0).errorLine();
    ovlctl.run("--dry-run", "umount", "merged").ended(0).errorLine();
    up.assertUnchanged(World.of(scratch), "--dry-run down");
    assertEquals(
        "status nosuch: no such stack (ENOENT)",
        ovlctl.run("--dry-run", "status", "nosuch").failed(4));
  }

  @Test
  void aDryRunChecksAsTheRealRunDoes() {
    createWeb();
    assertEquals(
        "create web: a stack of that name exists (EEXIST)",
        ovlctl.run("--dry-run", "create", "web", "--lower", "lower").failed(1));
    assertTrue(
        ovlctl
            .run(
                "--dry-run",
                "create",
                "x",
                "--lower",
                "lower",
                "--upper",
                "upper",
                "--work",
                "work")
            .failed(1)
            .contains("belongs to stack web"));
  }

  @Test
  void quietSilencesNotesAndNotErrors() {
    createWeb();
    assertEquals("", ovlctl.run("--quiet", "--dry-run", "up", "web").fine().out());
    assertEquals("up nosuch: no such stack (ENOENT)", ovlctl.run("-q", "up", "nosuch").failed(1));
    assertEquals(scratch.resolve("merged") + "\n", ovlctl.run("up", "-q", "web").fine().out());
  }

  @Test
  void pathsAreRelativeToTheDirectory() {
    Ovlctl inside = ovlctl.in(scratch.resolve("lower2"));
    inside.run("create", "web", "--lower", "../lower", "--at", ".././merged/").fine();
    ovlctl.run("up", "web").fine();
    assertEquals("a\nb\n", ovlctl.shell("ls merged").fine().out());

    ovlctl.without("OVL_ROOT").run("--root", "root", "down", "web").fine();
    assertEquals(List.of(), mounts());
    assertEquals(
        "web: down\n", ovlctl.with("OVL_ROOT", "root").run("status", "web").ended(3).out());
  }

  @Test
  void aStackOfManyLowersIsNested() {
    StringBuilder script = new StringBuilder("mkdir -p many/{1..501} && touch many/501/deepest\n");
    script.append("ovlctl create many --at merged $(printf -- '--lower many/%s ' {1..501})\n");
    ovlctl.shell(script.toString()).fine();
    assertEquals(true, inspect("many").get("nested"));
    ovlctl.run("up", "many").fine();
    assertEquals("deepest\n", ovlctl.shell("ls merged").fine().out());
    ovlctl.run("rm", "--force", "many").fine();
    assertEquals(List.of(), mounts());
  }

  @Test
  void twoAtOnceBothSucceed() {
    Result both =
        ovlctl.shell(
            """
            ovlctl create web --lower lower || exit 1
            pids=
            for i in 1 2 3; do ovlctl up web & pids="$pids $!"; done
            for pid in $pids; do wait $pid || exit 1; done
            """);
    both.fine();
    assertEquals(1, both.lines().stream().distinct().count(), both::toString);
    assertEquals(1, mounts().size());
  }
}
