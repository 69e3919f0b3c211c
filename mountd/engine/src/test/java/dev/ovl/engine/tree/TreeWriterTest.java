package dev.ovl.engine.tree;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A directory that is written as the stream says, and nothing else that is. */
class TreeWriterTest {
  private static final Syscalls SYS = new LinuxSyscalls();
  private static final Attributes FILE =
      new Attributes(0644, 0, 0, new Timestamp(1_500_000_000, 7), Xattrs.NONE);
  private static final Attributes DIRECTORY =
      new Attributes(0755, 0, 0, new Timestamp(1_400_000_000, 9), Xattrs.NONE);

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  private OsPath root() throws ErrnoException {
    return scratch.mkdirs("root");
  }

  private TreeWriter writer(LayerForm form) throws ErrnoException {
    return new TreeWriter(SYS, root(), form, TreeWriter.Parents.UNKNOWN);
  }

  private static Node file(String path, int size) {
    return new Node(OsPath.of(path), new Node.Kind.Regular(size), FILE);
  }

  private static void put(TreeSink sink, String path, String content)
      throws EngineException, ErrnoException {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    ByteBuffer left = ByteBuffer.wrap(bytes);
    sink.put(
        file(path, bytes.length),
        new Content.OfStream(
            buffer -> {
              int n = Math.min(left.remaining(), buffer.remaining());
              buffer.put(left.slice(left.position(), n));
              left.position(left.position() + n);
              return n;
            }));
  }

  private static void put(TreeSink sink, String path, Node.Kind kind)
      throws EngineException, ErrnoException {
    Attributes attributes = kind instanceof Node.Kind.Directory ? DIRECTORY : FILE;
    sink.put(new Node(OsPath.of(path), kind, attributes), new Content.None());
  }

  private static void dir(TreeSink sink, String path) throws EngineException, ErrnoException {
    put(sink, path, new Node.Kind.Directory());
  }

  private static void link(TreeSink sink, String path, String to)
      throws EngineException, ErrnoException {
    put(sink, path, new Node.Kind.HardLink(OsPath.of(to)));
  }

  private static void symlink(TreeSink sink, String path, String to)
      throws EngineException, ErrnoException {
    put(sink, path, new Node.Kind.Symlink(OsPath.of(to)));
  }

  private List<String> names() throws ErrnoException {
    return Trees.snapshot(root()).nodes().keySet().stream()
        .map(OsPath::toString)
        .filter(name -> !name.equals("."))
        .toList();
  }

  private Statx stat(String path) throws ErrnoException {
    return SYS.statx(
        Linux.AT_FDCWD, root().resolve(path), Linux.AT_SYMLINK_NOFOLLOW, Linux.STATX_BASIC_STATS);
  }

  private Optional<String> xattr(String path, String name) throws ErrnoException {
    return SYS.getxattr(root().resolve(path), name, false)
        .map(value -> new String(value, StandardCharsets.UTF_8));
  }

  private String read(OsPath path) throws ErrnoException {
    return new String(
        new dev.ovl.engine.file.Files(SYS).read(path).orElseThrow(), StandardCharsets.UTF_8);
  }

  // ---- copies --------------------------------------------------------------------------------

  private static void copyIsSame(Scratch scratch, boolean userXattrs)
      throws EngineException, ErrnoException {
    OsPath from = scratch.mkdirs("from");
    OsPath to = scratch.mkdirs("to");
    new RichTree(from).all(userXattrs);
    SYS.fchmodat(Linux.AT_FDCWD, from, 0711);
    SYS.utimensat(Linux.AT_FDCWD, from, new Timestamp(5, 6), new Timestamp(7, 8), 0);
    Leaks leaks = Leaks.beneath(scratch.path());
    TreeReader reader = new TreeReader(SYS, new NodeReader(SYS, NodeReader.XattrFilter.ALL));
    TreeSink sink = new TreeWriter(SYS, to, LayerForm.PLAIN, TreeWriter.Parents.UNKNOWN);
    reader.read(from, sink, () -> false);
    sink.finish();
    leaks.assertNone();
    Trees.assertSame(Trees.snapshotWithTimes(from), Trees.snapshotWithTimes(to));
    assertTrue(blocks(to.resolve("holes")) < 100, "its holes are lost");
    // again, over what is there, and the attributes of directories have to go
    SYS.setxattr(to.resolve("dir"), "trusted.other", new byte[1], 0, false);
    sink = new TreeWriter(SYS, to, LayerForm.PLAIN, TreeWriter.Parents.UNKNOWN);
    reader.read(from, sink, () -> false);
    sink.finish();
    leaks.assertNone();
    Trees.assertSame(Trees.snapshotWithTimes(from), Trees.snapshotWithTimes(to));
  }

