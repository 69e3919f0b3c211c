package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What {@code cli/bin/ovlctl} and {@code mvnw} do before there is a JVM, and what becomes of a
 * machine that lacks something.
 *
 * <p>A kernel without overlayfs cannot be had here: that it is told in one line is the engine's to
 * test, where mount(2) can be made to say ENODEV.
 */
class LauncherTest {
  @RegisterExtension final Scratch scratch = Scratch.directory();

  /** A PATH with what scripts need and no java. */
  private Ovlctl withoutJava() {
    Ovlctl ovlctl = Ovlctl.of(scratch);
    ovlctl
        .shell(
            """
            mkdir tools jvms
            for tool in sh env readlink find dirname basename uname cat; do
              ln -s "$(command -v $tool)" tools/$tool
            done
            """)
        .fine();
    return ovlctl
        .without("JAVA_HOME")
        .with("PATH", scratch.resolve("tools").toString())
        .with("OVL_JVM_DIR", scratch.resolve("jvms").toString());
  }

  @Test
  void findsAJdkByItself() {
    boolean there = Files.isDirectory(Path.of("/usr/lib/jvm"));
    Requires.that(
        "/usr/lib/jvm", there ? Optional.empty() : Optional.of("there is no such directory"));
    Ovlctl ovlctl = Ovlctl.of(scratch).without("JAVA_HOME");
    Result version = ovlctl.run("version").fine();
    assertTrue(version.out().matches("ovlctl \\S+ \\(Java \\S+\\)\n"), version::toString);
    // what is no JDK, or too old a one, is passed over
    ovlctl
        .shell("mkdir -p old/bin && touch old/bin/java old/bin/javac && chmod +x old/bin/*")
        .fine();
    ovlctl.shell("echo 'JAVA_VERSION=\"17.0.1\"' > old/release").fine();
    assertEquals(
        version.out(),
        ovlctl.with("JAVA_HOME", scratch.resolve("old").toString()).run("version").fine().out());
    assertEquals(
        version.out(), ovlctl.with("JAVA_HOME", "/nonexistent").run("version").fine().out());
  }

  @Test
  void saysWhatToInstallWhereThereIsNoJdk() {
    Ovlctl ovlctl = withoutJava();
    String line = ovlctl.run("version").failed(1);
    assertTrue(line.startsWith("no JDK 22 or later found"), line);
    assertTrue(line.contains("openjdk-25-jdk-headless"), line);

    Result maven = ovlctl.shell(Ovlctl.quote(Ovlctl.CHECKOUT.resolve("mvnw") + "") + " --version");
    assertEquals(1, maven.status(), maven::toString);
    assertEquals("", maven.out());
    assertEquals("mvnw: " + line + "\n", maven.err());
  }

  @Test
  void otherProgramsJavaOptionsAreNotOurs() {
    Ovlctl ovlctl = Ovlctl.of(scratch);
    ovlctl.with("JAVA_TOOL_OPTIONS", "-Xmx1k").run("version").fine();
    ovlctl.with("JDK_JAVA_OPTIONS", "-XX:+NoSuchOption").run("version").fine();
  }

  @Test
  void saysThatItNeedsRootWhereThereIsNoUserNamespace() {
    Requires.root();
    Requires.program("setpriv");
    Ovlctl ovlctl = Ovlctl.of(scratch);
    ovlctl.shell("mkdir lower && chmod 755 . ..").fine();
    for (String command :
        new String[] {
          "create web --lower lower",
          "up web",
          "down web",
          "rm web",
          "mount -o lowerdir=lower lower",
          "umount lower",
          "demo"
        }) {
      String line = asNobody(ovlctl, command).failed(1);
      assertTrue(line.contains("needs root"), line);
      assertTrue(
          line.endsWith(" or a user namespace: unshare: Operation not permitted (EPERM)"), line);
    }
    // what only looks needs no privilege
    asNobody(ovlctl, "version").fine();
    asNobody(ovlctl, "ls").fine();
    asNobody(ovlctl, "status web").failed(4);
  }

  /** In another root directory, which is the same: who has such may make no user namespace. */
  private static Result asNobody(Ovlctl ovlctl, String command) {
    String nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups ";
    String line = "cd -- \"$PWD\" && exec " + Ovlctl.quote(Ovlctl.program()) + " " + command;
    String chroot = "exec chroot /mnt " + nobody + "sh -c " + Ovlctl.quote(line);
    return ovlctl.shell(
        "exec unshare --mount sh -c " + Ovlctl.quote("mount --rbind / /mnt && " + chroot));
  }

  @Test
  void rootWithoutTheCapabilityIsToldToo() {
    Requires.root();
    Requires.program("setpriv");
    Ovlctl ovlctl = Ovlctl.of(scratch);
    Result demo =
        ovlctl
            .with("TMPDIR", scratch.path().toString())
            .shell(
                "exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "
                    + Ovlctl.quote(Ovlctl.program())
                    + " demo");
    demo.ended(1);
    assertTrue(demo.errorLine().contains("needs root (CAP_SYS_ADMIN)"), demo::toString);
    assertEquals("", ovlctl.shell("ls").fine().out(), "nothing stays");
  }

  @Test
  void aBuildThatIsThereIsNotDoneAgain() {
    Result version = Ovlctl.of(scratch).run("version").fine();
    assertFalse(version.err().contains("building"), version::toString);
  }
}
