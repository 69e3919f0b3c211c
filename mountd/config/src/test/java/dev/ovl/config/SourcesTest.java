package dev.ovl.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which of several values counts, and what is said of one that makes no sense. */
class SourcesTest {
  @TempDir private Path directory;
  private Path file;

  @BeforeEach
  void nameTheFile() {
    file = directory.resolve("config.toml");
  }

  private void write(String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new AssertionError("cannot write " + file, e);
    }
  }

  private Sources sources(Map<Setting, String> options, Map<String, String> environment) {
    Map<String, String> withFile = new HashMap<>(Map.of("OVL_CONFIG", file.toString()));
    withFile.putAll(environment);
    return new Sources(Program.MOUNTD, options, withFile, false, path -> "/here/" + path);
  }

  private Configuration read() throws ConfigurationException {
    return sources(Map.of(), Map.of()).read();
  }

  private ConfigurationException refusal(Sources sources) {
    ConfigurationException e = assertThrows(ConfigurationException.class, sources::read);
    assertEquals(1, e.getMessage().lines().count(), e::getMessage);
    return e;
  }

  /** What is said of a file, after its name. */
  private String refusal(String text) {
    write(text);
    ConfigurationException e = refusal(sources(Map.of(), Map.of()));
    assertFalse(e.isUsage());
    assertTrue(e.getMessage().startsWith(file + ":"), e::getMessage);
    return e.getMessage().substring((file + ":").length());
  }

  @Test
  void anOptionGoesBeforeAVariableBeforeTheFileBeforeTheDefault() throws Exception {
    write("");
    Configuration nothing = read();
    assertEquals("/var/lib/ovl", nothing.text(Setting.ROOT));
    assertEquals(new Origin.Default(), nothing.value(Setting.ROOT).origin());

    write("# first\nworkers = 2\nroot = \"/file\"\n");
    Configuration inFile = read();
    assertEquals("/file", inFile.text(Setting.ROOT));
    assertEquals(new Origin.Place(file.toString(), 3, 1), inFile.value(Setting.ROOT).origin());
    assertEquals(file + ":3:1", inFile.value(Setting.ROOT).origin().toString());

    Configuration inEnvironment = sources(Map.of(), Map.of("OVL_ROOT", "/variable")).read();
    assertEquals("/variable", inEnvironment.text(Setting.ROOT));
    assertEquals("OVL_ROOT", inEnvironment.value(Setting.ROOT).origin().toString());
    assertEquals(2, inEnvironment.count(Setting.WORKERS), "the file counts for the others");

    Configuration given =
        sources(Map.of(Setting.ROOT, "/option"), Map.of("OVL_ROOT", "/variable")).read();
    assertEquals("/option", given.text(Setting.ROOT));
    assertEquals("--root", given.value(Setting.ROOT).origin().toString());
  }

  @Test
  void everySettingCanStandInTheFile() throws Exception {
    write(
        """
        root = "/r"
        run = '/ä'
        host = "none"
        group = "wheel"
        group-access = "write"
        request-timeout = 1_0
        "workers" = 0x10
        usage-interval = 0
        log-level = "debug"
        """);
    Configuration configuration = read();
    assertEquals("/r", configuration.text(Setting.ROOT));
    assertEquals("/ä", configuration.text(Setting.RUN));
    assertEquals("wheel", configuration.text(Setting.GROUP));
    assertEquals("write", configuration.text(Setting.GROUP_ACCESS));
    assertEquals(Duration.ofSeconds(10), configuration.duration(Setting.REQUEST_TIMEOUT));
    assertEquals(16, configuration.count(Setting.WORKERS));
    assertEquals(Duration.ZERO, configuration.duration(Setting.USAGE_INTERVAL));
    assertEquals("debug", configuration.text(Setting.LOG_LEVEL));
    assertThrows(IllegalArgumentException.class, () -> configuration.text(Setting.HOST));
    assertEquals(
        "none",
        new Sources(
                Program.OVLCTL, Map.of(Setting.CONFIG, file + ""), Map.of(), false, path -> path)
            .read()
            .text(Setting.HOST));
  }

  @Test
  void theFileMustBeThereIfItWasNamed() {
    ConfigurationException missing = refusal(sources(Map.of(), Map.of()));
    assertEquals(file + ": no such file (ENOENT)", missing.getMessage());
    assertFalse(missing.isUsage());
    assertEquals(
        "/here/x: no such file (ENOENT)",
        refusal(sources(Map.of(Setting.CONFIG, "x"), Map.of())).getMessage());
  }

  @Test
  void theFileNeedNotBeThereIfItWasNotNamed() throws Exception {
    assertEquals(List.of(), ConfigFile.readIfThere(file.toString()).entries());
    write("workers = 3");
    assertEquals(1, ConfigFile.readIfThere(file.toString()).entries().size());
  }

  @Test
  void anEmptyNameOfTheFileIsNone() {
    ConfigurationException e = refusal(sources(Map.of(), Map.of("OVL_CONFIG", "")));
    assertEquals("OVL_CONFIG: a path cannot be empty", e.getMessage());
    assertTrue(e.isUsage());
  }

  @Test
  void aFileThatCannotBeRead() throws Exception {
    Sources aDirectory = sources(Map.of(Setting.CONFIG, directory.toString()), Map.of());
    assertEquals(directory + ": Is a directory", refusal(aDirectory).getMessage());
    Files.write(file, new byte[] {'#', (byte) 0xff});
    assertEquals(file + ": not in UTF-8", refusal(sources(Map.of(), Map.of())).getMessage());
    Files.write(file, new byte[(1 << 20) + 1]);
    assertEquals(
        file + ": more than 1048576 bytes", refusal(sources(Map.of(), Map.of())).getMessage());
    Sources noName = sources(Map.of(Setting.CONFIG, "/stray\udcff"), Map.of());
    assertEquals(
        "/stray\udcff: Java cannot read a file of this name here", refusal(noName).getMessage());
  }

  @Test
  void whatIsNoToml() {
    assertEquals("1:8: Unexpected 'x', expected a value", refusal("root = x\n"));
    assertEquals(
        "2:1: workers previously defined at line 1, column 1", refusal("workers=1\nworkers=2\n"));
    assertEquals("2:1: ", refusal("workers=1\n\u0007\n").substring(0, 5));
  }

  @Test
  void unknownKeys() {
    assertEquals(
        "2:1: unknown key 'grup'; the nearest is 'group'", refusal("workers = 1\ngrup = \"x\"\n"));
    assertEquals(
        "1:1: unknown key 'request_timeout'; the nearest is 'request-timeout'",
        refusal("request_timeout = 1\n"));
    assertEquals("1:1: unknown key 'a\\u000ab'; the nearest is 'run'", refusal("\"a\\nb\" = 1\n"));
    assertEquals(
        "1:1: unknown key 'mountd'; ", refusal("[mountd]\nworkers = 1\n").substring(0, 27));
    assertTrue(refusal("config = \"/x\"\n").startsWith("1:1: unknown key 'config'"));
    assertEquals(
        "1:1: unknown key 'rot'; the nearest is 'root'",
        refusal("rot = 1\nworkers = -1\n"),
        "the first one is told");
  }

  @Test
  void wrongTypes() {
    assertEquals("1:1: root: a number is not a path", refusal("root = 1\n"));
    assertEquals("1:1: root: a list is not a path", refusal("root = [\"/a\"]\n"));
    assertEquals("1:1: root: a table is not a path", refusal("[root]\nx = 1\n"));
    assertEquals("1:1: root: a truth value is not a path", refusal("root = true\n"));
    assertEquals("1:1: root: a time is not a path", refusal("root = 2025-01-01\n"));
    assertEquals(
        "1:1: workers: a text is not a whole number from 1 to 4096", refusal("workers = \"8\"\n"));
    assertEquals(
        "1:1: workers: a number with a point is not a whole number from 1 to 4096",
        refusal("workers = 8.0\n"));
  }

  @Test
  void valuesThatMakeNoSense() {
    assertEquals("1:1: root: a path cannot be empty", refusal("root = \"\"\n"));
    assertEquals("1:1: root: 'x/y' is not an absolute path", refusal("root = \"x/y\"\n"));
    assertEquals("1:1: root: '/a\\u0000' is not a path", refusal("root = \"/a\\u0000\"\n"));
    assertEquals(
        "1:1: request-timeout: '-1' is not a whole number of seconds from 1 to 86400",
        refusal("request-timeout = -1\n"));
    assertEquals(
        "1:1: workers: '4097' is not a whole number from 1 to 4096", refusal("workers = 4097\n"));
    assertEquals(
        "1:1: group-access: 'all' is not one of none, read, write",
        refusal("group-access = \"all\"\n"));
    assertEquals("1:1: group: 'a b' is not the name of a group", refusal("group = \"a b\"\n"));
    assertEquals(
        "1:1: host: 'unix://x' is not auto, none or unix://PATH with an absolute path",
        refusal("host = \"unix://x\"\n"));
  }

  @Test
  void whatTheCallGivesIsCheckedTheSame() {
    write("");
    ConfigurationException option = refusal(sources(Map.of(Setting.WORKERS, "many"), Map.of()));
    assertEquals("--workers: 'many' is not a whole number from 1 to 4096", option.getMessage());
    assertTrue(option.isUsage());
    ConfigurationException variable =
        refusal(sources(Map.of(), Map.of("OVL_USAGE_INTERVAL", "99999999999999999999")));
    assertEquals(
        "OVL_USAGE_INTERVAL: '99999999999999999999' is not a whole number of seconds from 0 to"
            + " 31536000",
        variable.getMessage());
    assertTrue(variable.isUsage());
    assertEquals(
        "--root: a path cannot be empty",
        refusal(sources(Map.of(Setting.ROOT, ""), Map.of())).getMessage());
  }

  @Test
  void othersSettingsInTheEnvironmentAreNotRead() throws Exception {
    write("");
    assertEquals(64, sources(Map.of(), Map.of("OVL_HOST", "?")).read().count(Setting.WORKERS));
  }

  @Test
  void pathsOfTheCallAreMadeAbsoluteByTheCaller() throws Exception {
    write("");
    Configuration read =
        sources(Map.of(Setting.ROOT, "x\udcff"), Map.of("OVL_RUN", "/y\udcff")).read();
    assertEquals("/here/x\udcff", read.text(Setting.ROOT));
    assertEquals("/y\udcff", read.text(Setting.RUN));
  }

  @Test
  void readAgainItHasWhatChanged() throws Exception {
    write("workers = 2\nlog-level = \"info\"\n");
    Sources sources = sources(Map.of(), Map.of());
    Configuration before = sources.read();
    write("log-level = \"warn\"\nworkers = 3\nusage-interval = 600\n");
    Configuration after = sources.read();
    assertEquals(List.of(Setting.WORKERS, Setting.LOG_LEVEL), before.differences(after));
    assertEquals(List.of(), after.differences(sources.read()));
  }

  // ---- without root -------------------------------------------------------------------------

  private static String ofUser(Setting setting, Map<String, String> environment) throws Exception {
    return new Sources(Program.OVLCTL, Map.of(), environment, true, path -> "/here/" + path)
        .read()
        .text(setting);
  }

  @Test
  void anOrdinaryUserHasOwnDirectories() throws Exception {
    Map<String, String> home = Map.of("HOME", "/home/u");
    assertEquals("/home/u/.config/ovl/config.toml", ofUser(Setting.CONFIG, home));
    assertEquals("/home/u/.local/share/ovl", ofUser(Setting.ROOT, home));
    assertEquals("/home/u/.local/share/ovl/run", ofUser(Setting.RUN, home));
    Map<String, String> all =
        Map.of(
            "HOME",
            "/home/u",
            "XDG_CONFIG_HOME",
            "/c",
            "XDG_DATA_HOME",
            "/d",
            "XDG_RUNTIME_DIR",
            "/run/user/1");
    assertEquals("/c/ovl/config.toml", ofUser(Setting.CONFIG, all));
    assertEquals("/d/ovl", ofUser(Setting.ROOT, all));
    assertEquals("/run/user/1/ovl", ofUser(Setting.RUN, all));
    assertEquals("auto", ofUser(Setting.HOST, all));
  }

  @Test
  void relativeDirectoriesCountAsNone() throws Exception {
    Map<String, String> relative =
        Map.of("HOME", "/home/u", "XDG_DATA_HOME", "data", "XDG_RUNTIME_DIR", "");
    assertEquals("/home/u/.local/share/ovl", ofUser(Setting.ROOT, relative));
    assertEquals("/home/u/.local/share/ovl/run", ofUser(Setting.RUN, relative));
    assertEquals("/var/lib/ovl", ofUser(Setting.ROOT, Map.of("HOME", "nowhere")));
    assertEquals("/x", ofUser(Setting.ROOT, Map.of("HOME", "/home/u", "OVL_ROOT", "/x")));
  }

  @Test
  void anOrdinaryUsersFileGoesBeforeTheirDefaults() throws Exception {
    Path own = Files.createDirectories(directory.resolve("ovl")).resolve("config.toml");
    Files.writeString(own, "root = \"/there\"\n");
    Map<String, String> environment =
        Map.of("HOME", "/home/u", "XDG_CONFIG_HOME", directory.toString());
    assertEquals("/there", ofUser(Setting.ROOT, environment));
  }
}
