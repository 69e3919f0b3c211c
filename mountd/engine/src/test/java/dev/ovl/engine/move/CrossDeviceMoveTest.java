package dev.ovl.engine.move;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.OverlayLab;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.RichTree;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Moves on the real kernel, where EXDEV is its own or said in its name. */
class CrossDeviceMoveTest {
  private static final Syscalls SYS = new LinuxSyscalls();
  private static final Files FILES = new Files(SYS);

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();
  @RegisterExtension final Scratch other = Scratch.tmpfs();

  private TwoPlaces places() throws ErrnoException {
    return new TwoPlaces(scratch.resolve("from"), other.resolve("to"));
  }

  private static Moved move(Syscalls sys, OsPath from, OsPath to, int flags)
      throws EngineException {
    return new CrossDeviceMove(sys).move(from, to, flags, MoveWatch.NONE);
  }

  private static EngineException refused(Syscalls sys, OsPath from, OsPath to, int flags) {
    return assertThrows(EngineException.class, () -> move(sys, from, to, flags));
  }

  private static void assertMoved(TwoPlaces places, TwoPlaces.State before) throws ErrnoException {
    TwoPlaces.State now = places.state();
    assertTrue(
        now.isMoved(before),
        () -> now.to().differences(before.from()) + "\nleft: " + now.from().nodes().keySet());
  }

  private static void assertSame(TwoPlaces places, TwoPlaces.State before) throws ErrnoException {
    TwoPlaces.State now = places.state();
    assertTrue(now.isSame(before), () -> "not as before: " + now);
  }

  // ---- everything is kept ---------------------------------------------------------------------

  /** Kinds of file systems. */
  enum Kind {
    TMPFS,
    EXT4,
    XFS,
    BTRFS;

