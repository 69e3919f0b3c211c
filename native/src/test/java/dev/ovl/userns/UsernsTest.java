package dev.ovl.userns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class UsernsTest {
  private static final int NOT_STARTED = 125;
  private static final int NOT_EXECUTABLE = 126;
  private static final int NOT_FOUND = 127;
  private static final String EPERM_OF_UNSHARE = "inject=unshare:error=EPERM";

  @RegisterExtension final Scratch scratch = Scratch.directory();
  private OrdinaryUser user;

  @BeforeAll
  static void needs() {
    Requires.root();
    Requires.program("setpriv");
    Requires.that(
        "user namespaces",
        Files.exists(Path.of("/proc/self/ns/user")) ? Optional.empty() : Optional.of("none"));
  }

  @BeforeEach
  void user() throws Exception {
    user = OrdinaryUser.in(scratch.path());
  }

  private static String java(String namespace, String arguments, int uid) {
    return "-Dovl.namespace="
        + namespace
        + " -cp x dev.ovl.cli.Main"
        + arguments
        + "\n"
        + uid
        + "\n";
  }

  // ---- a namespace of one's own -----------------------------------------------------------------

  @Test
  void anOrdinaryUserIsRootOfAnotherNamespace() throws Exception {
    assertEquals(java("own", " ls a  b".replace("  ", " "), 0), user.run("ls", "a", "b").fine());
    user.script("java", "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups");
    String map = String.format("%10d %10d %10d\n", 0, OrdinaryUser.UID, 1);
    assertEquals(map + map + "deny\n", user.run("ls").fine());
  }

  @Test
  void itsMountsAreItsOwnAndTheHostsAreSeen() throws Exception {
    user.script("java", "readlink /proc/self/ns/mnt; grep -c shared: /proc/self/mountinfo");
    String[] said = user.run("ls").out().split("\n");
    assertNotEquals(Files.readSymbolicLink(Path.of("/proc/self/ns/mnt")).toString(), said[0]);
    assertEquals("0", said[1]);
    user.script("java", "mount -t tmpfs none /srv && touch /srv/seen && ls /srv");
    assertEquals("seen\n", user.run("ls").fine());
    assertTrue(Files.notExists(Path.of("/srv/seen")));
  }

  @Test
  void nothingIsLeftOpen() throws Exception {
    user.script("java", "exec ls /proc/self/fd");
    String without =
        OrdinaryUser.end(user.execute(List.of(), List.of(user.resolve("bin/java").toString())))
            .fine();
    assertEquals(without, user.run("ls").fine());
  }

  @Test
  void rootGoesOnAsItIs() throws Exception {
    assertEquals("-cp x dev.ovl.cli.Main ls\n0\n", user.as(0).run("ls").fine());
    user.script("java", "readlink /proc/self/ns/mnt");
    assertEquals(
        Files.readSymbolicLink(Path.of("/proc/self/ns/mnt")) + "\n", user.as(0).run("ls").fine());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mv a b",
        "--root x mv a b",
        "--root=x --json --color never mv",
        "-q --host none mv",
        "mount.ovl a b",
        "fsck.overlay"
      })
  void someVerbsStayOutside(String line) throws Exception {
    assertEquals(java("outside", " " + line, OrdinaryUser.UID), user.run(line.split(" ")).fine());
  }

  @ParameterizedTest
  @ValueSource(strings = {"ls mv", "--root mv ls", "--run=mv x", "-- mv", "mv2"})
  void othersDoNot(String line) throws Exception {
    assertEquals(java("own", " " + line, 0), user.run(line.split(" ")).fine());
  }

  @Test
  void whatCannotBeExecutedIsTold() throws Exception {
    Files.delete(user.resolve("bin/java"));
    OrdinaryUser.Result result = user.run("ls");
    assertEquals(NOT_FOUND, result.status(), result::toString);
    assertTrue(result.err().startsWith("ovl-userns: cannot execute "), result::toString);
    Files.createDirectory(user.resolve("bin/java"));
    assertEquals(NOT_EXECUTABLE, user.run("ls").status());
  }

  // ---- why there is none ------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({
    "kernel/unprivileged_userns_clone, 0, EPERM, kernel.unprivileged_userns_clone is 0",
    "kernel/unprivileged_userns_clone, 1, EPERM, unshare: Operation not permitted",
    "kernel/apparmor_restrict_unprivileged_userns, 1, EACCES, 'AppArmor restricts user namespaces to"
        + " programs with a profile (kernel.apparmor_restrict_unprivileged_userns is 1)'",
    "kernel/apparmor_restrict_unprivileged_userns, 0, EACCES, unshare: Permission denied",
    "user/max_user_namespaces, 0, ENOSPC, user.max_user_namespaces is 0",
    "user/max_user_namespaces, 9, ENOSPC, 'there are as many user namespaces as"
        + " user.max_user_namespaces allows, or this one is too deep in others (ENOSPC)'",
    "user/max_user_namespaces, 9, EINVAL, this kernel has none (CONFIG_USER_NS)"
  })
  void theReasonIsTold(String file, String value, String errno, String reason) throws Exception {
    Requires.program("strace");
    user.file("sysctls/" + file, value + "\n");
    List<String> strace =
        List.of(
            "strace", "-qqq", "-o", "/dev/null", "-e", "inject=unshare:error=" + errno + ":when=1");
    OrdinaryUser.Result result = OrdinaryUser.end(user.start(strace, "ls"));
    assertEquals(java("none " + reason, " ls", OrdinaryUser.UID), result.fine());
  }

  /** Goes on as root of a user namespace that has all ids, and in which there can be no other. */
  private static final String NESTED =
      """
      import ctypes, os, sys
      parent, (waits, done) = os.getpid(), os.pipe()
      (begin, unshared) = os.pipe()
      if os.fork() == 0:
          os.read(begin, 1)
          for kind in ('uid', 'gid'):
              open(f'/proc/{parent}/{kind}_map', 'w').write('0 0 4294967295')
          os.write(done, b'x')
          os._exit(0)
      if ctypes.CDLL(None).unshare(0x10000000):
          sys.exit('unshare')
      os.write(unshared, b'x')
      os.read(waits, 1)
      os.wait()
      open('/proc/sys/user/max_user_namespaces', 'w').write('0')
      os.execvp(sys.argv[1], sys.argv[1:])
      """;

  @Test
  void aLimitOfTheKernelsIsMet() throws Exception {
    Requires.program("python3");
    user.file("sysctls/user/max_user_namespaces", "0\n");
    user.file("nested.py", NESTED);
    OrdinaryUser.Result result = user.by("python3", "nested.py").run("ls");
    assertEquals(
        java("none user.max_user_namespaces is 0", " ls", OrdinaryUser.UID), result.fine());
  }

  @Test
  void appArmorMayAllowTheNamespaceAndNothingInIt() throws Exception {
    Requires.program("strace");
    user.file("sysctls/kernel/apparmor_restrict_unprivileged_userns", "1");
    List<String> strace =
        List.of("strace", "-qqq", "-o", "/dev/null", "-e", "inject=mount:error=EACCES");
    OrdinaryUser.Result result = OrdinaryUser.end(user.start(strace, "ls"));
    assertTrue(result.out().startsWith("-Dovl.namespace=none AppArmor"), result::toString);
  }

  // ---- ranges of ids ----------------------------------------------------------------------------

  private void ranges(String users, String groups) throws Exception {
    user.file("subids/subuid", users);
    user.file("subids/subgid", groups);
  }

  @Test
  void theRangesAreGivenToTheProgramsThatMayMapThem() throws Exception {
    String uid = String.valueOf(OrdinaryUser.UID);
    ranges(
        "# none\nroot:1:2\n%s:100000:65536\nnot a line\n%s:x:1\n%s:7:0\n%s:300000:10\n"
            .formatted(uid, uid, uid, uid),
        uid + ":200000:65536\n");
    for (String kind : List.of("u", "g")) {
      user.script(
          "new" + kind + "idmap",
          "[ $1 = $(grep PPid /proc/$$/status | cut -f2) ] && shift && echo \"$@\" > mapped-"
              + kind);
    }
    user.run("ls");
    assertEquals(
        "0 " + uid + " 1 1 100000 65536 65537 300000 10\n",
        Files.readString(user.resolve("mapped-u")));
    assertEquals("0 " + uid + " 1 1 200000 65536\n", Files.readString(user.resolve("mapped-g")));
  }

  @Test
  void withoutBothProgramsOrBothRangesTheOwnIdIsAll() throws Exception {
    String range = OrdinaryUser.UID + ":100000:65536\n";
    ranges(range, "");
    user.script("newuidmap", "touch called");
    user.script("newgidmap", "touch called");
    assertEquals(java("own", " ls", 0), user.run("ls").fine());
    ranges(range, range);
    user.with("PATH", user.resolve("bin").toString());
    Files.delete(user.resolve("bin/newgidmap"));
    user.script("java", "echo here");
    assertEquals("here\n", user.run("ls").fine());
    assertTrue(Files.notExists(user.resolve("called")));
  }

  @Test
  void whatTheySayOfAFailureIsTold() throws Exception {
    String range = OrdinaryUser.UID + ":100000:65536\n";
    ranges(range, range);
    user.script("newuidmap", "exit 0");
    user.script("newgidmap", "echo 'no such range' >&2; echo more; exit 1");
    user.script("java", "echo \"$1\"");
    assertEquals("-Dovl.namespace=none newgidmap failed: no such range\n", user.run("ls").fine());
    user.script("newgidmap", "kill -KILL $$");
    assertEquals("-Dovl.namespace=none newgidmap failed\n", user.run("ls").fine());
    // more than is read
    user.script("newuidmap", "yes | head -c 100000; exit 1");
    assertEquals("-Dovl.namespace=none newuidmap failed: y\n", user.run("ls").fine());
  }

  @Test
  void neitherIsCalledWhereThereIsNoNamespace() throws Exception {
    Requires.program("strace");
    String range = OrdinaryUser.UID + ":100000:65536\n";
    ranges(range, range);
    user.script("newuidmap", "touch called");
    user.script("newgidmap", "touch called");
    List<String> strace = List.of("strace", "-qqq", "-o", "/dev/null", "-e", EPERM_OF_UNSHARE);
    OrdinaryUser.Result result = OrdinaryUser.end(user.start(strace, "ls"));
    assertEquals(
        java("none unshare: Operation not permitted", " ls", OrdinaryUser.UID), result.fine());
    assertTrue(Files.notExists(user.resolve("called")));
  }

  /** By the real programs, which read the real files: others are mounted on those. */
  @Test
  void theSystemsProgramsMapThem() throws Exception {
    Requires.program("newuidmap");
    int nobody = 65534;
    ranges(nobody + ":100000:65536\n", nobody + ":200000:10\n");
    Files.setAttribute(user.resolve("."), "unix:uid", nobody);
    user.script("java", "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups");
    String mounts =
        "mount --bind subids/subuid /etc/subuid && mount --bind subids/subgid /etc/subgid";
    for (String each : List.of("/etc/subuid", "/etc/subgid")) {
      Requires.that(
          each, Files.exists(Path.of(each)) ? Optional.empty() : Optional.of("not there"));
    }
    user.as(nobody).by("unshare", "--mount", "sh", "-c", mounts + "; exec \"$@\"", "sh");
    String own = String.format("%10d %10d %10d\n", 0, nobody, 1);
    assertEquals(
        own
            + String.format("%10d %10d %10d\n", 1, 100000, 65536)
            + own
            + String.format("%10d %10d %10d\n", 1, 200000, 10)
            + "allow\n",
        user.run("ls").fine());
  }

  // ---- the daemon's -----------------------------------------------------------------------------

  /** Listens at a path, says so, and lives until its input ends; each connection stays open. */
  private static final String LISTENER =
      """
      import os, select, socket, sys
      listening = socket.socket(socket.AF_UNIX)
      listening.bind(sys.argv[1])
      listening.listen()
      os.chmod(sys.argv[1], 0o666)
      print(os.readlink('/proc/self/ns/mnt'), flush=True)
      kept = []
      while True:
          ready = select.select([listening, 0], [], [])[0]
          if 0 in ready:
              break
          kept.append(listening.accept())
      """;

  private Process listener(boolean inside, Path socket) throws Exception {
    Requires.program("python3");
    Files.createDirectories(socket.getParent());
    Files.setAttribute(socket.getParent(), "unix:uid", OrdinaryUser.UID);
    user.file("listen.py", LISTENER);
    String listen = "exec python3 listen.py " + socket;
    user.script("java", listen);
    return inside
        ? user.start(List.of(), "ls")
        : user.execute(List.of(), List.of("sh", "-c", listen));
  }

  /** What it says, which is its mount namespace. */
  private static String line(Process process) throws Exception {
    return process.inputReader().readLine();
  }

  private static void end(Process process) throws Exception {
    process.getOutputStream().close();
    process.waitFor();
  }

  @Test
  void theDaemonsNamespaceIsEnteredWhileItListens() throws Exception {
    user.with("XDG_RUNTIME_DIR", user.resolve("rt").toString());
    Process daemon = listener(true, user.resolve("rt/ovl/mountd.sock"));
    try {
      String namespace = line(daemon);
      user.script("java", "echo $1; readlink /proc/self/ns/mnt; pwd; id -u; exec ls /proc/self/fd");
      String expected =
          "-Dovl.namespace=daemon\n" + namespace + "\n" + user.resolve("") + "\n0\n0\n1\n2\n3\n";
      assertEquals(expected.replace("/\n", "\n"), user.run("ls").fine());
      String elsewhere = "--run=" + user.resolve("elsewhere");
      assertTrue(user.run("ls", elsewhere).fine().startsWith("-Dovl.namespace=own\n"));
      assertEquals(
          "-Dovl.namespace=daemon",
          user.run("--host", "unix://" + user.resolve("rt/ovl/mountd.sock"), "ls")
              .fine()
              .lines()
              .findFirst()
              .orElseThrow());
    } finally {
      end(daemon);
    }
    assertTrue(user.run("ls").fine().startsWith("-Dovl.namespace=own\n"));
  }

  @ParameterizedTest
  @CsvSource({
    "OVL_RUN, run, run/mountd.sock",
    "XDG_RUNTIME_DIR, rt, rt/ovl/mountd.sock",
    "XDG_DATA_HOME, data, data/ovl/run/mountd.sock",
    "XDG_DATA_HOME, '', .local/share/ovl/run/mountd.sock"
  })
  void itIsLookedForWhereItListens(String variable, String place, String socket) throws Exception {
    user.with(variable, place.isEmpty() ? "relative" : user.resolve(place).toString());
    Process daemon = listener(true, user.resolve(socket));
    try {
      line(daemon);
      user.script("java", "echo $1");
      assertEquals("-Dovl.namespace=daemon\n", user.run("ls").fine());
    } finally {
      end(daemon);
    }
  }

  @Test
  void aDirectoryThatTheDaemonDoesNotSeeIsTold() throws Exception {
    Path socket = user.resolve("rt/ovl/mountd.sock");
    user.with("XDG_RUNTIME_DIR", user.resolve("rt").toString());
    Process daemon = listener(true, socket);
    try {
      line(daemon);
      user.script("java", "echo $1; id -u");
      String mount =
          "mount -t tmpfs none /mnt && mkdir /mnt/here && chmod 755 /mnt && cd /mnt/here";
      user.by("unshare", "--mount", "sh", "-c", mount + "; exec \"$@\"", "sh");
      assertEquals(
          "-Dovl.namespace=none the daemon's namespace has no /mnt/here: No such file or directory\n"
              + OrdinaryUser.UID
              + "\n",
          user.run("ls").fine());
    } finally {
      end(daemon);
    }
  }

  @Test
  void whoHasEnteredItAlreadyTellsJavaAloneSo() throws Exception {
    user.script("java", "echo $1 ${OVL_NAMESPACE-unset}");
    for (String told : List.of("daemon unset", "held held")) {
      String namespace = told.substring(0, told.indexOf(' '));
      user.as(0).with("OVL_NAMESPACE", namespace);
      assertEquals("-Dovl.namespace=" + told + "\n", user.run("ls").fine());
    }
    // outside of it nobody is believed
    user.as(OrdinaryUser.UID).with("OVL_NAMESPACE", "daemon");
    assertEquals("-Dovl.namespace=own unset\n", user.run("ls").fine());
  }

  @Test
  void whoIsInTheDaemonsUserNamespaceAlreadyMakesAnother() throws Exception {
    user.with("XDG_RUNTIME_DIR", user.resolve("rt").toString());
    Process daemon = listener(false, user.resolve("rt/ovl/mountd.sock"));
    try {
      line(daemon);
      user.script("java", "echo $1");
      assertEquals("-Dovl.namespace=own\n", user.run("ls").fine());
    } finally {
      end(daemon);
    }
  }

  @Test
  void anotherUsersDaemonIsAskedFromOutside() throws Exception {
    user.with("XDG_RUNTIME_DIR", user.resolve("rt").toString());
    Process daemon = listener(false, user.as(0).resolve("rt/ovl/mountd.sock"));
    try {
      line(daemon);
      user.script("java", "echo $1; id -u");
      assertEquals(
          "-Dovl.namespace=outside\n" + OrdinaryUser.UID + "\n",
          user.as(OrdinaryUser.UID).run("ls").fine());
      OrdinaryUser.Result unshare = user.run("unshare", "true");
      assertEquals(NOT_STARTED, unshare.status());
      assertEquals(
          "ovlctl: unshare: there is no user namespace to work in: the daemon is another user's\n",
          unshare.err());
    } finally {
      end(daemon);
    }
  }

  @Test
  void aSocketThatNobodyListensAtIsNone() throws Exception {
    user.with("OVL_RUN", user.resolve("rt").toString());
    Process daemon = listener(true, user.resolve("rt/mountd.sock"));
    line(daemon);
    end(daemon);
    assertTrue(Files.exists(user.resolve("rt/mountd.sock")));
    user.script("java", "echo $1");
    assertEquals("-Dovl.namespace=own\n", user.run("ls").fine());
  }

  @Test
  void aDaemonNeverEntersAnothersNamespace() throws Exception {
    user.with("OVL_RUN", user.resolve("rt").toString());
    Process daemon = listener(true, user.resolve("rt/mountd.sock"));
    try {
      line(daemon);
      user.script("java", "echo $1");
      List<String> words =
          List.of(
              user.resolve("bin/ovl-userns").toString(),
              user.resolve("bin/java").toString(),
              "dev.ovl.server.Main");
      assertEquals(
          "-Dovl.namespace=own\n", OrdinaryUser.end(user.execute(List.of(), words)).fine());
    } finally {
      end(daemon);
    }
  }

  // ---- unshare ----------------------------------------------------------------------------------

  @Test
  void unshareExecutesTheCommandItself() throws Exception {
    Files.delete(user.resolve("bin/java"));
    assertEquals("0\n", user.run("unshare", "id", "-u").fine());
    assertEquals("0\n", user.run("--root", "x", "unshare", "--", "id", "-u").fine());
    assertEquals("a b\n--help\n", user.run("unshare", "printf", "%s\n", "a b", "--help").fine());
    assertEquals(7, user.run("unshare", "sh", "-c", "exit 7").status());
    assertEquals(
        user.resolve("r") + " /s held\n",
        user.run(
                "--root",
                "r",
                "unshare",
                "--run=/s",
                "--",
                "sh",
                "-c",
                "echo $OVL_ROOT $OVL_RUN $OVL_NAMESPACE")
            .fine());
    OrdinaryUser.Result none = user.run("unshare", "nosuch");
    assertEquals(NOT_FOUND, none.status());
    assertEquals("ovlctl: unshare: cannot execute nosuch: No such file or directory\n", none.err());
    assertEquals(NOT_EXECUTABLE, user.run("unshare", "/").status());
  }

  @Test
  void withoutACommandItIsAShell() throws Exception {
    user.script("shell", "echo shell $#");
    user.with("SHELL", user.resolve("bin/shell").toString());
    assertEquals("shell 0\n", user.run("unshare").fine());
  }

  @Test
  void helpIsJavas() throws Exception {
    for (String line : List.of("unshare --help", "--dry-run unshare ls", "-h unshare")) {
      assertEquals(java("own", " " + line, 0), user.run(line.split(" ")).fine());
    }
  }

  @Test
  void whatItCallsOfOvlStaysInItsNamespace() throws Exception {
    user.script(
        "ovlctl",
        "exec " + user.resolve("bin/ovl-userns") + " " + user.resolve("bin/java") + " $@");
    assertEquals(
        "-Dovl.namespace=held dev.ovl.cli.Main ls\n0\n",
        user.run("unshare", "ovlctl", "dev.ovl.cli.Main", "ls").fine());
    user.script("java", "readlink /proc/self/ns/mnt");
    List<String> both =
        user.run(
                "unshare",
                "sh",
                "-c",
                "readlink /proc/self/ns/mnt; ovlctl dev.ovl.cli.Main ls;"
                    + " ovlctl dev.ovl.cli.Main unshare readlink /proc/self/ns/mnt;"
                    + " ovlctl dev.ovl.server.Main")
            .fine()
            .lines()
            .distinct()
            .toList();
    assertEquals(1, both.size(), both::toString);
  }
}
