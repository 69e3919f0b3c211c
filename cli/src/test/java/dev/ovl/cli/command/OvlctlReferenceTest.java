package dev.ovl.cli.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.reference.DocumentedProgram;
import dev.ovl.reference.Reference;
import dev.ovl.testkit.Manual;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** What is told of ovlctl beside its help. */
class OvlctlReferenceTest {
  private final CommandSpec model = new OvlctlReference().model();
  private final Map<String, String> files = Reference.files(List.of(new OvlctlReference()));

  private String page(String name) {
    return files.get("man/man1/" + name + ".1");
  }

  @Test
  void itIsFoundAsAService() {
    assertEquals(
        List.of(OvlctlReference.class),
        ServiceLoader.load(DocumentedProgram.class).stream()
            .map(ServiceLoader.Provider::type)
            .toList());
  }

  @Test
  void manHasNothingToComplainOf() {
    files.forEach(
        (name, text) -> {
          if (name.startsWith("man/man1/")) {
            assertEquals("", Manual.complaints(text), name);
          }
        });
  }

  @Test
  void everyVerbAndOptionIsToldOf() {
    isToldOf("ovlctl", model);
    assertTrue(page("ovlctl-layer-create").contains("ovlctl layer create"));
  }

  private void isToldOf(String name, CommandSpec command) {
    String page = Manual.rendered(page(name));
    options(command, page);
    for (CommandLine verb : command.subcommands().values()) {
      CommandSpec spec = verb.getCommandSpec();
      if (!spec.usageMessage().hidden()) {
        String below = name + "-" + spec.name();
        assertTrue(page.contains(below + "(1)\n"), below);
        isToldOf(below, spec);
      }
    }
  }

  private static void options(CommandSpec command, String page) {
    for (OptionSpec option : command.options()) {
      assertTrue(page.contains(option.longestName()), () -> command.name() + ": " + option + page);
    }
  }

  @Test
  void completionPrintsTheScripts() {
    for (String shell : List.of("bash", "zsh", "fish")) {
      String file = Map.of("bash", "ovlctl", "zsh", "_ovlctl", "fish", "ovlctl.fish").get(shell);
      OvlctlTest ovlctl = new OvlctlTest();
      assertEquals(0, ovlctl.run("completion", shell));
      assertEquals(files.get("completions/" + shell + "/" + file), ovlctl.out());
    }
  }

  @Test
  void wordsAreOffered() {
    String bash = files.get("completions/bash/ovlctl");
    assertTrue(bash.contains("'auto' 'classic' 'relative' 'lowerdir+' 'fd'"), bash);
    assertTrue(bash.contains("'shared' 'slave' 'private' 'unbindable'"), bash);
    assertTrue(bash.contains("words=('bash' 'zsh' 'fish')"), bash);
    assertTrue(bash.contains("words=('oci' 'aufs' 'overlay')"), bash);
    assertTrue(bash.contains("words=('none' 'gzip' 'zstd')"), bash);
    assertTrue(bash.contains("layer' 'rm' '*) kind=layers"), bash);
    assertTrue(bash.contains("layer' 'create' --parent') kind=layers"), bash);
    assertFalse(bash.contains("layer' 'create' '0)"), "a new id");
  }
}