  private static long blocks(OsPath path) throws ErrnoException {
    return SYS.statx(Linux.AT_FDCWD, path, 0, Linux.STATX_BASIC_STATS).blocks();
  }

  @Test
  void aCopyIsTheSameOnTmpfs() throws EngineException, ErrnoException {
    copyIsSame(scratch, false);
  }

  @Test
  void aCopyIsTheSameOnExt4() throws EngineException, ErrnoException {
    try (Scratch ext4 = Scratch.ext4()) {
      copyIsSame(ext4, true);
    }
  }

  @Test
  void aCopyIsTheSameAndSharedOnXfs() throws EngineException, ErrnoException {
    try (Scratch xfs = Scratch.xfs()) {
      copyIsSame(xfs, true);
    }
  }

  @Test
  void aCopyToAnotherFileSystemIsTheSame() throws EngineException, ErrnoException {
    try (Scratch ext4 = Scratch.ext4()) {
      new RichTree(root()).all(false);
      TreeSink sink = new TreeWriter(SYS, ext4.path(), LayerForm.PLAIN, TreeWriter.Parents.UNKNOWN);
      new TreeReader(SYS, new NodeReader(SYS, NodeReader.XattrFilter.ALL))
          .read(root(), sink, () -> false);
      sink.finish();
      Trees.assertSame(Trees.snapshotWithTimes(root()), Trees.snapshotWithTimes(ext4.path()));
      assertTrue(blocks(ext4.resolve("holes")) < 100, "its holes are lost");
    }
  }

  @Test
  void pathsLongerThanACallTakes() throws EngineException, ErrnoException {
    OsPath from = scratch.mkdirs("from");
    new RichTree(from).deep();
    TreeSink sink = writer(LayerForm.PLAIN);
    new TreeReader(SYS, new NodeReader(SYS, NodeReader.XattrFilter.ALL))
        .read(from, sink, () -> false);
    sink.finish();
    Trees.assertSame(Trees.snapshotWithTimes(from), Trees.snapshotWithTimes(root()));
  }

  @Test
  void mountsInATreeAreNotRead() throws EngineException, ErrnoException {
    OsPath from = scratch.mkdirs("from/mounted");
    SYS.mount(OsPath.of("x"), from, "tmpfs", 0, new byte[0]);
    TreeSink sink = writer(LayerForm.PLAIN);
    new TreeReader(SYS, new NodeReader(SYS, NodeReader.XattrFilter.ALL))
        .read(from.parent(), sink, () -> false);
    sink.finish();
    assertEquals(List.of(), names());
  }

  @Test
  void readingIsCancelled() throws ErrnoException {
    put("a");
    EngineException e =
        assertThrows(
            EngineException.class,
            () -> {
              try (TreeWriter sink =
                  new TreeWriter(
                      SYS, scratch.mkdirs("to"), LayerForm.PLAIN, TreeWriter.Parents.UNKNOWN)) {
                new TreeReader(SYS, new NodeReader(SYS, NodeReader.XattrFilter.ALL))
                    .read(root(), sink, () -> true);
              }
            });
    assertEquals(Optional.of(Errno.ECANCELED), e.errno());
  }

  private void put(String name) throws ErrnoException {
    SYS.mkdirat(Linux.AT_FDCWD, root().resolve(name), 0755);
  }

  // ---- replacing -----------------------------------------------------------------------------