    Scratch scratch() {
      return switch (this) {
        case TMPFS -> Scratch.tmpfs();
        case EXT4 -> Scratch.ext4();
        case XFS -> Scratch.xfs();
        case BTRFS -> Scratch.btrfs();
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  void betweenFileSystemsEverythingIsKept(Kind kind) throws Exception {
    try (Scratch disk = kind.scratch()) {
      there(scratch.mkdirs("a"), disk.path());
      there(disk.path(), scratch.mkdirs("b"));
    }
  }

  private static void there(OsPath from, OsPath to) throws Exception {
    TwoPlaces places = new TwoPlaces(from.resolve("from"), to.resolve("to"));
    RichTree tree = new RichTree(places.from(""));
    tree.directory("it");
    new RichTree(places.from("it")).all(false).deep();
    tree.node("it/whiteout", Linux.S_IFCHR, 0, 0);
    Timestamp accessed = new Timestamp(1_234_567_890, 123_456_789);
    Timestamp modified = new Timestamp(1_400_000_000, 5);
    SYS.utimensat(Linux.AT_FDCWD, places.from("it/plain"), accessed, modified, 0);
    SYS.utimensat(Linux.AT_FDCWD, places.from("it/dir"), accessed, modified, 0);
    TwoPlaces.State before = places.state();
    SYS.utimensat(Linux.AT_FDCWD, places.from("it/plain"), accessed, modified, 0);
    SYS.utimensat(Linux.AT_FDCWD, places.from("it/dir"), accessed, modified, 0);
    Leaks leaks = Leaks.beneath(from);
    Moved moved = move(SYS, places.from("it"), places.to("it"), 0);
    Statx file = FILES.lstat(places.to("it/plain")).orElseThrow();
    Statx directory = FILES.lstat(places.to("it/dir")).orElseThrow();
    leaks.assertNone();
    assertEquals(before.from().nodes().size(), assertInstanceOf(Moved.Copied.class, moved).files());
    assertEquals(accessed, file.accessed());
    assertEquals(accessed, directory.accessed());
    assertTrue(FILES.lstat(places.to("it/holes")).orElseThrow().blocks() < 100, "holes are lost");
    assertMoved(places, before);
  }

  @Test
  void aSingleFileOfAnyKindIsMoved() throws Exception {
    TwoPlaces places = places();
    RichTree from = new RichTree(places.from(""));
    from.file("file", "text");
    from.file("empty", "");
    from.holes("holes", 3_000_000);
    from.symlink("link", "nowhere");
    from.node("fifo", Linux.S_IFIFO | 0620, 0, 0);
    from.node("socket", Linux.S_IFSOCK | 0700, 0, 0);
    from.node("device", Linux.S_IFBLK | 0640, 7, 300);
    from.node("whiteout", Linux.S_IFCHR, 0, 0);
    from.directory("directory");
    TwoPlaces.State before = places.state();
    for (OsPath path : before.from().nodes().keySet()) {
      OsPath source = places.from(path.toString());
      assertInstanceOf(
          Moved.Copied.class, move(SYS, source, places.to(path.toString()), 0), path.quoted());
    }
    assertMoved(places, before);
  }

  @Test
  void aDirectoryOfALowerIsMovedWithinItsOverlay() throws Exception {
    Requires.overlay();
    OverlayLab lab = new OverlayLab(scratch.path());
    OsPath lower = lab.directory("lower");
    FILES.mkdirs(lower.resolve("from/it"), 0755);
    FILES.mkdirs(lower.resolve("to/it"), 0755); // empty, and to be replaced
    new RichTree(lower.resolve("from/it")).all(false).deep();
    lab.upper(
        List.of(lower),
        "",
        mounted -> {
          TwoPlaces places = new TwoPlaces(mounted.resolve("from"), mounted.resolve("to"));
          TwoPlaces.State before = places.state();
          ErrnoException e =
              assertThrows(
                  ErrnoException.class, () -> FILES.rename(places.from("it"), places.to("it")));
          assertEquals(Errno.EXDEV, e.errno(), "it is a test of nothing");
          CrossDeviceMove mover = new CrossDeviceMove(SYS);
          assertInstanceOf(
              Moved.RenamedUnlessRefused.class,
              mover.plan(places.from("it"), places.to("it"), 0, MoveWatch.NONE));
          assertInstanceOf(Moved.Copied.class, move(SYS, places.from("it"), places.to("it"), 0));
          assertMoved(places, before);
          // now it is the upper's own
          assertEquals(new Moved.Renamed(), move(SYS, places.to("it"), places.from("again"), 0));
        });
  }

  @Test
  void dataIsSharedWhereItCanBe() throws Exception {
    try (Scratch xfs = Scratch.xfs()) {
      TwoPlaces places = new TwoPlaces(xfs.resolve("from"), xfs.resolve("to"));
      new RichTree(places.from("")).file("it", "x".repeat(100_000));
      List<String> calls = new ArrayList<>();
      Syscalls across =
          new TwoPlaces.Across(
              new ObservedSyscalls(SYS) {
                @Override
                protected <T> T observe(Invocation<T> call) throws ErrnoException {
                  T result = call.perform();
                  calls.add(call.name() + "(" + call.arguments());
                  return result;
                }
              });
      TwoPlaces.State before = places.state();
      move(across, places.from("it"), places.to("it"), 0);
      assertMoved(places, before);
      assertTrue(
          calls.stream().anyMatch(c -> c.startsWith("ioctl(") && c.contains("FICLONE")),
          calls::toString);
      assertFalse(calls.stream().anyMatch(c -> c.startsWith("copy_file_range")));
    }
  }

  @Test
  void aTreeMayBeDeep() throws Exception {
    TwoPlaces places = places();
    int depth = 2000;
    chain(places.from("it"), depth);
    move(SYS, places.from("it"), places.to("it"), 0);
    assertEquals(List.of(), FILES.list(places.from("")));
    assertEquals(depth, depth(places.to("it")));
    FILES.removeTree(places.to("it")); // deeper than the scratch directory's own removal goes
  }

  @Test
  void aTreeOfALowerMayBeDeep() throws Exception {
    Requires.overlay();
    OverlayLab lab = new OverlayLab(scratch.path());
    OsPath lower = lab.directory("lower");
    chain(lower.resolve("it"), 300);
    lab.upper(
        List.of(lower),
        "",
        mounted -> {
          move(SYS, mounted.resolve("it"), mounted.resolve("there"), 0);
          assertEquals(List.of(OsPath.of("there")), FILES.list(mounted));
          assertEquals(300, depth(mounted.resolve("there")));
          FILES.removeTree(mounted.resolve("there"));
        });
    FILES.removeTree(lower.resolve("it"));
  }

  /** Directories in each other, with a file in the deepest. */
  private static void chain(OsPath top, int depth) throws ErrnoException {
    OsPath name = OsPath.of("directory");
    FILES.mkdir(top, 0755);
    Fd at = FILES.openPath(top);
    for (int i = 1; i < depth; i++) {
      SYS.mkdirat(at.number(), name, 0755);
      try (Fd above = at) {
        at = new Fd(SYS, SYS.openat(above.number(), name, Linux.O_PATH, 0));
      }
    }
    try (Fd deepest = at) {
      int flags = Linux.O_WRONLY | Linux.O_CREAT;
      new Fd(SYS, SYS.openat(deepest.number(), OsPath.of("bottom"), flags, 0644)).close();
    }
  }

  private static int depth(OsPath top) throws ErrnoException {
    Fd at = FILES.openPath(top);
    for (int depth = 1; ; depth++) {
      try (Fd above = at) {
        at = new Fd(SYS, SYS.openat(above.number(), OsPath.of("directory"), Linux.O_PATH, 0));
      } catch (ErrnoException e) {
        return depth;
      }
    }
  }

  @Test
  void manyFilesAreMoved() throws Exception {
    TwoPlaces places = places();
    RichTree tree = new RichTree(places.from(""));
    tree.directory("it");
    for (int d = 0; d < 20; d++) {
      tree.directory("it/" + d);
      for (int f = 0; f < 1000; f++) {
        tree.file("it/" + d + "/" + f, "content of " + f);
      }
    }
    TwoPlaces.State before = places.state();
    AtomicInteger told = new AtomicInteger();
    MoveWatch watch =
        new MoveWatch() {
          @Override
          public void at(long files, long bytes) {
            told.set((int) files);
          }

          @Override
          public boolean isCancelled() {
            return false;
          }
        };
    new CrossDeviceMove(SYS).move(places.from("it"), places.to("it"), 0, watch);
    assertEquals(20_021, told.get());
    assertMoved(places, before);
  }

  // ---- as rename(2) ---------------------------------------------------------------------------

  /** Source and destination, relative to one directory, and flags: each as rename(2) says. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "file new",
        "file file2",
        "file empty",
        "file full",
        "file link",
        "file link-to-dir",
        "file new/",
        "file/ new",
        "file file2/",
        "file none/new",
        "file file2/new",
        "dir new",
        "dir new/",
        "dir/ new/",
        "dir empty",
        "dir empty/",
        "dir full",
        "dir file",
        "dir link-to-dir",
        "dir link-to-dir/",
        "dir dir/sub/new",
        "dir dir/new",
        "dir dir",
        "link new",
        "link/ new",
        "link-to-dir new",
        "link-to-dir/ new",
        "link file",
        "none new",
        "none file",
        "file file",
        "one hard",
        "hard one",
        ". new",
        "dir/. new",
        "dir/.. new",
        ".. new",
        "file .",
        "file dir/..",
        "dir empty/.",
        "file new -n",
        "file file2 -n",
        "one hard -n",
        "file file -n",
        "dir empty -n",
        "dir new -n",
        "none file -n",
        "file dir/.. -n"
      })
  void answersAsRename(String text) throws Exception {
    String[] words = text.split(" ", -1);
    int flags = words.length > 2 ? Linux.RENAME_NOREPLACE : 0;
    TwoPlaces kernel = new TwoPlaces(scratch.resolve("k"), scratch.resolve("unused"));
    TwoPlaces ours = new TwoPlaces(scratch.resolve("o"), scratch.resolve("unused"));
    prepare(kernel);
    prepare(ours);
    Optional<Errno> expected = Optional.empty();
    try {
      SYS.renameat2(
          Linux.AT_FDCWD,
          kernel.from("").resolve(words[0]),
          Linux.AT_FDCWD,
          kernel.from("").resolve(words[1]),
          flags);
    } catch (ErrnoException e) {
      expected = Optional.of(e.errno());
    }
    Optional<Errno> actual = Optional.empty();
    try {
      move(
          new TwoPlaces.Across(SYS),
          ours.from("").resolve(words[0]),
          ours.from("").resolve(words[1]),
          flags);
    } catch (EngineException e) {
      actual = e.errno();
    }
    assertEquals(expected, actual);
    assertEquals(List.of(), ours.state().from().differences(kernel.state().from()));
  }

  private static void prepare(TwoPlaces places) throws ErrnoException {
    RichTree tree = new RichTree(places.from(""));
    tree.file("file", "file");
    tree.file("file2", "file 2");
    tree.file("one", "two names, of which neither is parted from the other");
    tree.link("hard", "one");
    tree.directory("dir");
    tree.directory("dir/sub");
    tree.file("dir/sub/f", "f");
    tree.directory("empty");
    tree.directory("full");
    tree.file("full/f", "in the way");
    tree.symlink("link", "file");
    tree.symlink("link-to-dir", "empty");
    // the same in both, whatever was made last
    for (String path : List.of("dir", "dir/sub", "empty", "full", "link", "link-to-dir")) {
      tree.time(path, new Timestamp(1_000_000_000, 0));
    }
  }

  @Test
  void anExchangeIsNotTried() throws Exception {
    TwoPlaces places = places();
    new RichTree(places.from("")).file("it", "a");
    new RichTree(places.to("")).file("it", "b");
    TwoPlaces.State before = places.state();
    EngineException e = refused(SYS, places.from("it"), places.to("it"), Linux.RENAME_EXCHANGE);
    assertEquals(Optional.of(Errno.EXDEV), e.errno());
    assertSame(places, before);
  }

  // ---- refused before anything is copied --------------------------------------------------------

  /** Fails when anything is made. */
  private static final class ReadOnly extends ObservedSyscalls {
    ReadOnly() {
      super(SYS);
    }

    @Override
    protected <T> T observe(Invocation<T> call) throws ErrnoException {
      assertFalse(
          List.of("mkdirat", "write", "unlinkat", "mknodat").contains(call.name()), call.name());
      return call.perform();
    }
  }

  @Test
  void aMountInTheSourceIsNamed() throws Exception {
    TwoPlaces places = places();
    FILES.mkdirs(places.from("it/d/mnt"), 0755);
    SYS.mount(OsPath.of("x"), places.from("it/d/mnt"), "tmpfs", 0, new byte[0]);
    EngineException e = refused(new ReadOnly(), places.from("it"), places.to("it"), 0);
    assertEquals(places.from("it/d/mnt") + ": something is mounted there (EBUSY)", e.getMessage());
    e = refused(new ReadOnly(), places.from("it/d/mnt"), places.to("it"), 0);
    assertEquals(Optional.of(Errno.EBUSY), e.errno());
  }

  @Test
  void anImmutableFileIsNamed() throws Exception {
    try (Scratch ext4 = Scratch.ext4()) {
      TwoPlaces places = new TwoPlaces(ext4.resolve("from"), other.resolve("to"));
      RichTree tree = new RichTree(places.from(""));
      tree.directory("it");
      tree.file("it/kept", "kept");
      for (int flag : List.of(Linux.FS_IMMUTABLE_FL, Linux.FS_APPEND_FL)) {
        flags(places.from("it/kept"), flag);
        EngineException e = refused(new ReadOnly(), places.from("it"), places.to("it"), 0);
        assertEquals(
            places.from("it/kept")
                + ": it is immutable or append-only (chattr(1)), and could not be removed (EPERM)",
            e.getMessage());
        flags(places.from("it/kept"), 0);
      }
      // of a directory as well, whose names could not be removed
      flags(places.from("it"), Linux.FS_APPEND_FL);
      EngineException e = refused(new ReadOnly(), places.from("it/kept"), places.to("it"), 0);
      assertEquals(Optional.of(Errno.EPERM), e.errno());
      flags(places.from("it"), 0);
    }
  }

  private static void flags(OsPath path, int flags) throws ErrnoException {
    try (Fd file = new Fd(SYS, SYS.openat(Linux.AT_FDCWD, path, Linux.O_RDONLY, 0))) {
      ByteBuffer value = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
      SYS.ioctl(file.number(), Linux.FS_IOC_SETFLAGS, value.putInt(0, flags));
    }
  }

  @Test
  void aSourceThatCannotBeWrittenIsRefused() throws Exception {
    TwoPlaces places = places();
    OsPath source = scratch.mkdirs("readonly");
    SYS.mount(OsPath.of("x"), source, "tmpfs", 0, new byte[0]);
    new RichTree(source).file("it", "it");
    SYS.mount(OsPath.of("x"), source, "", Linux.MS_REMOUNT | Linux.MS_RDONLY, new byte[0]);
    EngineException e = refused(new ReadOnly(), source.resolve("it"), places.to("it"), 0);
    assertEquals(Optional.of(Errno.EROFS), e.errno());
  }

  @Test
  void intoItselfByAnotherMountIsRefused() throws Exception {
    TwoPlaces places = places();
    FILES.mkdirs(places.from("it/deep/er"), 0755);
    OsPath bound = other.mkdirs("bound");
    SYS.mount(places.from("it/deep"), bound, "", Linux.MS_BIND, new byte[0]);
    EngineException e = refused(new ReadOnly(), places.from("it"), bound.resolve("er/new"), 0);
    assertEquals(Optional.of(Errno.EINVAL), e.errno());
    // and the same file by two mounts is one
    assertEquals(
        new Moved.Same(), move(new ReadOnly(), places.from("it/deep/er"), bound.resolve("er"), 0));
  }

  // ---- what others do meanwhile -----------------------------------------------------------------

  /** Somebody does something just before a call is made for the first time. */
  private static final class Meanwhile extends ObservedSyscalls {
    private final String call;
    private final Deed deed;
    private boolean done;

    /** What is done. */
    interface Deed {
      void run() throws ErrnoException;
    }

    Meanwhile(String call, Deed deed) {
      super(SYS);
      this.call = call;
      this.deed = deed;
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      if (!done && invocation.name().equals(call)) {
        done = true;
        deed.run();
      }
      return invocation.perform();
    }
  }

  /** What somebody may do to a source. */
  enum Change {
    WRITES("it/d/f"),
    ADDS("it/d/new"),
    REMOVES("it/d"),
    CHANGES_ATTRIBUTES("it/d/f"),
    LINKS("it/d/f"),
    CHANGES_A_DIRECTORY("it/d"),
    REPLACES("it/d/f");

    private final String named;

    Change(String named) {
      this.named = named;
    }

    void happen(TwoPlaces places) throws ErrnoException {
      OsPath file = places.from("it/d/f");
      switch (this) {
        case WRITES -> FILES.create(file, new byte[] {'c'}, 0644, false);
        case ADDS -> FILES.create(places.from("it/d/new"), new byte[0], 0644, false);
        case REMOVES -> FILES.remove(file);
        case CHANGES_ATTRIBUTES -> SYS.setxattr(file, "trusted.new", new byte[1], 0, false);
        case LINKS -> SYS.linkat(Linux.AT_FDCWD, file, Linux.AT_FDCWD, places.from("elsewhere"), 0);
        case CHANGES_A_DIRECTORY ->
            SYS.setxattr(places.from("it/d"), "trusted.new", new byte[1], 0, false);
        case REPLACES -> {
          FILES.create(places.from("other"), new byte[] {'x'}, 0644, false);
          FILES.rename(places.from("other"), file);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aChangeOfTheSourceIsNoticed(Change change) throws Exception {
    TwoPlaces places = places();
    FILES.mkdirs(places.from("it/d"), 0755);
    FILES.create(places.from("it/d/f"), new byte[] {'x'}, 0644, false);
    FILES.create(places.from("it/g"), new byte[] {'x'}, 0644, false);
    List<TwoPlaces.State> changed = new ArrayList<>();
    Syscalls sys =
        new Meanwhile(
            "syncfs",
            () -> {
              change.happen(places);
              changed.add(places.state());
            });
    EngineException e = refused(sys, places.from("it"), places.to("it"), 0);
    assertEquals(
        places.from(change.named) + ": it was changed while it was copied (EBUSY)", e.getMessage());
    assertEquals(List.of(), FILES.list(places.to()));
    assertEquals(List.of(), places.state().from().differences(changed.getFirst().from()));
  }

  @Test
  void whatComesAfterwardsIsNotRemoved() throws Exception {
    TwoPlaces places = places();
    FILES.mkdirs(places.from("it/d"), 0755);
    FILES.create(places.from("it/d/f"), new byte[] {'x'}, 0644, false);
    FILES.create(places.from("it/g"), new byte[] {'x'}, 0644, false);
    // the first is the source's
    Syscalls sys =
        new ObservedSyscalls(SYS) {
          private boolean placed;
          private boolean done;

          @Override
          protected <T> T observe(Invocation<T> call) throws ErrnoException {
            if (placed && !done && call.name().equals("fsync")) {
              done = true;
              FILES.create(places.from("it/d/late"), new byte[] {'y'}, 0644, false);
              FILES.create(places.from("it/g"), new byte[] {'c', 'h'}, 0644, false);
            }
            T result = call.perform();
            placed |= call.name().equals("renameat2") && call.arguments().contains("\"it\"");
            return result;
          }
        };
    Moved.Copied moved =
        assertInstanceOf(Moved.Copied.class, move(sys, places.from("it"), places.to("it"), 0));
    assertTrue(moved.left().isPresent());
    assertEquals(
        List.of("it", "it/d", "it/d/late", "it/g"),
        places.state().from().nodes().keySet().stream().map(OsPath::toString).toList());
    assertEquals(
        List.of("it", "it/d", "it/d/f", "it/g"),
        places.state().to().nodes().keySet().stream().map(OsPath::toString).toList());
  }

  @Test
  void aFullFileSystemIsToldAndTheSourceIntact() throws Exception {
    OsPath small = other.mkdirs("small");
    byte[] options = "size=2m".getBytes(StandardCharsets.UTF_8);
    SYS.mount(OsPath.of("x"), small, "tmpfs", 0, options);
    TwoPlaces places = new TwoPlaces(scratch.resolve("from"), small.resolve("to"));
    RichTree tree = new RichTree(places.from(""));
    tree.directory("it");
    tree.file("it/a", "fits");
    tree.file("it/large", "x".repeat(5_000_000));
    TwoPlaces.State before = places.state();
    EngineException e = refused(SYS, places.from("it"), places.to("it"), 0);
    assertEquals("cannot write it/large: No space left on device (ENOSPC)", e.getMessage());
    assertSame(places, before);
  }

  @Test
  void aMoveIsCancelledAtAnyMoment() throws Exception {
    TwoPlaces places = places();
    RichTree tree = new RichTree(places.from(""));
    tree.directory("it");
    tree.file("it/large", "x".repeat(1_000_000));
    tree.file("it/small", "x");
    TwoPlaces.State before = places.state();
    boolean cancelled = true;
    int n = 0;
    for (; cancelled; n++) {
      AtomicInteger left = new AtomicInteger(n);
      MoveWatch watch =
          new MoveWatch() {
            @Override
            public void at(long files, long bytes) {}

            @Override
            public boolean isCancelled() {
              return left.getAndDecrement() <= 0;
            }
          };
      try {
        new CrossDeviceMove(SYS).move(places.from("it"), places.to("it"), 0, watch);
        cancelled = false;
      } catch (EngineException e) {
        assertEquals(Optional.of(Errno.ECANCELED), e.errno());
        assertSame(places, before);
      }
    }
    assertTrue(n > 8, "asked " + n + " times only");
    assertMoved(places, before);
  }

  // ---- journals
  // -----------------------------------------------------------------------------------

  @Test
  void aMoveUnderWayIsNotRecovered() throws Exception {
    TwoPlaces places = places();
    new RichTree(places.from("")).file("it", "x");
    TwoPlaces.State before = places.state();
    List<Recovery> recovered = new ArrayList<>();
    Syscalls sys =
        new Meanwhile(
            "fsync", () -> recovered.addAll(new CrossDeviceMove(SYS).recover(places.to())));
    move(sys, places.from("it"), places.to("it"), 0);
    assertEquals(List.of(), recovered);
    assertMoved(places, before);
  }

  /** Somebody else's journal would be an order to delete whatever it names. */
  @ParameterizedTest
  @ValueSource(strings = {"owner", "permissions", "link"})
  void aJournalOfOthersIsNotBelieved(String whose) throws Exception {
    TwoPlaces places = places();
    RichTree tree = new RichTree(places.from(""));
    tree.file("it", "x");
    OsPath journal = cutShort(places);
    switch (whose) {
      case "owner" -> SYS.fchownat(Linux.AT_FDCWD, journal, 1, 1, 0);
      case "permissions" -> SYS.fchmodat(Linux.AT_FDCWD, journal, 0666);
      default -> SYS.linkat(Linux.AT_FDCWD, journal, Linux.AT_FDCWD, places.to("second"), 0);
    }
    assertEquals(List.of(), new CrossDeviceMove(SYS).recover(places.to()));
    assertTrue(FILES.lstat(places.from("it")).isPresent());
    assertTrue(FILES.lstat(journal).isPresent());
  }

  /** A move that died when the copy was in place. Returns its journal. */
  private static OsPath cutShort(TwoPlaces places) throws Exception {
    Syscalls dying =
        new ObservedSyscalls(SYS) {
          private boolean dead;

          @Override
          protected <T> T observe(Invocation<T> call) throws ErrnoException {
            if (dead && !call.name().equals("close")) {
              throw new IllegalStateException("dead");
            }
            T result = call.perform();
            dead |= call.name().equals("renameat2") && call.arguments().contains("\"it\"");
            return result;
          }
        };
    Syscalls across = new TwoPlaces.Across(dying);
    assertThrows(
        IllegalStateException.class, () -> move(across, places.from("it"), places.to("it"), 0));
    return FILES.list(places.to()).stream()
        .filter(name -> name.toString().endsWith(".json"))
        .map(name -> places.to(name.toString()))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void recoveryKeepsASourceThatIsAnotherByNow() throws Exception {
    TwoPlaces places = places();
    RichTree tree = new RichTree(places.from(""));
    tree.file("it", "x");
    cutShort(places);
    tree.file("it", "something new");
    Recovery recovery = new CrossDeviceMove(SYS).recover(places.to()).getFirst();
    assertEquals(Recovery.Outcome.FINISHED_WITH_REST, recovery.outcome());
    assertEquals(Optional.of(places.from("it").quoted()), recovery.detail());
    assertEquals(13, FILES.lstat(places.from("it")).orElseThrow().size());
    assertEquals(List.of(OsPath.of("it")), FILES.list(places.to()));
  }

  @Test
  void recoveryKeepsTheSourceWhenTheDestinationIsGone() throws Exception {
    TwoPlaces places = places();
    RichTree tree = new RichTree(places.from(""));
    tree.file("it", "x");
    cutShort(places);
    FILES.remove(places.to("it"));
    Recovery recovery = new CrossDeviceMove(SYS).recover(places.to()).getFirst();
    assertEquals(Recovery.Outcome.LEFT, recovery.outcome());
    assertTrue(FILES.lstat(places.from("it")).isPresent());
    assertEquals(List.of(), FILES.list(places.to()));
  }

  @Test
  void recoveryWaitsForASourceThatIsNotMounted() throws Exception {
    TwoPlaces places = places();
    OsPath mountPoint = scratch.mkdirs("mnt");
    SYS.mount(OsPath.of("x"), mountPoint, "tmpfs", 0, new byte[0]);
    FILES.mkdirs(mountPoint.resolve("unused"), 0755);
    TwoPlaces mounted = new TwoPlaces(mountPoint, places.to());
    new RichTree(mountPoint).file("it", "x");
    OsPath journal = cutShort(mounted);
    OsPath aside = scratch.mkdirs("aside");
    SYS.mount(mountPoint, aside, "", Linux.MS_BIND, new byte[0]);
    SYS.umount2(mountPoint, 0);
    Recovery recovery = new CrossDeviceMove(SYS).recover(places.to()).getFirst();
    assertEquals(Recovery.Outcome.FAILED, recovery.outcome());
    assertTrue(recovery.detail().orElseThrow().contains("not mounted"));
    assertTrue(FILES.lstat(journal).isPresent());
    SYS.mount(aside, mountPoint, "", Linux.MS_BIND, new byte[0]);
    recovery = new CrossDeviceMove(SYS).recover(places.to()).getFirst();
    assertEquals(Recovery.Outcome.FINISHED, recovery.outcome());
    assertTrue(FILES.lstat(mountPoint.resolve("it")).isEmpty());
    assertEquals(List.of(OsPath.of("it")), FILES.list(places.to()));
  }

  /** Power failed while the copy was made: the names are there, the journal's content is not. */
  @Test
  void aBlankJournalMeansThatNothingWasMoved() throws Exception {
    TwoPlaces places = places();
    new RichTree(places.from("")).file("it", "x");
    TwoPlaces.State before = places.state();
    FILES.create(places.to(".ovl-mv-0123456789abcdef.json"), new byte[0], 0600, false);
    FILES.create(places.to(".ovl-mv-0123456789abcdef.list"), new byte[64], 0600, false);
    FILES.mkdirs(places.to(".ovl-mv-0123456789abcdef/it/half"), 0700);
    assertEquals(List.of(), new CrossDeviceMove(SYS).recover(places.to()));
    assertEquals(before, places.state());
  }

  /** What is large is written to the disk while it is copied, and the disk's errors count. */
  @Test
  void anErrorOfTheEarlyWritebackEndsTheMove() throws Exception {
    TwoPlaces places = places();
    new RichTree(places.from("")).file("it", "x".repeat(33 << 20));
    TwoPlaces.State before = places.state();
    Syscalls broken =
        new ObservedSyscalls(SYS) {
          @Override
          protected <T> T observe(Invocation<T> call) throws ErrnoException {
            if (call.name().equals("syncfs")) {
              throw new ErrnoException("syncfs", call::arguments, Errno.EIO);
            }
            return call.perform();
          }
        };
    Syscalls across = new TwoPlaces.Across(broken);
    EngineException e = refused(across, places.from("it"), places.to("it"), 0);
    assertEquals(Optional.of(Errno.EIO), e.errno());
    assertEquals(before, places.state());
  }

  @Test
  void aBrokenJournalIsTold() throws Exception {
    TwoPlaces places = places();
    OsPath journal = places.to(".ovl-mv-0123456789abcdef.json");
    FILES.create(journal, "{".getBytes(StandardCharsets.UTF_8), 0600, false);
    Recovery recovery = new CrossDeviceMove(SYS).recover(places.to()).getFirst();
    assertEquals(Recovery.Outcome.FAILED, recovery.outcome());
    assertTrue(FILES.lstat(journal).isPresent());
    // a name that only looks like one, and what the preload library makes
    FILES.remove(journal);
    FILES.mkdirs(places.to(".ovl-mv-0123456789abcdef"), 0755);
    assertEquals(List.of(), new CrossDeviceMove(SYS).recover(places.to()));
    assertEquals(1, FILES.list(places.to()).size());
  }
}
