package dev.ovl.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Settings as options of a command line. */
class SettingOptionsTest {
  @Command(name = "tool", sortOptions = false, subcommands = Verb.class)
  static final class Tool implements Runnable {
    @CommandLine.Option(names = "--own", description = "The tool's own.")
    @SuppressWarnings("UnusedVariable") // its place in the help is what counts
    private boolean own;

    @Override
    public void run() {}
  }

  @Command(name = "verb", sortOptions = false)
  static final class Verb implements Runnable {
    @Override
    public void run() {}
  }

  private final CommandSpec spec = CommandSpec.forAnnotatedObject(new Tool());
  private final SettingOptions options = new SettingOptions(Program.OVLCTL);
  private CommandLine line;

  @BeforeEach
  void addThem() {
    options.addTo(spec);
    line = new CommandLine(spec);
  }

  @Test
  void theyAreGivenBeforeAndAfterTheVerb() {
    assertEquals(0, line.execute("--root", "/a\udcff", "verb", "--host=none"));
    assertEquals(Map.of(Setting.ROOT, "/a\udcff", Setting.HOST, "none"), options.given());
    assertEquals(0, line.execute("verb", "--run", ""));
    assertEquals(Map.of(Setting.RUN, ""), options.given(), "of the last command line alone");
  }

  @Test
  void eachProgramHasItsOwn() {
    CommandSpec daemon = SettingOptionsTest.daemon();
    for (Setting setting : Setting.values()) {
      assertEquals(
          setting.readers().contains(Program.OVLCTL),
          spec.findOption(setting.option()) != null,
          setting.name());
      assertEquals(
          setting.readers().contains(Program.MOUNTD),
          daemon.findOption(setting.option()) != null,
          setting.name());
    }
  }

  private static CommandSpec daemon() {
    CommandSpec daemon = CommandSpec.create();
    new SettingOptions(Program.MOUNTD).addTo(daemon);
    return daemon;
  }

  @Test
  void helpTellsVariableAndDefault() {
    for (Setting setting : Setting.of(Program.MOUNTD)) {
      OptionSpec option = daemon().findOption(setting.option());
      assertNotNull(option);
      String text = String.join(" ", option.description());
      assertEquals(
          setting.description()
              + " (default: $"
              + setting.variable()
              + ", or "
              + setting.defaultText()
              + ")",
          text);
      assertEquals(setting.label(), option.paramLabel());
    }
    String usage = line.getUsageMessage();
    assertTrue(usage.indexOf("--host=HOST  ") > usage.indexOf("--own  "), usage);
  }

  @Test
  void wordsAreOffered() {
    OptionSpec access = daemon().findOption("--group-access");
    List<String> words = new ArrayList<>();
    access.completionCandidates().forEach(words::add);
    assertEquals(List.of("none", "read", "write"), words);
  }

  @Test
  void everyDefaultIsAValueOfItsKind() {
    for (Setting setting : Setting.values()) {
      assertTrue(setting.kind().accepts(setting.defaultText()), setting.name());
    }
  }

  @Test
  void namesFollowFromTheKey() {
    assertEquals("--group-access", Setting.GROUP_ACCESS.option());
    assertEquals("OVL_GROUP_ACCESS", Setting.GROUP_ACCESS.variable());
    assertEquals(List.of(Setting.GROUP_ACCESS), Setting.ofKey("group-access").stream().toList());
    assertEquals(
        List.of(
            Setting.GROUP_ACCESS,
            Setting.REQUEST_TIMEOUT,
            Setting.USAGE_INTERVAL,
            Setting.LOG_LEVEL),
        Arrays.stream(Setting.values()).filter(Setting::isReloadable).toList());
  }
}