  @ParameterizedTest
  @EnumSource(LayerForm.class)
  void everyKindReplacesEveryKind(LayerForm form) throws EngineException, ErrnoException {
    List<Node.Kind> kinds =
        List.of(
            new Node.Kind.Directory(),
            new Node.Kind.Regular(0),
            new Node.Kind.Symlink(OsPath.of("x")),
            new Node.Kind.Device(false, 1, 3),
            new Node.Kind.Device(true, 8, 1),
            new Node.Kind.Fifo(),
            new Node.Kind.Socket());
    OsPath outside = scratch.mkdirs("outside");
    for (Node.Kind before : kinds) {
      for (Node.Kind after : kinds) {
        try (TreeWriter writer = writer(form)) {
          put(writer, "f", before);
          if (before instanceof Node.Kind.Directory) {
            put(writer, "f/inside", "x");
          }
          put(writer, "f", after);
          writer.finish();
        }
        boolean stays =
            before instanceof Node.Kind.Directory && after instanceof Node.Kind.Directory;
        NodeReader reader = new NodeReader(SYS, NodeReader.XattrFilter.ALL);
        try (Fd directory = new dev.ovl.engine.file.Files(SYS).openDirectory(root())) {
          OsPath name = OsPath.of("f");
          assertEquals(
              after, reader.read(directory, name, name, reader.stat(directory, name)).kind());
        }
        assertEquals(
            stays || (form == LayerForm.AUFS && after instanceof Node.Kind.Directory),
            names().stream().anyMatch(name -> name.startsWith("f/"))
                || (form == LayerForm.AUFS
                    && before instanceof Node.Kind.Directory
                    && after instanceof Node.Kind.Directory),
            names().toString());
        scratch.empty();
        scratch.mkdirs("root");
      }
    }
    assertTrue(outside.length() > 0);
  }

  @Test
  void aFileIsNeverWrittenThroughAnotherNameOfIt() throws EngineException, ErrnoException {
    OsPath outside = scratch.path().resolve("outside");
    new RichTree(scratch.path()).file("outside", "precious");
    SYS.linkat(Linux.AT_FDCWD, outside, Linux.AT_FDCWD, root().resolve("f"), 0);
    SYS.symlinkat(outside, Linux.AT_FDCWD, root().resolve("g"));
    try (TreeWriter writer = writer(LayerForm.PLAIN)) {
      put(writer, "f", "new");
      put(writer, "g", "new");
      writer.finish();
    }
    assertEquals("precious", read(outside));
    assertEquals("new", read(root().resolve("f")));
    assertTrue(stat("g").isRegularFile());
  }

  @Test
  void linksLeadNowhereElse() throws EngineException, ErrnoException {
    RichTree around = new RichTree(scratch.path());
    around.directory("out");
    around.file("out/secret", "secret");
    Trees.Snapshot before = Trees.snapshotWithTimes(scratch.resolve("out"));
    try (TreeWriter writer = writer(LayerForm.PLAIN)) {
      symlink(writer, "abs", scratch.resolve("out").toString());
      symlink(writer, "up", "../out");
      symlink(writer, "proc", "/proc/self/root");
      for (String by : List.of("abs", "up", "proc/etc")) {
        EngineException e =
            assertThrows(EngineException.class, () -> put(writer, by + "/planted", "x"));
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
        assertThrows(EngineException.class, () -> link(writer, "got", by + "/secret"));
        writer.delete(OsPath.of(by + "/secret"));
      }
      link(writer, "linked", "abs");
      writer.finish();
    }
    assertTrue(stat("linked").isSymbolicLink());
    Trees.assertSame(before, Trees.snapshotWithTimes(scratch.resolve("out")));
  }

  @Test
  void linksInsideAreFollowedInside() throws EngineException, ErrnoException {
    try (TreeWriter writer = writer(LayerForm.PLAIN)) {
      dir(writer, "a");
      symlink(writer, "b", "/a");
      symlink(writer, "c", "../../../a");
      put(writer, "b/x", "x");
      put(writer, "c/y", "y");
      writer.finish();
    }
    assertEquals(List.of("a", "a/x", "a/y", "b", "c"), names());
    assertEquals(DIRECTORY.modified(), stat("a").modified());
  }

  @Test
  void namesThatAreNone() throws ErrnoException {
    try (TreeWriter writer = writer(LayerForm.PLAIN)) {
      for (String name : List.of("..", "a/..", "a/.", "")) {
        assertThrows(EngineException.class, () -> put(writer, name, "x"), name);
        assertThrows(EngineException.class, () -> writer.delete(OsPath.of(name)), name);
        assertThrows(EngineException.class, () -> link(writer, "x", name), name);
      }
    }
    assertEquals(List.of(), names());
  }

  // ---- parents -------------------------------------------------------------------------------

