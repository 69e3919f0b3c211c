package dev.ovl.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.reference.DocumentedProgram;
import dev.ovl.reference.Reference;
import dev.ovl.testkit.Manual;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Model.OptionSpec;

/** What is told of mountd beside its help. */
class MountdReferenceTest {
  private final String page =
      Reference.files(List.of(new MountdReference())).get("man/man8/ovl-mountd.8");

  @Test
  void itIsFoundAsAService() {
    assertTrue(
        ServiceLoader.load(DocumentedProgram.class).stream()
            .anyMatch(program -> program.type() == MountdReference.class));
  }

  @Test
  void itsPageTellsOfEveryOption() {
    assertEquals("", Manual.complaints(page));
    String rendered = Manual.rendered(page);
    for (OptionSpec option : new MountdReference().model().options()) {
      assertTrue(rendered.contains(option.longestName()), () -> option + rendered);
    }
    assertTrue(rendered.contains("OVL_WORKERS\n"), rendered);
    assertTrue(rendered.contains("SIGHUP "), rendered);
  }
}
