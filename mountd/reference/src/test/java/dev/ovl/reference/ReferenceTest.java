package dev.ovl.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.config.Configuration;
import dev.ovl.config.ConfigurationException;
import dev.ovl.config.Origin;
import dev.ovl.config.Program;
import dev.ovl.config.Setting;
import dev.ovl.config.Sources;
import dev.ovl.testkit.Manual;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The texts that are made, of a sample that has one of everything. */
class ReferenceTest {
  @TempDir private Path directory;

  private static final Map<String, String> FILES = Reference.files(Sample.programs());

  private static List<Setting> inFile() {
    return Arrays.stream(Setting.values()).filter(Setting::inFile).toList();
  }

  @Test
  void theFilesThatThereAre() {
    assertEquals(
        List.of(
            "completions/bash/tool",
            "completions/bash/toold",
            "completions/fish/tool.fish",
            "completions/fish/toold.fish",
            "completions/zsh/_tool",
            "completions/zsh/_toold",
            "config.toml",
            "man/man1/tool-clone.1",
            "man/man1/tool-create.1",
            "man/man1/tool-print.1",
            "man/man1/tool-shelf-clear.1",
            "man/man1/tool-shelf-paint.1",
            "man/man1/tool-shelf.1",
            "man/man1/tool-up.1",
            "man/man1/tool.1",
            "man/man5/ovl-config.5",
            "man/man7/ovl-exdev.7",
            "man/man8/fsck.overlay.8",
            "man/man8/mount.ovl.8",
            "man/man8/my-toold.8"),
        List.copyOf(FILES.keySet()));
    assertEquals(FILES, Reference.files(Sample.programs()), "the same each time");
    FILES.forEach((name, text) -> assertTrue(text.endsWith("\n"), name));
  }

  @Test
  void manHasNothingToComplainOf() {
    FILES.forEach(
        (name, text) -> {
          if (name.startsWith("man/")) {
            assertEquals("", Manual.complaints(text), name);
          }
        });
  }

  @Test
  void manWouldComplain() {
    assertFalse(Manual.complaints(".TH X 1\n.NOSUCH\n").isEmpty());
  }

  @Test
  void aProgramsPage() {
    String page = Manual.rendered(FILES.get("man/man1/tool.1"));
    assertTrue(page.contains("tool - does things\n"), page);
    assertTrue(page.contains("tool [OPTION]\u2026 VERB \u2026\n"), page);
    assertTrue(page.contains("Does things: some of them 'well', .others not.\n"), page);
    assertTrue(page.contains("tool-create(1)\n"), page);
    assertTrue(page.contains("-q, --quiet\n"), page);
    assertTrue(page.contains("Says [nothing]: not 'a' word.\n"), page);
    assertTrue(page.contains("--root=DIR\n"), page);
    assertTrue(page.contains("(default: $OVL_ROOT, or /var/lib/ovl)\n"), page);
    assertTrue(page.contains("OVL_HOST\n"), page);
    assertFalse(page.contains("OVL_WORKERS"), page);
    assertFalse(page.contains("secret"), page);
    assertFalse(page.contains("hidden"), page);
  }

  @Test
  void aVerbsPage() {
    String page = Manual.rendered(FILES.get("man/man1/tool-create.1"));
    assertTrue(page.contains("tool-create - makes a thing out of \u00e4 directory\n"), page);
    assertTrue(page.contains("tool create [OPTION]\u2026 -o OPT,\u2026 NEW\n"), page);
    assertTrue(page.contains("--lower=DIR\n"), page);
    assertTrue(page.contains("A directory \\ on `disk` ~ ^.\n"), page);
    assertTrue(page.contains("-o OPT,\u2026\n"), page);
    assertTrue(page.contains("--watch[=SECONDS]\n"), page);
    assertTrue(page.contains("describes: --quiet, --config, --root, --run, --host.\n"), page);
    assertTrue(page.contains("1      Not done.\n"), page);

    String print = Manual.rendered(FILES.get("man/man1/tool-print.1"));
    assertTrue(print.contains("7      Out of paper.\n"), print);
    assertFalse(print.contains("Not done."), print);
    String up = Manual.rendered(FILES.get("man/man1/tool-up.1"));
    assertTrue(up.contains("tool up [OPTION]\u2026 [NAME\u2026]\n"), up);
  }

  @Test
  void theConfigurationsPage() {
    String page = Manual.rendered(FILES.get("man/man5/ovl-config.5"));
    for (Setting setting : inFile()) {
      assertTrue(page.contains("\n       " + setting.key() + " = "), setting.key());
      assertTrue(page.contains(setting.option() + " and " + setting.variable() + "."), page);
    }
    assertTrue(page.contains("Default: \"/var/lib/ovl\"."), page);
    assertTrue(page.contains("Default: 60."), page);
    assertFalse(page.contains("config = "), page);
  }

  private Configuration read(Program program, String text) throws IOException {
    Path file = directory.resolve("config.toml");
    Files.writeString(file, text);
    try {
      return new Sources(
              program, Map.of(Setting.CONFIG, file.toString()), Map.of(), false, path -> path)
          .read();
    } catch (ConfigurationException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void theInstalledFileChangesNothing() throws IOException {
    for (Program program : Program.values()) {
      Configuration installed = read(program, FILES.get("config.toml"));
      for (Setting setting : Setting.of(program)) {
        if (setting.inFile()) {
          assertEquals(new Origin.Default(), installed.value(setting).origin(), setting.key());
        }
      }
    }
  }

  @Test
  void withoutItsMarksTheInstalledFileSaysTheDefaults() throws IOException {
    String said = FILES.get("config.toml").replaceAll("(?m)^#([a-z])", "$1");
    for (Program program : Program.values()) {
      Configuration read = read(program, said);
      for (Setting setting : Setting.of(program)) {
        if (setting.inFile()) {
          assertEquals(setting.defaultText(), read.text(setting));
          assertTrue(read.value(setting).origin() instanceof Origin.Place, setting.key());
        }
      }
    }
    said.lines().forEach(line -> assertTrue(line.length() <= 96, line));
  }
}
