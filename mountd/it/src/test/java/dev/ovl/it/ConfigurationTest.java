package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.testkit.Scratch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Settings from the command line, the environment and the file, as a user meets them. */
class ConfigurationTest {
  @RegisterExtension final Scratch scratch = Scratch.tmpfs();
  private Ovlctl ovlctl;
  private String file;

  /** Stacks with the names of the roots that they are in. */
  @BeforeEach
  void rootsToTellApart() {
    file = scratch.resolve("config.toml").toString();
    ovlctl = Ovlctl.of(scratch).with("OVL_HOST", "none").with("OVL_CONFIG", file);
    ovlctl.shell("mkdir lower && echo '# nothing yet' > config.toml").fine();
    for (String root : new String[] {"file", "variable", "option"}) {
      ovlctl.run("--root", root, "create", root, "--lower", "lower").fine();
    }
    ovlctl = ovlctl.without("OVL_ROOT");
  }

  private void write(String text) {
    ovlctl.shell("cat > config.toml <<'END'\n" + text + "\nEND").fine();
  }

  private static String listed(Result run) {
    run.fine();
    return run.lines().getLast().replaceFirst(" .*", "");
  }

  @Test
  void anOptionGoesBeforeAVariableBeforeTheFile() {
    write("root = '" + scratch.resolve("file") + "'");
    assertEquals("file", listed(ovlctl.run("ls")));
    assertEquals("file", listed(ovlctl.run("--config", "config.toml", "ls")));
    Ovlctl withVariable = ovlctl.with("OVL_ROOT", "variable");
    assertEquals("variable", listed(withVariable.run("ls")));
    assertEquals("option", listed(withVariable.run("ls", "--root=option")));
  }

  @Test
  void theHostToo() {
    Ovlctl unset = ovlctl.without("OVL_HOST").with("OVL_ROOT", "file");
    String socket = scratch.resolve("nosuch.sock").toString();
    write("host = 'unix://" + socket + "'");
    assertEquals(true, unset.run("ls").failed(1).contains(socket));
    assertEquals("file", listed(unset.run("ls", "--host", "none")));
    assertEquals("file", listed(unset.with("OVL_HOST", "none").run("ls")));
  }

  @Test
  void whatMakesNoSenseIsOneLine() {
    write("root = '/x'\nrun-dir = '/x'");
    assertEquals(
        "ls: " + file + ":2:1: unknown key 'run-dir'; the nearest is 'run'",
        ovlctl.run("ls").failed(1));
    write("root = 'x'");
    assertEquals(
        "ls: " + file + ":1:1: root: 'x' is not an absolute path", ovlctl.run("ls").failed(1));
    write("root = /x");
    assertEquals(
        "ls: " + file + ":1:8: Unexpected '/', expected a value", ovlctl.run("ls").failed(1));
    assertEquals(
        "ls: " + scratch.resolve("nosuch") + ": no such file (ENOENT)",
        ovlctl.run("--config", "nosuch", "ls").failed(1));
    assertEquals(
        "ls: OVL_CONFIG: a path cannot be empty",
        ovlctl.with("OVL_CONFIG", "").run("ls").failed(2));
    write("");
    assertEquals("ls: --run: a path cannot be empty", ovlctl.run("ls", "--run", "").failed(2));
    assertEquals(
        "ls: OVL_HOST: 'x' is not auto, none or unix://PATH with an absolute path",
        ovlctl.with("OVL_HOST", "x").run("ls").failed(2));
  }

  @Test
  void aVerbThatNeedsNoSettingsDoesNotReadThem() {
    write("= nonsense");
    ovlctl.run("version").fine();
    ovlctl.run("create", "--help").fine();
  }
}