  @Test
  void parentsThatDoNotComeAreMadeAsTheCallerSays() throws EngineException, ErrnoException {
    Attributes known =
        new Attributes(
            01711, 3, 4, new Timestamp(99, 1), Xattrs.of(Map.of("trusted.x", new byte[] {1})));
    try (TreeWriter writer =
        new TreeWriter(
            SYS,
            root(),
            LayerForm.OVERLAY,
            path -> path.toString().equals("a") ? Optional.of(known) : Optional.empty())) {
      put(writer, "a/b/c", "x");
      put(writer, "a/d", "x");
      writer.finish();
    }
    assertEquals(01711, stat("a").permissions());
    assertEquals(3, stat("a").uid());
    assertEquals(4, stat("a").gid());
    assertEquals(known.modified(), stat("a").modified());
    assertTrue(xattr("a", "trusted.x").isPresent());
    assertEquals(0755, stat("a/b").permissions());
  }

  @Test
  void whatDoesNotComeKeepsItsTimes() throws EngineException, ErrnoException {
    put("d");
    SYS.utimensat(Linux.AT_FDCWD, root().resolve("d"), new Timestamp(1, 1), new Timestamp(2, 2), 0);
    SYS.utimensat(Linux.AT_FDCWD, root(), new Timestamp(1, 1), new Timestamp(3, 3), 0);
    try (TreeWriter writer = writer(LayerForm.PLAIN)) {
      put(writer, "d/f", "x");
      dir(writer, "e");
      put(writer, "d/g", "x");
      writer.delete(OsPath.of("d/f"));
      writer.finish();
    }
    assertEquals(new Timestamp(2, 2), stat("d").modified());
    assertEquals(new Timestamp(3, 3), stat(".").modified());
    assertEquals(List.of("d", "d/g", "e"), names());
  }

  @Test
  void ownersAndPermissionsWhateverWasMadeBefore() throws EngineException, ErrnoException {
    int[][] wanted = {
      {0, 0, 0644},
      {0, 0, 0644},
      {5, 0, 0644},
      {0, 6, 0644},
      {0, 0, 04755},
      {0, 0, 0666},
      {0, 0, 0},
      {0, 0, 0600},
      {0, 0, 01777},
      {0, 0, 0777}
    };
    // what the kernel gives to files in it is not the process' group
    Attributes setgid = new Attributes(02755, 0, 44, DIRECTORY.modified(), Xattrs.NONE);
    try (TreeWriter writer = writer(LayerForm.PLAIN)) {
      for (String directory : List.of("plain", "setgid")) {
        writer.put(
            new Node(
                OsPath.of(directory),
                new Node.Kind.Directory(),
                directory.equals("setgid") ? setgid : DIRECTORY),
            new Content.None());
        for (int i = 0; i < wanted.length; i++) {
          int[] w = wanted[i];
          writer.put(
              new Node(
                  OsPath.of(directory + "/" + i),
                  new Node.Kind.Regular(0),
                  new Attributes(w[2], w[0], w[1], FILE.modified(), Xattrs.NONE)),
              new Content.None());
        }
      }
      writer.finish();
    }
    for (String directory : List.of("plain", "setgid")) {
      for (int i = 0; i < wanted.length; i++) {
        Statx stat = stat(directory + "/" + i);
        assertEquals(
            List.of(wanted[i][0], wanted[i][1], wanted[i][2]),
            List.of(stat.uid(), stat.gid(), stat.permissions()),
            directory + "/" + i);
      }
    }
  }

  @Test
  void moreDirectoriesThanAreKeptOpen() throws EngineException, ErrnoException {
    String path = "d";
    Leaks leaks = Leaks.beneath(scratch.path());
    try (TreeWriter writer = writer(LayerForm.PLAIN)) {
      for (int i = 0; i < 100; i++, path += "/d") {
        dir(writer, path);
      }
      put(writer, "d/d/late", "x");
      writer.finish();
    }
    leaks.assertNone();
    assertEquals(DIRECTORY.modified(), stat("d/d").modified());
    assertEquals(DIRECTORY.modified(), stat("d/d/d/d/d/d/d/d").modified());
    try (TreeWriter writer = writer(LayerForm.PLAIN)) {
      writer.delete(OsPath.of("d"));
      writer.finish();
    }
    assertEquals(List.of(), names());
  }

  // ---- deletions -----------------------------------------------------------------------------

