package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.layer.Layers;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Trees;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Stacks whose upper is folded into the lower, and stacks that become one layer. */
@Tag("kernel")
class StackMergeTest {
  private static final String[] RENAMING = {"redirect_dir=on", "metacopy=on"};

  @RegisterExtension final StackLab lab = new StackLab();

  private StackDefinition.Lower merge(String name) throws EngineException, ErrnoException {
    return lab.stacks().merge(StackLab.name(name), Progress.NONE, () -> false);
  }

  private LayerId flatten(String name, String as) throws EngineException, ErrnoException {
    Optional<LayerId> id = Optional.of(LayerId.of(as));
    lab.stacks().checkFlatten(StackLab.name(name), id);
    return lab.stacks().flatten(StackLab.name(name), id, Progress.NONE, () -> false);
  }

  private void assertRefused(String message, String name) throws ErrnoException {
    lab.assertRefused(message, () -> merge(name));
    lab.assertRefused(message, () -> lab.stacks().checkMerge(StackLab.name(name)));
  }

  private void rename(OsPath from, OsPath to) throws ErrnoException {
    lab.sys.renameat2(Linux.AT_FDCWD, from, Linux.AT_FDCWD, to, 0);
  }

  /** Mounts the stack for a look at it. */
  private Trees.Snapshot shown(String name) throws Exception {
    OsPath target = lab.up(name);
    Trees.Snapshot seen = Trees.snapshotWithTimes(target);
    lab.down(name);
    return seen;
  }

  /** Changes of all kinds in a mounted stack over a lower of {@link #lower}. */
  private void change(OsPath target, boolean renames) throws ErrnoException {
    lab.write(target.resolve("changed"), "changed, and longer");
    lab.unlink(target.resolve("gone"));
    lab.write(target.resolve("new/deep/file"), "new");
    lab.sys.fchmodat(Linux.AT_FDCWD, target.resolve("dir"), 0700);
    lab.unlink(target.resolve("full/one"));
    lab.files.rmdir(target.resolve("full"));
    lab.write(target.resolve("full/other"), "other");
    lab.sys.fchownat(Linux.AT_FDCWD, target.resolve("owned"), 12, 34, 0);
    if (renames) {
      rename(target.resolve("dir"), target.resolve("new/moved"));
    }
  }

  private OsPath lower(String name) throws ErrnoException {
    return lab.layer(
        name, "changed=old", "gone=gone", "dir/file=file", "full/one=one", "owned=owned");
  }

  @Test
  void theUpperIsFoldedIntoADirectory() throws Exception {
    OsPath lower = lower("base");
    OsPath target = lab.stack("web", lower).options(RENAMING).up();
    change(target, true);
    lab.down("web");
    Trees.Snapshot before = shown("web");

    assertEquals(lower, merge("web").path());

    assertEquals(List.of(), lab.names(lab.upperOf("web")));
    Trees.assertSame(before, shown("web"));
    Trees.assertSame(before, Trees.snapshotWithTimes(lower));
    assertEquals(List.of(), lab.names(lab.root().resolve("journal")));
    merge("web");
    Trees.assertSame(before, Trees.snapshotWithTimes(lower));
  }

  @Test
  void anUpperOfTheUsersIsToo() throws Exception {
    Requires.userAttributesOnTmpfs();
    OsPath lower = lower("base");
    OsPath upper = lab.directory("mine/upper");
    OsPath work = lab.directory("mine/work");
    OsPath target = lab.stack("web", lower).options("userxattr").upper(upper, work).up();
    change(target, false);
    lab.down("web");
    Trees.Snapshot before = shown("web");
    merge("web");
    assertEquals(List.of(), lab.names(upper));
    Trees.assertSame(before, Trees.snapshotWithTimes(lower));
    Trees.assertSame(before, shown("web"));
  }

  /** The layers below hide nothing that they did not, and show nothing that was hidden. */
  @Test
  void theUpperIsFoldedIntoALayer() throws Exception {
    onLayers();
    OsPath target = lab.up("web");
    lab.write(target.resolve("both"), "web");
    lab.unlink(target.resolve("of-base"));
    lab.down("web");
    Trees.Snapshot before = shown("web");
    Trees.Snapshot base = Trees.snapshotWithTimes(diff("base"));

    assertEquals(Optional.of(LayerId.of("top")), merge("web").layer());

    Trees.assertSame(before, shown("web"));
    Trees.assertSame(base, Trees.snapshotWithTimes(diff("base")));
    assertTrue(lab.stat(diff("top").resolve("of-base")).isWhiteout());
    assertEquals("web", lab.read(diff("top").resolve("both")));
  }

  private OsPath diff(String layer) {
    return lab.root().resolve("overlay2").resolve(layer).resolve("diff");
  }

