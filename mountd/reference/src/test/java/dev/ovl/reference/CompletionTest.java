package dev.ovl.reference;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.testkit.Requires;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The scripts, in the shells that they are for. The program is a stand-in that writes down its
 * arguments; asked for {@code ls} it has two stacks, for {@code layer ls} two layers.
 */
class CompletionTest {
  @TempDir private Path directory;

  private static final String STAND_IN =
      """
      #!/bin/sh
      case " $* " in
        *' layer ls --quiet '*)
          printf '%s\\n' "$@" >reach
          echo 'LAYER  DRIVER'
          echo 'base   overlay2'
          echo 'top    overlay2'
          ;;
        *' ls --quiet '*)
          printf '%s\\n' "$@" >reach
          echo 'NAME    STATE  TARGET'
          echo 'web     up     /a'
          echo 'my box  down   /b'
          ;;
        *) printf '%s\\n' "$@" >arguments ;;
      esac
      """;

  @BeforeEach
  void standIn() throws IOException {
    for (String name : List.of("tool", "toold")) {
      Path program = directory.resolve(name);
      Files.writeString(program, STAND_IN);
      program.toFile().setExecutable(true);
    }
    for (Shell shell : Shell.values()) {
      Files.writeString(directory.resolve(shell.word()), shell.script(Sample.tool()));
      Files.writeString(directory.resolve(shell.word() + "d"), shell.script(Sample.daemon()));
    }
    Files.createDirectories(directory.resolve("some dir/inner"));
    Files.writeString(directory.resolve("some file"), "");
  }

  private Map<String, String> environment() {
    return Map.of(
        "PATH",
        directory + ":" + System.getenv("PATH"),
        "HOME",
        directory.toString(),
        "XDG_CONFIG_HOME",
        directory.toString(),
        "LC_ALL",
        "C.UTF-8",
        "TERM",
        "dumb");
  }

  /** What the program was called with, after somebody typed this and Enter. */
  private List<String> typed(Typist typist, String text) throws Exception {
    Path arguments = directory.resolve("arguments");
    Files.deleteIfExists(arguments);
    typist.type(text + "\n");
    return Files.exists(arguments) ? Files.readAllLines(arguments) : List.of(typist.toString());
  }

  private List<String> reach() throws IOException {
    return Files.readAllLines(directory.resolve("reach"));
  }

  /** What bash and zsh do alike. */
  private void complete(Typist typist) throws Exception {
    assertEquals(List.of("create"), typed(typist, "tool cr\t"));
    assertEquals(List.of("--quiet", "create"), typed(typist, "tool --qui\t cr\t"));
    assertEquals(List.of("--root", "x", "create"), typed(typist, "tool --root x cr\t"));
    assertEquals(List.of("create", "--lower"), typed(typist, "tool create --lo\t"));
    assertEquals(List.of("up", "--all"), typed(typist, "tool up --a\t"));
    assertEquals(List.of("up", "--host"), typed(typist, "tool up --ho\t"));
    assertEquals(List.of("--host", "none"), typed(typist, "tool --host no\t"));
    assertEquals(List.of("--host=none"), typed(typist, "tool --host=no\t"));
    assertEquals(List.of("secr"), typed(typist, "tool secr\t"), "hidden");
    assertEquals(List.of("print", "short"), typed(typist, "tool print sh\t"));

    assertEquals(List.of("up", "web"), typed(typist, "tool up w\t"));
    assertEquals(List.of("ls", "--quiet"), reach());
    assertEquals(List.of("up", "web", "my box"), typed(typist, "tool up web m\t"));
    assertEquals(List.of("--root", "/r", "up", "web"), typed(typist, "tool --root /r up w\t"));
    assertEquals(List.of("--root", "/r", "ls", "--quiet"), reach());
    assertEquals(List.of("shelf", "paint"), typed(typist, "tool sh\t pa\t"));
    assertEquals(List.of("shelf", "paint", "--like"), typed(typist, "tool shelf paint --l\t"));
    assertEquals(List.of("shelf", "clear", "--l"), typed(typist, "tool shelf clear --l\t"));
    assertEquals(List.of("shelf", "clear", "--quiet"), typed(typist, "tool shelf clear --qu\t"));
    assertEquals(List.of("shelf", "clear", "base"), typed(typist, "tool shelf clear ba\t"));
    assertEquals(List.of("layer", "ls", "--quiet"), reach());
    assertEquals(
        List.of("--root", "/r", "shelf", "clear", "base", "top"),
        typed(typist, "tool --root /r shelf clear base to\t"));
    assertEquals(List.of("--root", "/r", "layer", "ls", "--quiet"), reach());
    assertEquals(
        List.of("shelf", "paint", "--like", "top", "base", "some file"),
        typed(typist, "tool shelf paint --like to\t ba\t some\\ f\t"));
    assertEquals(List.of("clone", "web", "w"), typed(typist, "tool clone web w\t"), "a new name");
    assertEquals(List.of("create", "w"), typed(typist, "tool create w\t"), "a new name");

    assertEquals(
        List.of("--root", "some dir/"), typed(typist, "tool --root so\t"), "no file is offered");
    assertEquals(
        List.of("create", "--lower=some dir/inner/"),
        typed(typist, "tool create --lower=some\\ dir/i\t"));
    assertEquals(List.of("print", "short", "some dir/"), typed(typist, "tool print short so\t"));
    assertEquals(List.of("--config", "some file"), typed(typist, "tool --config some\\ f\t"));
  }

