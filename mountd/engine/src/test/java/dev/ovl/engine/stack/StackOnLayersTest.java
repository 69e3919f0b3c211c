package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.TreeDiff;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.layer.Layers;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.FaultInjector;
import dev.ovl.testkit.Trees;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Stacks whose lowers are layers, and layers that are made of stacks. */
@Tag("kernel")
class StackOnLayersTest {
  @RegisterExtension final StackLab lab = new StackLab();

  private Layers layers;
  private Driver driver;

  /** The layers {@code base} and {@code top} on it. */
  @BeforeEach
  void twoLayers() throws Exception {
    layers = lab.stacks().layers();
    driver = layers.driver(Optional.of("overlay2"));
    Optional<LayerId> parent = Optional.empty();
    for (String name : List.of("base", "top")) {
      layers.create(driver, id(name), parent, false);
      OsPath place = layers.get(driver, id(name));
      lab.write(place.resolve("of-" + name), name);
      lab.write(place.resolve("both"), name);
      layers.put(driver, id(name));
      parent = Optional.of(id(name));
    }
  }

  private static LayerId id(String text) throws EngineException {
    return LayerId.of(text);
  }

  private StackDefinition create(String name, String parent, OsPath... directories)
      throws Exception {
    return lab.stacks().create(request(name, parent, List.of(), directories));
  }

  private static StackRequest request(
      String name, String parent, List<String> options, OsPath... directories) throws Exception {
    return new StackRequest(
        StackLab.name(name),
        List.of(directories),
        Optional.of(id(parent)),
        false,
        Optional.empty(),
        Optional.empty(),
        new StackRequest.Union.Overlay(
            Optional.empty(), MountOptions.parse(options), Optional.empty(), false));
  }

  private static String refusal(org.junit.jupiter.api.function.Executable attempt) {
    return assertThrows(EngineException.class, attempt).getMessage();
  }

  private List<String> changes(String name) throws Exception {
    try (TreeDiff diff = lab.stacks().compare(StackLab.name(name), Progress.NONE, () -> false)) {
      return diff.changes().stream().map(Object::toString).toList();
    }
  }

  // ---- stacks on layers ---------------------------------------------------------------------

  @Test
  void aStackShowsTheChain() throws Exception {
    OsPath plain = lab.layer("plain", "of-plain=1", "both=plain");
    StackDefinition stack = create("web", "top", plain);
    assertEquals(Optional.of(id("top")), stack.parent());
    OsPath target = lab.up("web");
    assertEquals(List.of("both", "of-base", "of-plain", "of-top"), lab.names(target));
    assertEquals("plain", lab.read(target.resolve("both")));
    assertTrue(driver.isCommitted(id("top")));

    // the same in another process
    Stacks other = lab.stacks(lab.sys, lab.root(), lab.run());
    assertEquals(stack, other.summary(StackLab.name("web")).definition());
    lab.write(target.resolve("new"), "2");
    assertEquals(List.of("A /new"), changes("web"));
    lab.down("web");
    lab.remove("web");
    assertEquals(List.of(id("base"), id("top")), driver.layers());
    assertEquals(List.of(), layers.recover(), "the layers' links are there still");
  }

  @Test
  void onlyWhatExistsIsAParent() throws Exception {
    assertEquals("no such parent: none (ENOENT)", refusal(() -> create("web", "none")));
    layers.create(driver, id("open"), Optional.of(id("top")), true);
    layers.get(driver, id("open"));
    assertEquals(
        "parent open is mounted and not committed: it still changes (EBUSY)",
        refusal(() -> create("web", "open")));
    layers.put(driver, id("open"));
    StackDefinition other = create("other", "open");
    LayerId own = other.layer().orElseThrow().id();
    assertEquals(
        "layer " + own + " belongs to stack other (EBUSY)",
        refusal(() -> create("web", own.text())));
    assertEquals(1, lab.stacks().names().size());
  }

  @Test
  void aLayerThatAStackNeedsStays() throws Exception {
    StackDefinition stack = create("web", "top");
    assertEquals(
        "layer top is needed by stack web (EBUSY)",
        refusal(() -> layers.remove(driver, id("top"))));
    assertEquals(
        "layer base is needed by stack web (EBUSY)",
        refusal(() -> layers.remove(driver, id("base"))));
    LayerId own = stack.layer().orElseThrow().id();
    String owned = "layer " + own + " belongs to stack web (EBUSY)";
    assertEquals(owned, refusal(() -> layers.remove(driver, own)));
    assertEquals(owned, refusal(() -> layers.get(driver, own)));
    assertEquals(owned, refusal(() -> layers.put(driver, own)));
    assertEquals(owned, refusal(() -> layers.commit(driver, own)));
    assertEquals(owned, refusal(() -> layers.apply(driver, own, TreeSink::finish)));
    assertEquals(Optional.of("stack web"), layers.report(driver, id("top")).user());
    lab.remove("web");
    assertFalse(driver.exists(own));
    layers.remove(driver, id("top"));
    layers.remove(driver, id("base"));
  }