  /** The stack {@code web} on {@code top} on {@code base}. */
  private void onLayers() throws Exception {
    Layers layers = lab.stacks().layers();
    Driver driver = driver();
    Optional<LayerId> parent = Optional.empty();
    for (String name : List.of("base", "top")) {
      LayerId id = LayerId.of(name);
      layers.create(driver, id, parent, false);
      OsPath place = layers.get(driver, id);
      lab.write(place.resolve("of-" + name), name);
      lab.write(place.resolve("both"), name);
      layers.put(driver, id);
      parent = Optional.of(id);
    }
    createOnTop("web");
  }

  private Driver driver() throws EngineException, ErrnoException {
    return lab.stacks().layers().driver(Optional.of("overlay2"));
  }

  private void createOnTop(String name) throws EngineException, ErrnoException {
    lab.stacks()
        .create(
            new StackRequest(
                StackLab.name(name),
                List.of(),
                Optional.of(LayerId.of("top")),
                false,
                Optional.empty(),
                Optional.empty(),
                new StackRequest.Union.Overlay(
                    Optional.empty(), MountOptions.parse(List.of()), Optional.empty(), false)));
  }

  // ---- who is in the way ----------------------------------------------------------------------

  @Test
  void whoeverUsesTheLowerIsNamed() throws Exception {
    OsPath lower = lower("base");
    lab.stack("web", lower).create();
    lab.stack("ro", lower("other")).readOnly().create();
    assertRefused("it is read-only: it has no upper (EROFS)", "ro");

    OsPath target = lab.up("web");
    assertRefused("is up on " + target.quoted() + "; 'down' it before you merge it (EBUSY)", "web");
    lab.down("web");

    OsPath link = lab.path("by-another-name");
    lab.files.symlink(lower, link);
    lab.stack("other", link).create();
    assertRefused("stack other needs " + link + " as it is (EBUSY)", "web");
    lab.remove("other");

    lab.stack("writer", lower("third")).upper(lower, lab.directory("work")).create();
    assertRefused("stack writer needs " + lower + " as it is (EBUSY)", "web");
    lab.remove("writer");
    lab.stack("reader", lab.upperOf("web")).create();
    assertRefused("stack reader needs " + lab.upperOf("web") + " as it is (EBUSY)", "web");
    lab.remove("reader");
    merge("web");
  }

  @ParameterizedTest
  @ValueSource(strings = {"lowerdir=%1$s:%2$s", "lowerdir=%2$s,upperdir=%1$s,workdir=%3$s"})
  void mountsByHandAreSeen(String options) throws Exception {
    OsPath lower = lower("base");
    lab.stack("web", lower).create();
    OsPath point = lab.directory("by-hand");
    String data = String.format(options, lower, lower("other"), lab.directory("layers/work"));
    lab.sys.mount(OsPath.of("hand"), point, "overlay", 0, OsPath.encode(data));
    try {
      assertRefused(
          "upper or lower is in use by another overlay: hand on " + point + " (EBUSY)", "web");
    } finally {
      lab.umount(point);
    }
    merge("web");
  }

  @Test
  void layersThatLieOnItAreNamed() throws Exception {
    onLayers();
    Layers layers = lab.stacks().layers();
    layers.create(driver(), LayerId.of("child"), Optional.of(LayerId.of("top")), true);
    assertRefused("layer top is the parent of child (EBUSY)", "web");
    layers.remove(driver(), LayerId.of("child"));
    createOnTop("second");
    assertRefused("stack second needs " + diff("top") + " as it is (EBUSY)", "web");
    lab.remove("second");
    merge("web");
  }

  // ---- what is kept ---------------------------------------------------------------------------

  /** A changed owner costs no copy, and other names of a file keep the old one. */
  @Test
  void metadataOnlyCopiesMoveNoData() throws Exception {
    OsPath lower = lab.layer("base", "alone=alone", "linked=linked");
    OsPath outside = lab.path("outside");
    lab.sys.linkat(Linux.AT_FDCWD, lower.resolve("linked"), Linux.AT_FDCWD, outside, 0);
    OsPath target = lab.stack("web", lower).options(RENAMING).up();
    for (String name : List.of("alone", "linked")) {
      lab.sys.fchownat(Linux.AT_FDCWD, target.resolve(name), 12, 34, 0);
    }
    lab.down("web");
    long inode = lab.stat(lower.resolve("alone")).inode();
    merge("web");
    assertEquals(inode, lab.stat(lower.resolve("alone")).inode());
    assertEquals(12, lab.stat(lower.resolve("alone")).uid());
    assertEquals(34, lab.stat(lower.resolve("linked")).gid());
    assertEquals("linked", lab.read(lower.resolve("linked")));
    assertEquals(0, lab.stat(outside).uid());
    assertEquals(1, lab.stat(outside).links());
  }

  /** A directory that was renamed keeps its files: none is copied. */
  @Test
  void renamedDirectoriesMoveNoData() throws Exception {
    OsPath lower = lab.layer("base", "dir/sub/file=file");
    OsPath target = lab.stack("web", lower).options(RENAMING).up();
    rename(target.resolve("dir"), target.resolve("moved"));
    lab.down("web");
    long inode = lab.stat(lower.resolve("dir/sub/file")).inode();
    merge("web");
    assertEquals(List.of("moved"), lab.names(lower));
    assertEquals(inode, lab.stat(lower.resolve("moved/sub/file")).inode());
    assertEquals(1, lab.stat(lower.resolve("moved/sub/file")).links());
  }

