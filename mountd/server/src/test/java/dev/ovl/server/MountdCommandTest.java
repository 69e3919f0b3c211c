package dev.ovl.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.config.Configuration;
import dev.ovl.config.ConfigurationException;
import dev.ovl.config.Kind;
import dev.ovl.config.Setting;
import dev.ovl.config.Sources;
import dev.ovl.server.api.GroupAccess;
import dev.ovl.server.log.Logging;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The command line of the daemon, and what becomes of its settings. */
class MountdCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Configuration read;

  private int run(Map<String, String> environment, String... arguments) {
    MountdCommand command =
        new MountdCommand(environment, false, path -> "/here/" + path, this::read);
    return command.run(List.of(arguments), new PrintWriter(out, true), new PrintWriter(err, true));
  }

  private int read(Sources sources) {
    try {
      read = sources.read();
      return 0;
    } catch (ConfigurationException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void allSettingsReachTheDaemon() {
    int status =
        run(
            Map.of("OVL_CONFIG", "/dev/null", "OVL_RUN", "/run/x/", "OVL_WORKERS", "3"),
            "--root=x\udcff",
            "--group",
            "wheel",
            "--group-access=write",
            "--request-timeout=5",
            "--usage-interval=0",
            "--log-level=debug");
    assertEquals(0, status, err::toString);
    DaemonOptions options = DaemonOptions.of(read, false);
    assertEquals("/here/x\udcff", options.root().toString());
    assertEquals("/run/x", options.run().toString());
    assertEquals(Optional.of("wheel"), options.group());
    assertEquals(Optional.empty(), DaemonOptions.of(read, true).group());
    assertEquals(3, options.workers());
    assertEquals(
        new DaemonOptions.Live(
            GroupAccess.WRITE, Duration.ofSeconds(5), Duration.ZERO, Logging.Verbosity.DEBUG),
        options.live());
  }

  @Test
  void theDefaults() {
    assertEquals(0, run(Map.of("OVL_CONFIG", "/dev/null")), err::toString);
    assertEquals(
        new DaemonOptions.Live(
            GroupAccess.READ,
            Duration.ofSeconds(60),
            Duration.ofSeconds(600),
            Logging.Verbosity.INFO),
        DaemonOptions.of(read, false).live());
  }

  @Test
  void wordsAreTheConstantsOfTheDaemon() {
    assertEquals(words(Setting.GROUP_ACCESS), constants(GroupAccess.values()));
    assertEquals(words(Setting.LOG_LEVEL), constants(Logging.Verbosity.values()));
  }

  private static List<String> words(Setting setting) {
    return ((Kind.Word) setting.kind()).words();
  }

  private static List<String> constants(Enum<?>[] constants) {
    return Arrays.stream(constants).map(c -> c.name().toLowerCase(Locale.ROOT)).toList();
  }

  @Test
  void usageErrorsAreOneLine() {
    assertEquals(2, run(Map.of(), "--nosuch"));
    assertEquals("mountd: Unknown option: '--nosuch' (try 'mountd --help')\n", err.toString());
    assertEquals("", out.toString());
  }

  @Test
  void helpAndVersion() {
    assertEquals(0, run(Map.of(), "--help"));
    assertTrue(out.toString().startsWith("Usage: mountd "), out::toString);
    for (Setting setting : Setting.values()) {
      assertEquals(
          setting != Setting.HOST, out.toString().contains(setting.option() + "="), setting.name());
    }
    out.toString().lines().forEach(line -> assertTrue(line.length() <= 80, line));
    out.getBuffer().setLength(0);
    assertEquals(0, run(Map.of(), "--version"));
    assertEquals("mountd unpackaged\n", out.toString());
  }
}
