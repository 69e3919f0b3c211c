package dev.ovl.cli.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.cli.session.Cancellation;
import dev.ovl.cli.session.FixedPlace;
import dev.ovl.cli.session.Session;
import dev.ovl.sys.OsPath;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Command;

/** The command line in a session of a test's: nothing here needs a process or root. */
class OvlctlTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(boolean terminal, Map<String, String> environment, String... arguments) {
    out.reset();
    err.reset();
    return new Ovlctl(session(terminal, environment)).run(List.of(arguments));
  }

  private Session session(boolean terminal, Map<String, String> environment) {
    return new Session(
        new ByteArrayInputStream(new byte[0]),
        out,
        err,
        new FixedPlace(OsPath.of("/nonexistent")),
        environment,
        new Session.Terminal(terminal, terminal, terminal),
        new Cancellation());
  }

  int run(String... arguments) {
    return run(false, Map.of(), arguments);
  }

  String out() {
    return OsPath.decode(out.toByteArray());
  }

  private String err() {
    return OsPath.decode(err.toByteArray());
  }

  /** All but what is no verb for people. */
  private static List<String> verbs() {
    return Arrays.stream(Verb.values())
        .map(verb -> verb.command().getAnnotation(Command.class))
        .filter(verb -> !verb.hidden())
        .map(Command::name)
        .toList();
  }

  @Test
  void verbsAreCalledAsTheirCommandsSay() {
    for (Verb verb : Verb.values()) {
      Command command = verb.command().getAnnotation(Command.class);
      assertEquals(verb.word(), command.name());
      assertEquals(List.of(), List.of(command.aliases()), verb.word());
    }
  }

  /** Lines are read with the verbs that they name, and nobody shall notice. */
  @Test
  void itDoesNotMatterWhichVerbsALineIsReadWith() {
    List<List<String>> lines = new ArrayList<>();
    verbs().forEach(verb -> lines.add(List.of(verb, "--help")));
    lines.add(List.of("layer", "create", "-h"));
    for (String line :
        new String[] {
          "",
          "--help",
          "-h",
          "--help ls",
          "-qh status ls",
          "ls -hq",
          "--json",
          "completion zsh",
          "creat ls",
          "vers version",
          "ls version",
          "version ls",
          "--driver ls",
          "--driver=ls",
          "--driver status version",
          "--root version",
          "version --root ls",
          "version --nosuch",
          "--nosuch version",
          "--color blue version",
          "version --color",
          "Version",
          "ver",
          "try --help ls",
          "layer",
          "layer nosuch",
          "layer ls --help",
          "layer version",
          "branch",
          "-- version",
          "version -- ls",
          "@version",
          "status",
          "run"
        }) {
      lines.add(line.isEmpty() ? List.of() : List.of(line.split(" ")));
    }
    for (List<String> line : lines) {
      int status = run(line.toArray(String[]::new));
      List<Object> got = List.of(line, status, out(), err());
      out.reset();
      err.reset();
      int expected = new Ovlctl(session(false, Map.of())).run(demand -> true, line, Verb.ALL);
      assertEquals(List.of(line, expected, out(), err()), got);
    }
  }

  @Test
  void verbsOfLayersAreTwoWords() {
    assertEquals(0, run("layer", "create", "--help"));
    assertTrue(out().startsWith("Usage: ovlctl layer create "), this::out);
    assertEquals(2, run("layer", "rm"));
    assertEquals(
        "ovlctl: layer rm: Missing required parameter: 'LAYER' (try 'ovlctl layer rm --help')\n",
        err());
    assertEquals(2, run("layer"));
    assertEquals("ovlctl: layer: a verb is missing (try 'ovlctl layer --help')\n", err());
    assertEquals(2, run("--host", "none", "layer", "rm", "a/b"));
    assertTrue(err().startsWith("ovlctl: layer rm a/b: not a layer's id: a/b; "), this::err);
  }

  /** Before anything is looked for. */
  @Test
  void archivesNeitherGoToNorComeFromATerminal() {
    List<String> host = List.of("--host", "none", "--color", "never");
    for (List<String> subject : List.of(List.of("web"), List.of("base"))) {
      boolean layer = subject.contains("base");
      List<String> diff = new ArrayList<>(host);
      diff.addAll(layer ? List.of("layer", "diff", "base") : List.of("diff", "web"));
      assertEquals(2, run(true, Map.of(), diff.toArray(String[]::new)));
      assertTrue(
          err().endsWith(": refusing to write an archive to a terminal; use -o\n"), this::err);
      List<String> apply = new ArrayList<>(host);
      apply.addAll(layer ? List.of("layer", "apply", "base") : List.of("apply", "web", "-"));
      assertEquals(2, run(true, Map.of(), apply.toArray(String[]::new)));
      assertTrue(
          err().endsWith(": refusing to read an archive from a terminal; name a file\n"),
          this::err);
      assertEquals("", out());
    }
  }

  @Test
  void everyVerbShowsItsUsage() {
    assertTrue(verbs().containsAll(List.of("create", "up", "down", "rm", "demo")));
    for (String verb : verbs()) {
      for (String option : List.of("--help", "-h")) {
        assertEquals(0, run(verb, option), verb);
        assertTrue(out().startsWith("Usage: ovlctl " + verb + " "), this::out);
        assertEquals("", err(), verb);
      }
    }
  }

  @Test
  void everyLineOfUsageFitsATerminal() {
    for (String verb : verbs()) {
      run(verb, "--help");
      out().lines().forEach(line -> assertTrue(line.length() <= 80, line));
    }
  }

  @Test
  void everyVerbRefusesAnUnknownOptionInOneLine() {
    for (String verb : verbs()) {
      // mount(8), fsck(8) and env(1) have their own statuses
      int refused =
          switch (verb) {
            case "mount.ovl" -> 1;
            case "fsck.overlay" -> 16;
            case "run", "try", "unshare" -> 125;
            default -> Ovlctl.USAGE;
          };
      assertEquals(refused, run(verb, "--no-such-option"), verb);
      assertEquals("", out(), verb);
      assertEquals(1, err().lines().count(), this::err);
      assertTrue(err().startsWith("ovlctl: " + verb + ": "), this::err);
    }
  }

  @Test
  void colourIsForTerminals() {
    String escape = "\u001b[";
    run("--help");
    assertEquals(-1, out().indexOf(escape));
    run(true, Map.of(), "--help");
    assertTrue(out().contains(escape));
    run(true, Map.of("NO_COLOR", "1"), "--help");
    assertEquals(-1, out().indexOf(escape));
    run(true, Map.of("NO_COLOR", ""), "--help");
    assertTrue(out().contains(escape), "an empty NO_COLOR is none");
    run(true, Map.of("NO_COLOR", "1"), "--color", "always", "--help");
    assertTrue(out().contains(escape));
    run(true, Map.of(), "--color=never", "--help");
    assertEquals(-1, out().indexOf(escape));
  }

  @Test
  void pathsComeFromTheSession() throws Exception {
    Ovlctl ovlctl =
        new Ovlctl(
            new Session(
                new ByteArrayInputStream(new byte[0]),
                out,
                err,
                new FixedPlace(OsPath.of("/some/where\udcff")),
                Map.of("OVL_CONFIG", "/dev/null", "OVL_ROOT", "below", "OVL_RUN", "/run/x/"),
                new Session.Terminal(false, false, false),
                new Cancellation()));
    assertEquals("/some/where\udcff/below", ovlctl.root().toString());
    assertEquals("/run/x", ovlctl.runDirectory().toString());
    assertEquals("/some/where\udcff/a/../b", ovlctl.absolute("./a//../b/").toString());
  }
}