  /** With an index the kernel compares; it has nothing to complain about. */
  @Test
  void anIndexIsEmptied() throws Exception {
    OsPath lower = lab.layer("base", "a=a", "c=c");
    lab.sys.linkat(Linux.AT_FDCWD, lower.resolve("a"), Linux.AT_FDCWD, lower.resolve("b"), 0);
    OsPath upper = lab.directory("mine/upper");
    OsPath work = lab.directory("mine/work");
    OsPath target =
        lab.stack("web", lower).upper(upper, work).options("index=on", "nfs_export=on").up();
    lab.append(target.resolve("a"), "more");
    lab.write(target.resolve("b"), "both");
    lab.append(target.resolve("c"), "c");
    lab.unlink(target.resolve("c"));
    lab.down("web");
    assertFalse(lab.names(work.resolve("index")).isEmpty());
    Trees.Snapshot before = shown("web");
    merge("web");
    assertEquals(List.of(), lab.names(work.resolve("index")));
    Trees.assertSame(before, shown("web"));
    Trees.assertSame(before, Trees.snapshotWithTimes(lower));
    OsPath again = lab.up("web");
    lab.append(again.resolve("a"), "!");
    assertEquals("both!", lab.read(again.resolve("a")));
    lab.down("web");
    merge("web");
    assertEquals("both!", lab.read(lower.resolve("a")));
  }

  // ---- interrupted ----------------------------------------------------------------------------

  @Test
  void aCancelledMergeLeavesTheStackAndAnotherGoesOn() throws Exception {
    OsPath lower = lower("base");
    OsPath target = lab.stack("web", lower).options(RENAMING).up();
    change(target, true);
    lab.down("web");
    Trees.Snapshot before = shown("web");
    boolean ended = false;
    for (int n = 0; !ended; n++) {
      int[] left = {n};
      try {
        lab.stacks().merge(StackLab.name("web"), Progress.NONE, () -> left[0]-- == 0);
        ended = true;
      } catch (EngineException e) {
        assertEquals(Optional.of(Errno.ECANCELED), e.errno());
      }
      Trees.assertSame(before, shown("web"));
    }
    Trees.assertSame(before, Trees.snapshotWithTimes(lower));
  }

  /** The process is no more. */
  private static final class Dead extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** Dies before the first call of a kind. */
  private static final class Dying extends ObservedSyscalls {
    private final Predicate<String> last;
    private boolean dead;

    Dying(Syscalls sys, Predicate<String> last) {
      super(sys);
      this.last = last;
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      String call = invocation.name() + "(" + invocation.arguments() + ")";
      dead |= last.test(call);
      if (dead && !invocation.name().equals("close")) {
        throw new Dead();
      }
      return invocation.perform();
    }
  }

  /** Whatever is done with the stack next sets right what a merge that died has left. */
  @ParameterizedTest
  @ValueSource(strings = {"\"changed\"", "\"n0\"", "\"full\""})
  void theNextOperationRecovers(String last) throws Exception {
    OsPath lower = lower("base");
    OsPath target = lab.stack("web", lower).options(RENAMING).up();
    change(target, true);
    lab.down("web");
    Trees.Snapshot before = shown("web");
    lab.runOn(new Dying(lab.sys, call -> call.startsWith("renameat2") && call.contains(last)));
    assertThrows(Dead.class, () -> merge("web"));
    lab.runOn(lab.sys);
    Trees.assertSame(before, shown("web"));
    assertEquals(List.of(), lab.names(lab.root().resolve("journal")));
    merge("web");
    Trees.assertSame(before, Trees.snapshotWithTimes(lower));
  }

  // ---- flatten --------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aStackBecomesOneLayer(boolean up) throws Exception {
    onLayers();
    OsPath target = lab.up("web");
    lab.write(target.resolve("both"), "web");
    lab.unlink(target.resolve("of-base"));
    lab.write(target.resolve("dir/new"), "new");
    Trees.Snapshot before = Trees.snapshotWithTimes(target);
    if (!up) {
      lab.down("web");
    }
    LayerId flat = flatten("web", "flat");
    assertEquals(List.of(), driver().ancestors(flat));
    assertTrue(driver().isCommitted(flat));
    Trees.assertSame(before, Trees.snapshotWithTimes(diff("flat")));
    lab.assertRefused("layer flat exists (EEXIST)", () -> flatten("web", "flat"));
    if (up) {
      lab.down("web");
    }
    lab.remove("web");
    lab.stacks().layers().remove(driver(), LayerId.of("top"));
    Trees.assertSame(before, Trees.snapshotWithTimes(diff("flat")));
  }
}