  @Test
  void theParentCanBeChangedAndDropped() throws Exception {
    OsPath plain = lab.layer("plain", "of-plain=1");
    create("web", "base", plain);
    set("web", Optional.of(id("top")));
    assertEquals(List.of("both", "of-base", "of-plain", "of-top"), lab.names(lab.up("web")));
    lab.down("web");
    set("web", Optional.empty());
    assertEquals(List.of("of-plain"), lab.names(lab.up("web")));
    lab.down("web");
    layers.remove(driver, id("top"));
    lab.remove("web");
    assertEquals(List.of(), layers.recover());
  }

  private void set(String name, Optional<LayerId> parent) throws Exception {
    lab.stacks()
        .set(
            StackLab.name(name),
            new StackChange(
                Optional.empty(),
                Optional.of(parent),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty()));
  }

  // ---- layers of stacks ---------------------------------------------------------------------

  /** What was renamed and changed in attributes alone is real in the layer. */
  @ParameterizedTest
  @ValueSource(strings = {"redirect_dir=off", "redirect_dir=on,metacopy=on"})
  void aCommitShowsWhatTheStackShows(String options) throws Exception {
    OsPath place = layers.get(driver, id("base"));
    layers.put(driver, id("base"));
    OsPath plain = lab.layer("plain", "d/x=1", "d/y=2", "kept=3", "gone=4");
    lab.stacks().create(request("web", "top", List.of(options.split(",")), plain));
    OsPath target = lab.up("web");
    lab.unlink(target.resolve("gone"));
    lab.unlink(target.resolve("of-base"));
    lab.sys.fchmodat(Linux.AT_FDCWD, target.resolve("kept"), 0640);
    if (options.contains("redirect_dir=on")) {
      lab.files.rename(target.resolve("d"), target.resolve("e"));
    }
    lab.write(target.resolve("new"), "5");

    LayerId made =
        lab.stacks()
            .commit(StackLab.name("web"), Optional.of(id("made")), Progress.NONE, () -> false);
    assertEquals(id("made"), made);
    assertEquals(List.of(id("top"), id("base")), driver.ancestors(made));
    assertTrue(driver.isCommitted(made));
    Trees.assertSame(Trees.snapshot(target), Trees.snapshot(layers.get(driver, made)));
    layers.put(driver, made);
    for (String name : lab.names(lab.root().resolve("overlay2/made/diff"))) {
      OsPath file = lab.root().resolve("overlay2/made/diff").resolve(name);
      assertEquals(Optional.empty(), lab.attribute(file, "trusted.overlay.redirect"));
      assertEquals(Optional.empty(), lab.attribute(file, "trusted.overlay.metacopy"));
    }
    assertTrue(lab.exists(place));
    lab.assertUp("web");
    assertEquals(
        "layer made exists (EEXIST)",
        refusal(
            () ->
                lab.stacks()
                    .commit(
                        StackLab.name("web"),
                        Optional.of(id("made")),
                        Progress.NONE,
                        () -> false)));
  }

  @Test
  void aCommitOfPlainDirectoriesIsABaseLayer() throws Exception {
    OsPath target = lab.stack("web", lab.layer("b", "x=1"), lab.layer("a", "y=2")).up();
    lab.write(target.resolve("z"), "3");
    LayerId made =
        lab.stacks().commit(StackLab.name("web"), Optional.empty(), Progress.NONE, () -> false);
    assertEquals(64, made.text().length());
    assertEquals(List.of(), driver.ancestors(made));
    assertEquals(List.of("x", "y", "z"), lab.names(layers.get(driver, made)));
  }

