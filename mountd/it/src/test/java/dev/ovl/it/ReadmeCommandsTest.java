package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** README.md promises commands and what they print; this runs them. */
class ReadmeCommandsTest {
  private static final Pattern BLOCK = Pattern.compile("```(\\w+)\n(.*?)```", Pattern.DOTALL);
  private static final Duration PROMISED = Duration.ofMinutes(2);

  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  private static String read(String file) {
    try {
      return Files.readString(Ovlctl.CHECKOUT.resolve(file));
    } catch (IOException e) {
      throw new AssertionError("cannot read " + file, e);
    }
  }

  private static List<String> blocks(String language) {
    List<String> blocks = new ArrayList<>();
    Matcher matcher = BLOCK.matcher(read("README.md"));
    while (matcher.find()) {
      if (matcher.group(1).equals(language)) {
        blocks.add(matcher.group(2));
      }
    }
    return blocks;
  }

  @Test
  void theSetupIsTwoCommands() {
    assertEquals(List.of("./cli/bin/ovlctl demo\n", "./mvnw verify\n"), blocks("sh"));
  }

  @Test
  void theMainJobEndsWellAndSoon() {
    Requires.overlay();
    Ovlctl ovlctl = Ovlctl.of(scratch).with("TMPDIR", scratch.path().toString());
    String command = blocks("sh").get(0).strip();
    long start = System.nanoTime();
    Result demo = ovlctl.shell("cd " + Ovlctl.quote(Ovlctl.CHECKOUT + "") + " && exec " + command);
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    demo.ended(0);
    assertTrue(took.compareTo(PROMISED) < 0, took::toString);
    assertTrue(demo.err().matches("(?s).*ovlctl: demo: all [0-9]+ claims hold\n"), demo::toString);
  }

  /** It is not run here, since this test is part of it. */
  @Test
  void theTestCommandIsTheGates() {
    String command = blocks("sh").get(1).strip();
    List<String> lines = read(".ci/run").lines().map(String::strip).toList();
    assertTrue(lines.contains(command + " &&"), "no line of .ci/run is " + command);
  }

  @Test
  void theExamplesAreFour() {
    assertEquals(4, blocks("console").size());
  }

  /** Runs what a console shows, and fails unless the same comes of it. */
  private void assertShown(Ovlctl ovlctl, String console) {
    StringBuilder script = new StringBuilder("unset -f ovlctl\n");
    // a command goes on behind a backslash
    for (String command : console.split("(?m)^(?=# )")) {
      String input = command.lines().findFirst().orElseThrow();
      for (String line : command.lines().skip(1).toList()) {
        if (!input.endsWith("\\")) {
          break;
        }
        input += "\n" + line;
      }
      script.append("printf '%s\\n' ").append(Ovlctl.quote(input)).append('\n');
      script.append(input.substring(2)).append(" 2>&1\n");
    }
    assertEquals(console, ovlctl.shell(script.toString()).fine().out());
  }

  @Test
  void theExampleDoesWhatItShows() {
    Requires.overlay();
    String here = scratch.resolve("example").toString();
    assertShown(
        Ovlctl.of(scratch).in(OsPath.of(Ovlctl.CHECKOUT + "")),
        blocks("console").get(0).replace("/tmp/ovl-example", here));
    assertEquals(List.of(), World.mountsBeneath(List.of(scratch.path())));
  }

  @Test
  void theLayersAreAsTheyAreShown() {
    Requires.overlay();
    Ovlctl ovlctl = Ovlctl.of(scratch);
    ovlctl
        .shell("mkdir -p mnt base/etc && echo one >base/etc/motd && echo two >base/etc/hosts")
        .fine();
    assertShown(
        ovlctl.with("PATH", Ovlctl.CHECKOUT.resolve("cli/bin") + ":" + ovlctl.variable("PATH")),
        blocks("console").get(1).replace("/mnt", scratch.resolve("mnt").toString()));
    assertEquals(List.of(), World.mountsBeneath(List.of(scratch.path())));
  }

  @Test
  void whatIsInAStackIsAsItIsShown() {
    Requires.overlay();
    Ovlctl ovlctl = Ovlctl.of(scratch);
    ovlctl.shell("mkdir -p mnt src/doc && echo text >src/doc/a && echo more >src/doc/b").fine();
    assertShown(
        ovlctl.with("PATH", Ovlctl.CHECKOUT.resolve("cli/bin") + ":" + ovlctl.variable("PATH")),
        blocks("console").get(2).replace("/mnt", scratch.resolve("mnt").toString()));
    assertEquals(List.of(), World.mountsBeneath(List.of(scratch.path())));
  }

  @Test
  void theDaemonAnswersAsItIsShown() {
    Requires.overlay();
    Requires.program("curl");
    Ovlctl ovlctl = Ovlctl.of(scratch);
    Mountd daemon = hosting.daemon(ovlctl);
    ovlctl.shell("mkdir -p api/lower api/merged && echo 'from below' >api/lower/a").fine();
    assertShown(
        ovlctl,
        blocks("console")
            .get(3)
            .replace("/tmp/ovl-api", scratch.resolve("api").toString())
            .replace("/run/ovl/mountd.sock", daemon.socket().toString()));
    assertEquals(List.of(), World.mountsBeneath(List.of(scratch.path())));
  }

  @Test
  void theVerbsAreThoseThatThereAre() {
    List<String> described =
        read("README.md")
            .lines()
            .filter(line -> line.matches("\\| `[a-z-]+[ `].*"))
            .map(line -> line.replaceFirst("\\| `([a-z-]+).*", "$1"))
            .filter(word -> !modules().contains(word) && !word.equals("vagrant"))
            .distinct()
            .toList();
    assertEquals(verbs("--help"), described);
  }

  private List<String> verbs(String... arguments) {
    return Ovlctl.of(scratch).run(arguments).fine().lines().stream()
        .dropWhile(line -> !line.startsWith("Commands:"))
        .filter(line -> line.matches("  [a-z-]+ .*"))
        .map(line -> line.strip().replaceFirst(" .*", ""))
        .toList();
  }

  @Test
  void theVerbsOnLayersAreThoseThatThereAre() {
    List<String> described = new ArrayList<>();
    Matcher verb = Pattern.compile("[|,] `layer ([a-z]+)").matcher(read("README.md"));
    while (verb.find()) {
      described.add(verb.group(1));
    }
    assertEquals(verbs("layer", "--help"), described);
  }

  @Test
  void theModulesAreThoseOfTheBuild() {
    String readme = read("README.md");
    for (String module : modules()) {
      assertTrue(readme.contains("| `" + module + "` |"), module);
    }
  }

  private static List<String> modules() {
    return Pattern.compile("<module>(.*?)</module>")
        .matcher(read("pom.xml"))
        .results()
        .map(module -> module.group(1))
        .toList();
  }
}