  @Test
  void bash() throws Exception {
    Requires.program("bash");
    Requires.program("script");
    try (Typist typist =
        new Typist(
            "PS1=" + Typist.PROMPT + " bash --norc --noprofile -i", directory, environment())) {
      typist.awaitPrompt();
      typist.type("bind 'set bell-style none'\n");
      typist.type(". ./bash\n");
      typist.type(". ./bashd\n");
      complete(typist);
      assertEquals(List.of("--group-access", "write"), typed(typist, "toold --group-a\t wr\t"));
    }
  }

  @Test
  void zsh() throws Exception {
    Requires.program("zsh");
    Requires.program("script");
    try (Typist typist =
        new Typist("PS1=" + Typist.PROMPT + "% zsh -f -i", directory, environment())) {
      typist.awaitPrompt();
      typist.type(
          "unsetopt beep prompt_cr prompt_sp auto_remove_slash; unset zle_bracketed_paste; autoload -Uz compinit; compinit -u -D\n");
      typist.type(". ./zsh\n");
      typist.type(". ./zshd\n");
      complete(typist);
      assertEquals(List.of("--group-access=write"), typed(typist, "toold --group-a\twr\t"));
    }
  }

  @Test
  void fish() throws Exception {
    Requires.program("fish");
    assertEquals(List.of("create"), offered("tool cr"));
    assertEquals(List.of("create"), offered("tool --root x cr"));
    assertEquals(List.of("clone", "create", "print", "shelf", "up"), offered("tool "));
    assertEquals(List.of("clear", "paint"), offered("tool shelf "));
    assertEquals(List.of("--like"), offered("tool shelf paint --li"));
    assertEquals(List.of(), offered("tool shelf clear --li"));
    assertEquals(List.of("base", "top"), offered("tool shelf clear "));
    assertEquals(List.of("layer", "ls", "--quiet"), reach());
    assertEquals(List.of("top"), offered("tool --root=/r shelf clear base to"));
    assertEquals(List.of("--root=/r", "layer", "ls", "--quiet"), reach());
    assertEquals(List.of("top"), offered("tool shelf paint --like to"));
    assertEquals(List.of("base", "top"), offered("tool shelf paint --like top "));
    assertEquals(List.of("some file"), offered("tool shelf paint top some\\ f"));
    assertEquals(List.of("--quiet"), offered("tool --qui"));
    assertEquals(List.of("--lower"), offered("tool create --lo"));
    assertEquals(List.of(), offered("tool up --lo"));
    assertEquals(List.of("--all"), offered("tool up --a"));
    assertEquals(List.of("none"), offered("tool --host no"));
    assertEquals(List.of("--host=none"), offered("tool --host=no"));
    assertEquals(List.of("long", "short"), offered("tool print "));
    assertEquals(List.of("some dir/"), offered("tool print short "));
    assertEquals(List.of("some dir/"), offered("tool --root so"), "no file is offered");
    assertEquals(List.of("some dir/", "some file"), offered("tool --config so"));
    assertEquals(List.of("--group-access"), offered("toold --group-a"));
    assertEquals(List.of("write"), offered("toold --group-access wr"));

    assertEquals(List.of("my box", "web"), offered("tool up "));
    assertEquals(List.of("ls", "--quiet"), reach());
    assertEquals(List.of("web"), offered("tool --root /r up we"));
    assertEquals(List.of("--root", "/r", "ls", "--quiet"), reach());
    assertEquals(List.of("web"), offered("tool --root=/r up we"));
    assertEquals(List.of("--root=/r", "ls", "--quiet"), reach());
    assertEquals(List.of("web"), offered("tool clone w"));
    assertEquals(List.of(), offered("tool clone web w"), "a new name");
    assertEquals(List.of(), offered("tool create w"), "a new name");
  }

  /** What fish offers for a command line that ends here. */
  private List<String> offered(String line) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
            "fish", "--no-config", "-c", "source fish; source fishd; complete -C $argv[1]", line);
    builder.environment().putAll(environment());
    Process fish =
        builder
            .directory(directory.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .redirectInput(Path.of("/dev/null").toFile())
            .start();
    String text = new String(fish.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, fish.waitFor());
    return List.copyOf(
        new TreeSet<>(text.lines().map(offer -> offer.replaceFirst("\t.*", "")).toList()));
  }
}