  @Test
  void anUpperBecomesALayer() throws Exception {
    StackDefinition before = create("web", "top");
    LayerId own = before.layer().orElseThrow().id();
    OsPath target = lab.up("web");
    lab.write(target.resolve("new"), "1");
    String up = refusal(() -> lab.stacks().commitByMove(StackLab.name("web")));
    assertTrue(up.contains("'down' it before you commit it"), up);
    lab.down("web");

    assertEquals(own, lab.stacks().commitByMove(StackLab.name("web")));
    assertTrue(driver.isCommitted(own));
    assertEquals(List.of(id("top"), id("base")), driver.ancestors(own));
    assertEquals(Optional.of("stack web"), layers.report(driver, own).user());
    assertEquals(List.of(), changes("web"));
    target = lab.up("web");
    assertEquals(List.of("both", "new", "of-base", "of-top"), lab.names(target));
    lab.write(target.resolve("newer"), "2");
    assertEquals(List.of("A /newer"), changes("web"));
    lab.down("web");
    lab.remove("web");
    assertEquals(List.of("both", "new", "of-base", "of-top"), lab.names(layers.get(driver, own)));
    layers.put(driver, own);
    assertEquals(List.of(), layers.recover());
    layers.remove(driver, own);
  }

  @Test
  void onlyAnUpperOnLayersBecomesOne() throws Exception {
    String message =
        "only the own layer of a stack that lies on layers alone can become one of them";
    create("mixed", "top", lab.layer("plain", "x=1"));
    assertEquals(message, refusal(() -> lab.stacks().commitByMove(StackLab.name("mixed"))));
    lab.stack("plain", lab.layer("plain", "x=1")).create();
    assertEquals(message, refusal(() -> lab.stacks().commitByMove(StackLab.name("plain"))));
  }

  /** Before and after are the only two that a crash can leave. */
  @Test
  @Tag("slow")
  void aMoveThatIsCutShort() throws Exception {
    for (int n = 1; ; n++) {
      StackDefinition before = create("web", "top");
      LayerId own = before.layer().orElseThrow().id();
      lab.write(lab.up("web").resolve("new"), "1");
      lab.down("web");
      FaultInjector sys = new FaultInjector(lab.sys).failAt(n, Errno.EIO);
      boolean done = true;
      try (Stacks stacks = new Stacks(sys, lab.root(), lab.run())) {
        stacks.commitByMove(StackLab.name("web"));
      } catch (EngineException | ErrnoException e) {
        done = false;
      }
      Stacks after = lab.stacks();
      after.recover();
      layers.recover();
      StackDefinition now = after.summary(StackLab.name("web")).definition();
      assertEquals(done, !now.equals(before), "call " + n + ": " + sys.struck());
      assertEquals(done, driver.isCommitted(own), "call " + n + ": " + sys.struck());
      assertEquals(
          List.of("both", "new", "of-base", "of-top"), lab.names(lab.up("web")), "call " + n);
      lab.down("web");
      lab.remove("web");
      if (done) {
        layers.remove(driver, own);
      }
      assertEquals(List.of(id("base"), id("top")), driver.layers(), "call " + n);
      assertEquals(List.of(), layers.recover(), "call " + n);
      if (sys.struck().isEmpty()) {
        assertTrue(done);
        break;
      }
    }
  }

  // ---- content ------------------------------------------------------------------------------

  @Test
  void contentIsAppliedToAStackThatIsDown() throws Exception {
    create("from", "top");
    OsPath target = lab.up("from");
    lab.write(target.resolve("new"), "1");
    lab.unlink(target.resolve("of-base"));
    create("to", "top");
    lab.write(lab.up("to").resolve("mine"), "2");
    try (TreeDiff diff = lab.stacks().compare(StackLab.name("from"), Progress.NONE, () -> false)) {
      String up = refusal(() -> lab.stacks().apply(StackLab.name("to"), diff::stream));
      assertTrue(up.contains("'down' it before you write into it"), up);
      lab.down("to");
      lab.stacks().apply(StackLab.name("to"), diff::stream);
    }
    assertEquals(List.of("A /mine", "A /new", "D /of-base"), changes("to"));
    assertEquals(List.of("both", "mine", "new", "of-top"), lab.names(lab.up("to")));
  }

  @Test
  void levelsAreToldFromTheTop() throws Exception {
    create("web", "top", lab.layer("plain", "x=1"));
    lab.write(lab.up("web").resolve("new"), "1");
    List<StackLevel> levels = lab.stacks().levels(StackLab.name("web"), () -> false);
    assertEquals(
        List.of(
            Optional.empty(), Optional.empty(), Optional.of(id("top")), Optional.of(id("base"))),
        levels.stream().map(StackLevel::layer).toList());
    assertEquals(
        List.of(true, false, false, false), levels.stream().map(StackLevel::writable).toList());
    assertEquals(
        List.of(2L, 2L, 3L, 3L), levels.stream().map(level -> level.usage().inodes()).toList());
  }
}
