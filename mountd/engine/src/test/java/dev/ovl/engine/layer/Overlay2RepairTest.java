package dev.ovl.engine.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Locks;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What of a broken overlay2 home is put right, and that nothing else is touched. */
@Tag("kernel")
class Overlay2RepairTest {
  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);
  private Stacks stacks;
  private Layers layers;
  private Driver driver;
  private OsPath home;

  /** A chain of three, each with a file of its own. */
  @BeforeEach
  void chain() throws Exception {
    Requires.overlay();
    stacks = new Stacks(sys, scratch.resolve("root"), scratch.resolve("run"));
    layers = stacks.layers();
    driver = layers.driver(Optional.of("overlay2"));
    home = scratch.resolve("root/overlay2");
    Optional<LayerId> parent = Optional.empty();
    for (String name : List.of("a", "b", "c")) {
      layers.create(driver, id(name), parent, true);
      files.create(home.resolve(name + "/diff/of-" + name), new byte[] {'x'}, 0644, false);
      parent = Optional.of(id(name));
    }
  }

  @AfterEach
  void close() throws Exception {
    layers.cleanup(driver);
    stacks.close();
  }

  private static LayerId id(String text) throws EngineException {
    return LayerId.of(text);
  }

  private String text(String path) throws ErrnoException {
    return new String(files.read(home.resolve(path)).orElseThrow(), StandardCharsets.US_ASCII);
  }

  private OsPath link(String layer) throws ErrnoException {
    return home.resolve("l").resolve(text(layer + "/link"));
  }

  private void assertWhole() throws Exception {
    assertEquals(List.of(), layers.recover(), "a second time there is nothing to do");
    for (String name : List.of("a", "b", "c")) {
      assertEquals(
          Optional.of(OsPath.of("../" + name + "/diff")), files.readLink(link(name)), name);
    }
    assertEquals(List.of(id("b"), id("a")), driver.ancestors(id("c")));
    OsPath place = layers.get(driver, id("c"));
    assertEquals(
        List.of("of-a", "of-b", "of-c"), files.list(place).stream().map(OsPath::toString).toList());
    layers.put(driver, id("c"));
  }

  @Test
  void aLostLink() throws Exception {
    String name = text("a/link");
    files.remove(link("a"));
    assertThrows(EngineException.class, () -> driver.ancestors(id("b")), "it is not guessed");
    assertEquals(
        List.of("overlay2: layer a: made its lost link " + name + " anew"), layers.recover());
    assertWhole();
  }

  @Test
  void aLayerThatSomebodyIsAtWorkOn() throws Exception {
    files.remove(link("a"));
    Locks locks = new Locks(sys, Duration.ofSeconds(5));
    try (Locks.Held held =
        locks.acquire(scratch.resolve("root/locks/overlay2-a"), "layer a, by another process")) {
      assertEquals(List.of(), layers.recover());
      assertTrue(files.lstat(link("a")).isEmpty());
      held.removeFile();
    }
    assertEquals(1, layers.recover().size());
    assertWhole();
  }

  @Test
  void allLinksLost() throws Exception {
    files.removeTree(home.resolve("l"));
    assertEquals(3, layers.recover().size());
    assertWhole();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "tooshort", "lower case is not allowed.", "../../../etc/passwd"})
  void aLinkFileThatMakesNoSense(String content) throws Exception {
    String name = text("b/link");
    files.replace(home.resolve("b/link"), content.getBytes(StandardCharsets.US_ASCII), 0644);
    assertEquals(
        List.of("overlay2: layer b: wrote its link file anew, for " + name), layers.recover());
    assertEquals(name, text("b/link"));
    assertWhole();
  }

  @Test
  void aLinkFileThatIsGone() throws Exception {
    files.remove(home.resolve("a/link"));
    assertEquals(1, layers.recover().size());
    assertWhole();
  }

  @Test
  void linkAndItsFileBothGone() throws Exception {
    files.remove(link("c"));
    files.remove(home.resolve("c/link"));
    assertEquals(1, layers.recover().size());
    assertWhole();
  }

  @Test
  void aLinkThatTwoLayersClaim() throws Exception {
    files.replace(home.resolve("c/link"), text("a/link").getBytes(StandardCharsets.US_ASCII), 0644);
    assertEquals(1, layers.recover().size());
    assertFalse(text("c/link").equals(text("a/link")));
    assertWhole();
  }

  @Test
  void aLowerFileThatAChildKnows() throws Exception {
    String lower = text("b/lower");
    files.replace(home.resolve("b/lower"), new byte[0], 0644);
    assertEquals(
        List.of("overlay2: layer b: wrote its lower file anew, after that of a layer above it"),
        layers.recover());
    assertEquals(lower, text("b/lower"));
    assertWhole();
  }

  @Test
  void aLowerFileThatNobodyKnows() throws Exception {
    String lower = text("c/lower");
    files.remove(home.resolve("c/lower"));
    List<String> told =
        List.of(
            "overlay2: layer c: its lower file is lost, and no layer above it tells its parents");
    assertEquals(told, layers.recover());
    assertTrue(files.lstat(home.resolve("c/diff/of-c")).isPresent(), "its content stays");
    files.replace(home.resolve("c/lower"), lower.getBytes(StandardCharsets.US_ASCII), 0644);
    assertWhole();
  }

  @Test
  void aLayerThatWasNeverWhole() throws Exception {
    files.mkdir(home.resolve("half"), 0710);
    assertEquals(
        List.of("overlay2: removed layer half, which was never made whole"), layers.recover());
    assertWhole();
  }

  @Test
  void aLinkOfALayerThatIsGone() throws Exception {
    files.symlink(OsPath.of("../gone/diff"), home.resolve("l/ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
    assertEquals(1, layers.recover().size());
    assertTrue(files.lstat(home.resolve("l/ABCDEFGHIJKLMNOPQRSTUVWXYZ")).isEmpty());
    assertWhole();
  }

  @ParameterizedTest
  @ValueSource(strings = {".tmp-new", "old-removing"})
  void whatACrashLeft(String name) throws Exception {
    OsPath rubbish = home.resolve(name);
    files.mkdirs(rubbish.resolve("diff/d"), 0755);
    try (Fd held = files.openDirectory(rubbish)) {
      sys.flock(held.number(), Linux.LOCK_EX);
      assertEquals(List.of(), layers.recover(), "somebody is at work on it");
    }
    assertEquals(1, layers.recover().size());
    assertTrue(files.lstat(rubbish).isEmpty());
    assertWhole();
  }

  @Test
  void whatIsNotOvlsStays() throws Exception {
    files.mkdirs(home.resolve("not a layer/diff"), 0755);
    files.create(home.resolve("l/README"), new byte[] {'x'}, 0644, false);
    // a block device of dockerd's, which has a layer's name
    files.create(home.resolve("backingFsBlockDev"), new byte[0], 0600, false);
    assertEquals(List.of(id("a"), id("b"), id("c")), driver.layers());
    files.symlink(scratch.path(), home.resolve("l/ZZZZZZZZZZZZZZZZZZZZZZZZZZ"));
    Trees.Snapshot before = Trees.snapshot(home);
    assertEquals(List.of(), layers.recover());
    Trees.assertSame(before, Trees.snapshot(home));
  }
}