  @Test
  void aPlainTreeLosesWhatIsDeleted() throws EngineException, ErrnoException {
    try (TreeWriter writer = writer(LayerForm.PLAIN)) {
      put(writer, "d/e/f", "x");
      put(writer, "file", "x");
      writer.finish();
    }
    try (TreeWriter writer = writer(LayerForm.PLAIN)) {
      writer.delete(OsPath.of("d"));
      writer.delete(OsPath.of("d/gone"));
      writer.delete(OsPath.of("file/beneath"));
      writer.delete(OsPath.of("never"));
      writer.finish();
    }
    assertEquals(List.of("file"), names());
  }

  @Test
  void anOpaqueDirectoryOfAPlainTreeKeepsWhatCame() throws EngineException, ErrnoException {
    try (TreeWriter writer = writer(LayerForm.PLAIN)) {
      put(writer, "d/old", "x");
      put(writer, "d/both", "old");
      put(writer, "d/sub/old", "x");
      put(writer, "d/other/old", "x");
      writer.finish();
    }
    try (TreeWriter writer = writer(LayerForm.PLAIN)) {
      dir(writer, "d");
      put(writer, "d/both", "new");
      put(writer, "d/sub/new", "x");
      writer.opaque(OsPath.of("d"));
      put(writer, "d/z", "x");
      writer.finish();
    }
    assertEquals(List.of("d", "d/both", "d/sub", "d/sub/new", "d/z"), names());
    assertEquals("new", read(root().resolve("d/both")));
    assertEquals(DIRECTORY.modified(), stat("d").modified());
  }

  @Test
  void overlayDevices() throws EngineException, ErrnoException {
    try (TreeWriter writer = writer(LayerForm.OVERLAY)) {
      put(writer, "replaced", "x");
      dir(writer, "d");
      writer.opaque(OsPath.of("d"));
      writer.delete(OsPath.of("d/gone"));
      writer.delete(OsPath.of("replaced"));
      writer.delete(OsPath.of("replaced"));
      writer.delete(OsPath.of("replaced/beneath"));
      writer.delete(OsPath.of("again"));
      put(writer, "again/inside", "x");
      writer.delete(OsPath.of("file"));
      put(writer, "file", "x");
      writer.finish();
    }
    assertEquals(List.of("again", "again/inside", "d", "d/gone", "file", "replaced"), names());
    assertTrue(stat("d/gone").isWhiteout());
    assertTrue(stat("replaced").isWhiteout());
    assertEquals(Optional.of("y"), xattr("d", "trusted.overlay.opaque"));
    assertEquals(Optional.of("y"), xattr("again", "trusted.overlay.opaque"));
    assertTrue(stat("file").isRegularFile());
    assertEquals(1, stat("replaced").links());
  }

  @Test
  void overlayXattrs() throws EngineException, ErrnoException {
    try (TreeWriter writer = writer(LayerForm.OVERLAY_XATTRS)) {
      dir(writer, "d");
      writer.delete(OsPath.of("d/gone"));
      writer.delete(OsPath.of("d/gone/beneath"));
      dir(writer, "o");
      writer.delete(OsPath.of("o/before"));
      writer.opaque(OsPath.of("o"));
      writer.delete(OsPath.of("o/after"));
      writer.delete(OsPath.of("top"));
      writer.delete(OsPath.of("again"));
      dir(writer, "again");
      writer.finish();
    }
    assertEquals(List.of("again", "d", "d/gone", "o", "top"), names());
    assertEquals(Optional.of("y"), xattr("d/gone", "trusted.overlay.whiteout"));
    assertEquals(Optional.of("x"), xattr("d", "trusted.overlay.opaque"));
    assertEquals(Optional.of("y"), xattr("o", "trusted.overlay.opaque"));
    assertEquals(Optional.of("x"), xattr(".", "trusted.overlay.opaque"));
    assertEquals(Optional.of("y"), xattr("again", "trusted.overlay.opaque"));
    assertEquals(0, stat("d/gone").size());
    assertTrue(stat("d/gone").isRegularFile());
  }

  @Test
  void aufsNames() throws EngineException, ErrnoException {
    try (TreeWriter writer = writer(LayerForm.AUFS)) {
      dir(writer, "d");
      writer.opaque(OsPath.of("d"));
      writer.delete(OsPath.of("gone"));
      writer.delete(OsPath.of("gone/beneath"));
      writer.delete(OsPath.of("back"));
      put(writer, "back", "x");
      writer.delete(OsPath.of("again"));
      dir(writer, "again");
      EngineException e = assertThrows(EngineException.class, () -> put(writer, "d/.wh.x", "x"));
      assertTrue(e.getMessage().contains(".wh.x"), e.getMessage());
      writer.finish();
    }
    assertEquals(
        List.of(".wh.gone", "again", "again/.wh..wh..opq", "back", "d", "d/.wh..wh..opq"), names());
  }

