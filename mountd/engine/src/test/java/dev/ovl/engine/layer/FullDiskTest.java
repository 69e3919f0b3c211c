package dev.ovl.engine.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackRequest;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.engine.tree.Xattrs;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Timestamp;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A small file system on a loop device that runs full in the middle of operations on layers. */
class FullDiskTest {
  private static final int MEGABYTE = 1 << 20;

  @RegisterExtension final Scratch scratch = Scratch.ext4();

  private Stacks stacks;
  private Layers layers;
  private Driver driver;

  private void open(String name) throws Exception {
    Requires.overlay();
    stacks = new Stacks(new LinuxSyscalls(), scratch.resolve("root"), scratch.resolve("run"));
    layers = stacks.layers();
    driver = layers.driver(Optional.of(name));
    layers.create(driver, id("base"), Optional.empty(), true);
    layers.apply(driver, id("base"), sink -> file(sink, "of-base", MEGABYTE));
    layers.create(driver, id("top"), Optional.of(id("base")), true);
    layers.apply(driver, id("top"), sink -> file(sink, "of-top", MEGABYTE));
  }

  @AfterEach
  void end() throws Exception {
    layers.cleanup(driver);
    stacks.close();
  }

  private static LayerId id(String text) {
    return new LayerId(text);
  }

  private static void file(TreeSink sink, String name, int size)
      throws EngineException, ErrnoException {
    Attributes attributes = new Attributes(0644, 0, 0, new Timestamp(5, 6), Xattrs.NONE);
    int[] left = {size};
    Content content =
        new Content.OfStream(
            buffer -> {
              int n = Math.min(left[0], buffer.remaining());
              for (int i = 0; i < n; i++) {
                buffer.put((byte) (i + 1));
              }
              left[0] -= n;
              return n;
            });
    sink.put(new Node(OsPath.of(name), new Node.Kind.Regular(size), attributes), content);
    sink.finish();
  }

  /** Takes all the room but so many bytes. */
  private void fill(long but) throws IOException {
    try (RandomAccessFile filler =
        new RandomAccessFile(scratch.resolve("filler").toString(), "rw")) {
      byte[] block = new byte[MEGABYTE];
      for (int size = block.length; size >= 512; ) {
        try {
          filler.seek(filler.length());
          filler.write(block, 0, size);
        } catch (IOException full) {
          size /= 2;
        }
      }
      filler.setLength(filler.length() - but);
    }
  }

  /** By snapshots of their directories, since no mount is to be made for a look. */
  private List<String> state() throws Exception {
    return List.of(
        driver.layers().toString(),
        driver.isCommitted(id("top")) + "",
        Trees.snapshot(scratch.resolve("root").resolve(driver.name())).toString());
  }

  private void assertNoRoom(Executable operation) throws Exception {
    List<String> before = state();
    Throwable failure = assertThrows(Throwable.class, operation);
    Optional<Errno> errno =
        failure instanceof EngineException e
            ? e.errno()
            : failure instanceof ErrnoException e ? Optional.of(e.errno()) : Optional.empty();
    assertEquals(Optional.of(Errno.ENOSPC), errno, failure::toString);
    assertEquals(before, state());
    assertEquals(List.of(), layers.recover(), "it has cleared up itself");
  }

  @ParameterizedTest
  @ValueSource(strings = {"overlay2", "vfs"})
  void contentThatDoesNotFitChangesNothing(String name) throws Exception {
    open(name);
    fill(4 * MEGABYTE);
    assertNoRoom(() -> layers.apply(driver, id("top"), sink -> file(sink, "large", 8 * MEGABYTE)));
    assertNoRoom(
        () ->
            layers.create(
                driver,
                id("new"),
                Optional.of(id("base")),
                sink -> file(sink, "large", 8 * MEGABYTE)));
    layers.apply(driver, id("top"), sink -> file(sink, "small", MEGABYTE));
  }

  @ParameterizedTest
  @ValueSource(strings = {"overlay2", "vfs"})
  void layersCanBeRemovedFromAFullDisk(String name) throws Exception {
    open(name);
    fill(0);
    assertNoRoom(() -> layers.create(driver, id("new"), Optional.of(id("base")), true));
    layers.remove(driver, id("top"));
    assertEquals(List.of(id("base")), driver.layers());
    layers.create(driver, id("new"), Optional.of(id("base")), true);
    assertTrue(driver.isCommitted(id("base")));
  }

  @Test
  void aConversionThatDoesNotFitIsUndone() throws Exception {
    open("overlay2");
    Driver vfs = layers.driver(Optional.of("vfs"));
    fill(3 * MEGABYTE / 2);
    List<LayerId> all = List.of(id("base"), id("top"));
    assertNoRoom(() -> layers.convert(driver, vfs, false, Progress.NONE, () -> false));
    assertEquals(List.of(), vfs.layers());
    try (RandomAccessFile filler =
        new RandomAccessFile(scratch.resolve("filler").toString(), "rw")) {
      filler.setLength(0);
    }
    assertEquals(all, layers.convert(driver, vfs, false, Progress.NONE, () -> false));
    assertEquals(all, vfs.layers());
  }

  @Test
  void aCommitOrAFlattenThatDoesNotFitChangesNothing() throws Exception {
    open("overlay2");
    StackName web = StackName.of("web");
    stacks.create(
        new StackRequest(
            web,
            List.of(),
            Optional.of(id("top")),
            false,
            Optional.empty(),
            Optional.empty(),
            new StackRequest.Union.Overlay(
                Optional.empty(), MountOptions.NONE, Optional.empty(), false)));
    OsPath target = stacks.up(web, false);
    try (RandomAccessFile file = new RandomAccessFile(target.resolve("large").toString(), "rw")) {
      file.write(new byte[8 * MEGABYTE]);
    }
    stacks.down(web, false);
    fill(4 * MEGABYTE);
    assertNoRoom(() -> stacks.commit(web, Optional.of(id("new")), Progress.NONE, () -> false));
    assertNoRoom(() -> stacks.flatten(web, Optional.of(id("new")), Progress.NONE, () -> false));
    try (RandomAccessFile filler =
        new RandomAccessFile(scratch.resolve("filler").toString(), "rw")) {
      filler.setLength(0);
    }
    stacks.commit(web, Optional.of(id("new")), Progress.NONE, () -> false);
    assertTrue(driver.isCommitted(id("new")));
  }
}
