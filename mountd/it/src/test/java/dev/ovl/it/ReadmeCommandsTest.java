package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** README.md promises commands and what they print; this runs them. */
class ReadmeCommandsTest {
  private static final Pattern BLOCK = Pattern.compile("```(\\w+)\n(.*?)```", Pattern.DOTALL);
  private static final Duration PROMISED = Duration.ofMinutes(2);

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

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
    List<String> last = read(".ci/run").lines().filter(line -> !line.isBlank()).toList();
    assertTrue(last.getLast().endsWith(" " + command), last::getLast);
  }

  @Test
  void theExampleDoesWhatItShows() {
    Requires.overlay();
    List<String> consoles = blocks("console");
    assertEquals(1, consoles.size());
    String here = scratch.resolve("example").toString();
    StringBuilder script =
        new StringBuilder("cd " + Ovlctl.quote(Ovlctl.CHECKOUT + "") + "\nunset -f ovlctl\n");
    StringBuilder expected = new StringBuilder();
    consoles
        .get(0)
        .replace("/tmp/ovl-example", here)
        .lines()
        .forEach(
            line -> {
              expected.append(line).append('\n');
              if (line.startsWith("# ")) {
                script.append("echo ").append(Ovlctl.quote(line)).append('\n');
                script.append(line.substring(2)).append(" 2>&1\n");
              }
            });
    Result run = Ovlctl.of(scratch).shell(script.toString()).fine();
    assertEquals(expected.toString(), run.out());
    assertEquals(List.of(), World.mountsBeneath(List.of(scratch.path())));
  }

  @Test
  void theVerbsAreThoseThatThereAre() {
    List<String> described =
        read("README.md")
            .lines()
            .filter(line -> line.matches("\\| `[a-z]+[ `].*"))
            .map(line -> line.replaceFirst("\\| `([a-z]+).*", "$1"))
            .filter(
                verb ->
                    !verb.equals("bindings") && !verb.startsWith("mountd") && !verb.equals("cli"))
            .toList();
    List<String> known =
        Ovlctl.of(scratch).run("--help").fine().lines().stream()
            .dropWhile(line -> !line.startsWith("Commands:"))
            .filter(line -> line.matches("  [a-z]+ .*"))
            .map(line -> line.strip().replaceFirst(" .*", ""))
            .toList();
    assertEquals(known, described);
  }

  @Test
  void theModulesAreThoseOfTheBuild() {
    String readme = read("README.md");
    Matcher module = Pattern.compile("<module>(.*?)</module>").matcher(read("pom.xml"));
    while (module.find()) {
      assertTrue(readme.contains("| `" + module.group(1) + "` |"), module.group(1));
    }
  }
}
