package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.run.CommandException;
import dev.ovl.engine.run.RunRequest;
import dev.ovl.engine.run.Volume;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.FaultInjector;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Trees;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Commands in stacks. They write into their stack, since standard output is not the tests' own. */
@Tag("kernel")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StackRunTest {
  private static final int MANY = 2000;
  private static final int SHOWN = 20;

  @RegisterExtension final StackLab lab = new StackLab();
  private final List<String> notes = new ArrayList<>();
  private OsPath base;

  @BeforeAll
  static void needs() {
    Requires.overlay();
    Requires.program("busybox");
  }

  @BeforeEach
  void base() throws Exception {
    base =
        lab.layer(
            "base",
            "a=1",
            "etc/passwd=root:x:0:0::/root:/bin/sh\nweb:x:1000:1001::/home/web:/bin/sh\n",
            "etc/group=web:x:1001:\nshared:x:1002:other,web\n");
    for (String directory : List.of("bin", "proc", "sys", "dev", "tmp")) {
      lab.directory(base.resolve(directory));
    }
    Files.copy(Path.of("/bin/busybox"), Path.of(base.resolve("bin/busybox").toString()));
    for (String applet : List.of("sh", "cat", "echo", "id", "ls", "sleep", "touch")) {
      lab.sys.symlinkat(OsPath.of("busybox"), Linux.AT_FDCWD, base.resolve("bin").resolve(applet));
    }
  }

  private static RunRequest shell(String script) {
    return request("/bin/sh", "-c", script);
  }

  private static RunRequest request(String... command) {
    return with(List.of(command), Optional.empty(), List.of());
  }

  private static RunRequest with(
      List<String> command, Optional<String> user, List<Volume> volumes) {
    return new RunRequest(
        command.stream().map(OsPath::of).toList(),
        List.of(),
        OsPath.ROOT,
        user,
        volumes,
        false,
        false,
        false);
  }

  private int run(RunRequest request) throws Exception {
    return lab.stacks().run(StackLab.name("web"), request, false, false, notes::add);
  }

  private void assertNothingMounted() throws ErrnoException {
    assertEquals(List.of(), lab.mountLines().stream().filter(l -> l.contains("ovl:")).toList());
  }

  // ---- where it runs ------------------------------------------------------------------------

  @Test
  void oneThatIsDownIsMountedForTheCommandAlone() throws Exception {
    lab.stack("web", base).create();
    assertEquals(7, run(shell("echo new > /x; cat /a >> /x; rm /a; exit 7")));
    lab.assertDown("web");
    assertNothingMounted();
    OsPath upper = lab.upperOf("web");
    assertEquals("new\n1", lab.read(upper.resolve("x")));
    assertEquals(0, run(shell("[ ! -e /a ] && [ -e /x ]")));
    assertEquals(List.of(), notes);
  }

  @Test
  void oneThatIsUpIsShared() throws Exception {
    OsPath merged = lab.stack("web", base).up();
    lab.write(merged.resolve("here"), "h");
    assertEquals(0, run(shell("cat /here > /there")));
    assertEquals("h", lab.read(merged.resolve("there")));
    lab.assertUp("web");
    lab.down("web");
  }

  @Test
  void aReadOnlyOneCannotBeWrittenTo() throws Exception {
    lab.stack("web", base).readOnly().create();
    assertEquals(0, run(shell("[ -e /a ] && ! touch /x 2>/dev/null")));
  }

  @Test
  void manyLowersAreFoldedAsByUp() throws Exception {
    List<OsPath> layers = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      layers.add(lab.layer("many" + i, "f" + i + "=x"));
    }
    layers.add(base);
    lab.stack("web", layers).folding(lab.methods().getLast()).create();
    assertEquals(0, run(shell("[ -e /f0 ] && [ -e /f599 ] && [ -e /a ]")));
    assertNothingMounted();
  }

  @Test
  void aThrowAwayUpperIsThrownAway() throws Exception {
    OsPath merged = lab.stack("web", base).up();
    lab.write(merged.resolve("kept"), "k");
    Trees.Snapshot before = Trees.snapshot(lab.root());
    assertEquals(
        4,
        lab.stacks()
            .run(
                StackLab.name("web"),
                shell("[ -e /a ] && [ ! -e /kept ] && touch /gone && exit 4"),
                true,
                false,
                notes::add));
    Trees.assertSame(before, Trees.snapshot(lab.root()));
    assertEquals(List.of(StackLab.name("web")), List.copyOf(lab.stacks().names()));
    lab.down("web");
  }

  @Test
  void meanwhileOthersAreToldWhoHasIt() throws Exception {
    lab.stack("web", base).create();
    OsPath signs = lab.directory("signs");
    RunRequest waits =
        with(
            List.of(
                "/bin/sh", "-c", "touch /mnt/begun; while [ ! -e /mnt/end ]; do sleep 0.05; done"),
            Optional.empty(),
            List.of(new Volume(signs, OsPath.of("/mnt"), false)));
    CompletableFuture<Integer> running =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return run(waits);
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            });
    StackLab.await("the command", () -> lab.exists(signs.resolve("begun")));
    for (EngineException e :
        List.of(
            lab.refusal(() -> lab.up("web")),
            lab.refusal(() -> run(shell("true"))),
            lab.refusal(() -> lab.remove("web")))) {
      assertEquals(Optional.of(Errno.EBUSY), e.errno());
      assertTrue(e.getMessage().contains("(ovl-init)"), e.getMessage());
    }
    lab.write(signs.resolve("end"), "");
    assertEquals(0, running.get(20, TimeUnit.SECONDS));
    lab.up("web");
    lab.down("web");
  }

  // ---- what it is given ---------------------------------------------------------------------

  @Test
  void usersAreThoseOfTheStack() throws Exception {
    lab.stack("web", base).create();
    lab.up("web");
    OsPath merged = lab.report("web").target();
    lab.sys.fchmodat(Linux.AT_FDCWD, merged.resolve("tmp"), 0777);
    assertEquals(
        "uid=1000(web) gid=1001(web) groups=1002(shared)\n/home/web\n",
        said(merged, Optional.of("web")));
    assertEquals(
        "uid=1000(web) gid=1001(web) groups=1002(shared)\n/home/web\n",
        said(merged, Optional.of("1000")));
    assertEquals(
        "uid=1000(web) gid=1002(shared)\n/home/web\n", said(merged, Optional.of("web:shared")));
    assertEquals("uid=77 gid=0(root)\n/\n".replace("(root)", ""), said(merged, Optional.of("77")));
    assertEquals("uid=0(root) gid=0\n/root\n", said(merged, Optional.empty()));
    EngineException e =
        lab.refusal(() -> run(with(List.of("id"), Optional.of("nobody"), List.of())));
    assertEquals("there is no user nobody in it", e.getMessage());
    lab.down("web");
  }

  private String said(OsPath merged, Optional<String> user) throws Exception {
    List<String> command =
        List.of("/bin/sh", "-c", "rm -f /tmp/o; { id; echo $HOME; } > /tmp/o; rm -f /tmp/none");
    assertEquals(0, run(with(command, user, List.of())));
    String text = lab.read(merged.resolve("tmp/o"));
    lab.unlink(merged.resolve("tmp/o"));
    return text;
  }

  @Test
  void volumesAreOfTheHost() throws Exception {
    lab.stack("web", base).create();
    OsPath data = lab.layer("data", "file=of the host");
    Volume volume = new Volume(data, OsPath.of("/srv"), false);
    List<String> command = List.of("/bin/sh", "-c", "cat /srv/file > /srv/copy");
    assertEquals(0, run(with(command, Optional.empty(), List.of(volume))));
    assertEquals("of the host", lab.read(data.resolve("copy")));
    Volume missing = new Volume(lab.path("none"), OsPath.of("/srv"), false);
    lab.assertRefused(
        "there is no " + lab.path("none") + " to mount (ENOENT)",
        () -> run(with(command, Optional.empty(), List.of(missing))));
  }

  @Test
  void whatIsMissingIsToldAndNotMade() throws Exception {
    lab.sys.unlinkat(Linux.AT_FDCWD, base.resolve("proc"), Linux.AT_REMOVEDIR);
    lab.stack("web", base).create();
    assertEquals(0, run(shell("true")));
    assertEquals(List.of("there is no directory /proc to mount it on"), notes);
    assertFalse(lab.exists(lab.upperOf("web").resolve("proc")));
  }

  @Test
  void aCommandThatIsNotThereIsAFailure() throws Exception {
    lab.stack("web", base).create();
    CommandException e = assertThrows(CommandException.class, () -> run(request("nosuch")));
    assertEquals("cannot execute nosuch: No such file or directory (ENOENT)", e.getMessage());
    assertEquals(127, e.status());
    lab.assertDown("web");
    assertNothingMounted();
  }

  // ---- failures -----------------------------------------------------------------------------

  @Test
  void eachCallFails() throws Exception {
    lab.stack("web", base).create();
    eachCallFails(false);
  }

  @Test
  @Tag("slow")
  void eachCallFailsWithAThrowAwayUpper() throws Exception {
    lab.stack("web", base).create();
    eachCallFails(true);
  }

  private void eachCallFails(boolean throwAway) throws Exception {
    // the first mount marks the upper
    assertEquals(0, run(shell("true")));
    List<String> failures = new ArrayList<>();
    Trees.Snapshot before = Trees.snapshot(lab.root());
    boolean struck = true;
    int n = 1;
    for (; struck && n < MANY; n++) {
      Leaks leaks = Leaks.beneath(lab.root());
      FaultInjector sys = new FaultInjector(new LinuxSyscalls()).failAt(n, Errno.EIO);
      String outcome = outcome(sys, throwAway);
      struck = sys.struck().isPresent();
      try (Stacks stacks = lab.stacks(lab.sys, lab.root(), lab.run())) {
        stacks.recover();
        assertEquals(List.of(), leaks.extra());
        assertNothingMounted();
        Trees.assertSame(before, Trees.snapshot(lab.root()));
      } catch (AssertionError e) {
        failures.add(sys.struck() + ", " + outcome + ": " + e.getMessage());
      }
    }
    assertTrue(n < MANY, "no end of calls");
    if (!failures.isEmpty()) {
      fail(String.join("\n", failures.subList(0, Math.min(SHOWN, failures.size()))));
    }
  }

  private String outcome(Syscalls sys, boolean throwAway) throws Exception {
    try (Stacks stacks = lab.stacks(sys, lab.root(), lab.run())) {
      int status = stacks.run(StackLab.name("web"), shell("exit 6"), throwAway, false, note -> {});
      assertEquals(6, status);
      return "success";
    } catch (EngineException | ErrnoException | CommandException e) {
      return "failure " + e.getMessage();
    }
  }
}