  @ParameterizedTest
  @EnumSource(
      value = LayerForm.class,
      names = {"OVERLAY", "USER_OVERLAY", "OVERLAY_XATTRS", "USER_OVERLAY_XATTRS"})
  void noStreamPlantsWhatOverlayfsObeys(LayerForm form) throws EngineException, ErrnoException {
    Map<String, byte[]> planted =
        Map.of(
            "trusted.overlay.redirect", "/etc".getBytes(StandardCharsets.UTF_8),
            "trusted.overlay.overlay.opaque", new byte[] {'y'},
            "trusted.overlayer", new byte[] {'1'});
    Attributes attributes = new Attributes(0755, 0, 0, FILE.modified(), Xattrs.of(planted));
    try (TreeWriter writer = writer(form)) {
      for (int round = 0; round < 2; round++) {
        writer.put(
            new Node(OsPath.of("d"), new Node.Kind.Directory(), attributes), new Content.None());
      }
      assertThrows(
          EngineException.class, () -> put(writer, "w", new Node.Kind.Device(false, 0, 0)));
      writer.delete(OsPath.of("dead"));
      assertThrows(EngineException.class, () -> link(writer, "w", "dead"));
      writer.finish();
    }
    assertEquals(
        Stream.of(
                "trusted.overlay.overlay.overlay.opaque",
                "trusted.overlay.overlay.redirect",
                "trusted.overlayer")
            .toList(),
        SYS.listxattr(root().resolve("d"), false).stream().sorted().toList());
    assertFalse(names().contains("w"));
  }

  // ---- failures ------------------------------------------------------------------------------

  @Test
  void aFullFileSystemIsToldInALine() throws ErrnoException {
    OsPath small = scratch.mkdirs("small");
    byte[] options = "size=64k".getBytes(StandardCharsets.UTF_8);
    SYS.mount(OsPath.of("x"), small, "tmpfs", 0, options);
    Leaks leaks = Leaks.beneath(scratch.path());
    try (TreeWriter writer =
        new TreeWriter(SYS, small, LayerForm.OVERLAY, TreeWriter.Parents.UNKNOWN)) {
      EngineException e =
          assertThrows(EngineException.class, () -> put(writer, "d/large", "x".repeat(100_000)));
      assertEquals("cannot write d/large: No space left on device (ENOSPC)", e.getMessage());
    }
    leaks.assertNone();
  }

  @Test
  void dataThatEndsEarlyIsTold() throws ErrnoException {
    try (TreeWriter writer = writer(LayerForm.OVERLAY)) {
      EngineException e =
          assertThrows(
              EngineException.class,
              () -> writer.put(file("f", 10), new Content.OfStream(buffer -> 0)));
      assertEquals("cannot write f: its data ends 10 bytes early", e.getMessage());
    }
  }

  @Test
  void aFileInTheWayIsTold() throws EngineException, ErrnoException {
    try (TreeWriter writer = writer(LayerForm.OVERLAY)) {
      put(writer, "f", "x");
      EngineException e = assertThrows(EngineException.class, () -> put(writer, "f/g/h", "x"));
      assertEquals("cannot write f/g/h: f is no directory (ENOTDIR)", e.getMessage());
    }
  }

  @Test
  void holesOfAStreamAreKept() throws EngineException, ErrnoException {
    long size = 10L << 30;
    try (TreeWriter writer = writer(LayerForm.OVERLAY)) {
      writer.put(
          new Node(OsPath.of("f"), new Node.Kind.Regular(size), FILE),
          new Content.OfStream(
              new Content.Source() {
                private long at;

                @Override
                public long skipHole() {
                  long hole = at == 0 ? 4096 : at == 8192 ? size - 8192 : 0;
                  at += hole;
                  return hole;
                }

                @Override
                public int read(ByteBuffer buffer) {
                  int n = (int) Math.min(8192 - at, buffer.remaining());
                  for (int i = 0; i < n; i++) {
                    buffer.put((byte) 'x');
                  }
                  at += n;
                  return n;
                }
              }));
      writer.finish();
    }
    assertEquals(size, stat("f").size());
    assertEquals(8, stat("f").blocks());
  }
}
