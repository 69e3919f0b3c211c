package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.stack.Examined.Outcome;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is found in a stack beyond its overlay, and when it is not mended. */
@Tag("kernel")
class StackCheckupTest {
  private static final String LINK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

  @RegisterExtension final StackLab lab = new StackLab();

  private OsPath lower;
  private OsPath links;

  @BeforeEach
  void make() throws Exception {
    lower = lab.layer("a", "file=1", "other=2");
    links = lab.root().resolve("overlay2/l");
  }

  private List<String> found(String name, Outcome outcome, List<Examined> all) {
    return all.stream()
        .peek(one -> assertEquals(outcome, one.outcome(), name + ": " + one))
        .map(one -> one.finding().kind() + " " + name(one.finding().path()))
        .toList();
  }

  private static String name(OsPath path) {
    return path.isEmpty() ? "." : path.fileName().toString();
  }

  private List<String> examine(String name) throws EngineException, ErrnoException {
    return found(
        name,
        Outcome.LEFT,
        lab.stacks().examine(StackLab.name(name), true, Progress.NONE, () -> false));
  }

  private List<String> mended(String name) throws EngineException, ErrnoException {
    return found(
        name,
        Outcome.MENDED,
        lab.stacks().repair(StackLab.name(name), false, Progress.NONE, () -> false));
  }

  @Test
  void aStackThatIsAsItShouldBe() throws Exception {
    StackDefinition made = lab.stack("web", lower).create();
    assertEquals(List.of(), examine("web"));
    OsPath target = lab.up("web");
    lab.write(target.resolve("file"), "new");
    lab.unlink(target.resolve("other"));
    assertEquals(List.of(), examine("web"));
    lab.down("web");
    assertEquals(List.of(), examine("web"));
    assertEquals(List.of(), mended("web"));
    lab.stack("view", lower).readOnly().create();
    assertEquals(List.of(), examine("view"));
    assertTrue(made.layer().isPresent());
  }

  @Test
  void linksThatAreLostOrLeaked() throws Exception {
    StackDefinition made = lab.stack("web", lower).create();
    String own = made.lowers().getFirst().link().orElseThrow();
    lab.files.remove(links.resolve(own));
    lab.files.symlink(lower, links.resolve(LINK));
    assertEquals(List.of("LINK_LOST " + own, "LINK_LEAKED " + LINK), examine("web"));
    assertEquals(List.of("LINK_LOST " + own, "LINK_LEAKED " + LINK), mended("web"));
    assertEquals(List.of(), examine("web"));
    assertEquals(Optional.of(lower), lab.files.readLink(links.resolve(own)));
    assertEquals(Optional.empty(), lab.files.readLink(links.resolve(LINK)));
  }

  @Test
  void aLinkOfAnotherStackIsNone() throws Exception {
    lab.stack("web", lower).create();
    lab.stack("other", lower).create();
    assertEquals(List.of(), examine("web"));
  }

  @Test
  void whileItIsUpItIsLookedAtOnly() throws Exception {
    OsPath target = lab.stack("web", lower).up();
    EngineException refused =
        assertThrows(
            EngineException.class,
            () -> lab.stacks().repair(StackLab.name("web"), false, Progress.NONE, () -> false));
    assertEquals(Optional.of(Errno.EBUSY), refused.errno());
    assertTrue(refused.getMessage().contains(target.toString()), refused.getMessage());
    EngineException checked =
        assertThrows(EngineException.class, () -> lab.stacks().checkRepair(StackLab.name("web")));
    assertEquals(refused.getMessage(), checked.getMessage());
    OsPath upper = lab.root().resolve("overlay2").resolve(layer("web")).resolve("diff");
    assertEquals(Optional.empty(), lab.files.lstat(target.resolve("none")));
    lab.write(upper.resolve("none"), "by hand");
    assertEquals(List.of("SHOWN_OTHERWISE none"), examine("web"));
  }

  private OsPath layer(String name) throws EngineException, ErrnoException {
    return OsPath.of(
        lab.stacks().report(StackLab.name(name)).definition().layer().orElseThrow().id().text());
  }

  @Test
  void anUpperThatAnotherMountHas() throws Exception {
    OsPath upper = lab.directory("upper");
    OsPath work = lab.directory("work");
    lab.stack("web", lower).upper(upper, work).create();
    OsPath target = lab.directory("elsewhere");
    byte[] options = OsPath.encode("lowerdir=" + lower + ",upperdir=" + upper + ",workdir=" + work);
    lab.sys.mount(OsPath.of("overlay"), target, "overlay", 0, options);
    try {
      assertEquals(List.of("UPPER_SHARED ."), examine("web"));
      EngineException refused =
          assertThrows(
              EngineException.class,
              () -> lab.stacks().repair(StackLab.name("web"), false, Progress.NONE, () -> false));
      assertEquals(Optional.of(Errno.EBUSY), refused.errno());
      assertTrue(refused.getMessage().contains(target.toString()), refused.getMessage());
    } finally {
      lab.sys.umount2(target, 0);
    }
    assertEquals(List.of(), mended("web"));
  }

  @Test
  void anUpperThatIsALowerElsewhere() throws Exception {
    OsPath upper = lab.directory("upper");
    lab.stack("web", lower).upper(upper, lab.directory("work")).create();
    lab.stack("above", upper, lower).at(lab.directory("above")).up();
    assertEquals(List.of(), examine("web"));
    EngineException refused =
        assertThrows(EngineException.class, () -> lab.stacks().checkRepair(StackLab.name("web")));
    assertEquals(Optional.of(Errno.EBUSY), refused.errno());
    assertTrue(refused.getMessage().contains("ovl:above on "), refused.getMessage());
    lab.down("above");
    assertEquals(List.of(), mended("web"));
  }

  @Test
  void aLowerThatVanished() throws Exception {
    lab.stack("web", lower).create();
    lab.files.removeTree(lower);
    assertEquals(List.of("LAYER_MISSING ."), examine("web"));
  }
}
