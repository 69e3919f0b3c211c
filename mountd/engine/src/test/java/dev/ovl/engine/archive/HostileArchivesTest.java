package dev.ovl.engine.archive;

import static dev.ovl.engine.archive.Archives.SYS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.archive.Entries.Header;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.RichTree;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Archives that are wrong, on purpose or by accident. */
class HostileArchivesTest {
  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  private OsPath root() throws ErrnoException {
    return scratch.mkdirs("root");
  }

  private List<String> names() throws ErrnoException {
    return Trees.snapshot(root()).nodes().keySet().stream()
        .map(OsPath::toString)
        .filter(name -> !name.equals("."))
        .toList();
  }

  // ---- refused, and why ------------------------------------------------------------------------

  static Stream<Arguments> refused() {
    return Stream.of(
        arguments("leads out of the tree", new Entries().file("../x", "x")),
        arguments("leads out of the tree", new Entries().file("a/../../x", "x")),
        arguments("leads out of the tree", new Entries().dir("..")),
        arguments("leads out of the tree", new Entries().file("a", "x").link("b", "../a")),
        arguments("the root of a tree is a directory", new Entries().file("./", "").file(".", "x")),
        arguments("the root of a tree is a directory", new Entries().symlink("/", "/etc")),
        arguments("which is no file", new Entries().link("a", "/")),
        arguments("which is no file", new Entries().link("a", ".wh.b")),
        arguments("which is not there", new Entries().link("a", "b")),
        arguments("which is a directory", new Entries().dir("d").link("a", "d")),
        arguments("which is not there", new Entries().link("a", "/etc/passwd")),
        arguments("symbolic link to nothing", new Entries().symlink("a", "")),
        arguments("device 0:0", new Entries().add(new Header("a", '3').device(0, 0))),
        arguments("no device", new Entries().add(new Header("a", '3').raw(329, 0x80, 0, 0, 0, 1))),
        arguments("has a name", new Entries().file(".wh.", "")),
        arguments("has a name", new Entries().file("a/.wh..", "")),
        arguments("has a name", new Entries().file(".wh...", "")),
        arguments("no directory", new Entries().file(".wh.a/b", "x")),
        arguments("another volume", new Entries().add(new Header("a", 'M'))),
        arguments("type is unknown: 's'", new Entries().add(new Header("a", 's'))),
        arguments("type is unknown: 255", new Entries().add(new Header("a", (char) 255))),
        arguments("is no directory", new Entries().file("a", "x").file("a/b", "x")),
        arguments("is no directory", new Entries().symlink("a", "/nowhere").file("a/b", "x")),
        arguments("is no directory", new Entries().symlink("a", "a").file("a/b", "x")),
        arguments(
            "is no directory", new Entries().symlink("a", "/proc/self/root").file("a/etc/x", "")),
        arguments("File name too long", new Entries().pax("path", "n".repeat(256)).file("x", "")),
        arguments(
            "longer than 32768", new Entries().pax("path", "a/".repeat(20_000)).file("x", "")),
        arguments("1024 parts", new Entries().pax("path", "a/".repeat(1_025)).file("x", "")),
        arguments("NUL in a name", new Entries().pax("path", "a\0b").file("x", "")),
        arguments("NUL in a name", new Entries().pax("linkpath", "a\0b").symlink("x", "y")),
        arguments("extended header is broken", new Entries().extended('x', "garbage")),
        arguments("extended header is broken", new Entries().extended('x', "99 a=b\n")),
        arguments("extended header is broken", new Entries().extended('x', "5 a=b")),
        arguments("extended header is broken", new Entries().extended('x', "6 abc\n")),
        arguments("extended header is broken", new Entries().extended('x', "5 =b\n")),
        arguments("extended header is broken", new Entries().extended('x', "0 a=b\n")),
        arguments("extended header is broken", new Entries().extended('x', "-7 a=b\n")),
        arguments("extended header is broken", new Entries().extended('g', "99999999999999 a=b\n")),
        arguments("has no entry", new Entries().pax("path", "x")),
        arguments("size is no number", new Entries().pax("size", "ten").file("x", "")),
        arguments("its size is -1", new Entries().pax("size", "-1").file("x", "")),
        arguments(
            "its size is 9223372036854775807",
            new Entries().pax("size", "9223372036854775807").file("x", "")),
        arguments("its mtime is no time", new Entries().pax("mtime", "1.x").file("x", "")),
        arguments("its mtime is no time", new Entries().pax("mtime", "now").file("x", "")),
        arguments("no user or group", new Entries().pax("uid", "4294967295").file("x", "")),
        arguments("no user or group", new Entries().pax("gid", "-1").file("x", "")),
        arguments("no proper name", new Entries().pax("SCHILY.xattr.", "x").file("x", "")),
        arguments(
            "is longer than 1048576 bytes", new Entries().add(new Header("x", 'x').size(2 << 20))),
        arguments(
            "is longer than 1048576 bytes",
            new Entries().add(new Header("x", 'L').size(0_77777777777L))),
        arguments(
            "longer than 1048576 bytes",
            new Entries()
                .extended('g', "comment", "c".repeat(600_000))
                .extended('g', "comment", "c".repeat(600_000))),
        arguments(
            "more than 1024 extended attributes",
            new Entries()
                .pax(
                    Stream.iterate(0, i -> i + 1)
                        .limit(1100)
                        .flatMap(i -> Stream.of("SCHILY.xattr.trusted." + i, ""))
                        .toArray(String[]::new))
                .file("x", "")),
        arguments(
            "checksum is wrong",
            new Entries()
                .raw(
                    ("x".repeat(148) + "000017\0 " + "x".repeat(356))
                        .getBytes(StandardCharsets.US_ASCII))),
        arguments(
            "checksum of a header is no number",
            new Entries().raw("x".repeat(512).getBytes(StandardCharsets.US_ASCII))),
        arguments("size is no number", new Entries().add(new Header("a", '0').text(124, "12x45"))),
        arguments(
            "size is too large",
            new Entries()
                .add(
                    new Header("a", '0')
                        .raw(124, 0x80, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255))),
        arguments(
            "its size is -",
            new Entries()
                .add(
                    new Header("a", '0')
                        .raw(124, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255))),
        arguments(
            "middle of its data", new Entries().add(new Header("a", '0').size(0_77777777777L))),
        arguments("sparse map", sparse("10", "0,5,3,5", 10)),
        arguments("sparse map", sparse("10", "0,5,8,5", 10)),
        arguments("sparse map", sparse("10", "0,5,5", 10)),
        arguments("no number", sparse("10", "0,5,x,5", 10)),
        arguments("sparse map", sparse("10", "0,-5,5,15", 10)),
        arguments("sparse map", sparse("10", "9223372036854775807,9", 9)),
        arguments("its size is -1", sparse("-1", "0,0", 0)),
        arguments(
            "sparse and has no size", new Entries().pax("GNU.sparse.map", "0,1").file("x", "x")),
        arguments(
            "sparse format is unknown", new Entries().pax("GNU.sparse.major", "2").file("x", "")),
        arguments(
            "sparse map is broken", new Entries().pax("GNU.sparse.numbytes", "2").file("x", "")),
        arguments("sparse map is broken", sparse1("5\n")),
        arguments("sparse map is broken", sparse1("\n\n\n")),
        arguments("sparse map is broken", sparse1("99999999999999999999999999\n")),
        arguments("sparse map", sparse1("1\n0\n99\n")),
        arguments(
            "middle of a header",
            new Entries().add(new Header("a", 'S').raw(482, 1).text(483, "00000000000"))));
  }

  private static Entries sparse(String size, String map, int data) {
    return new Entries()
        .pax("GNU.sparse.size", size, "GNU.sparse.map", map)
        .file("x", "d".repeat(data));
  }

  private static Entries sparse1(String map) {
    String data = map + "\0".repeat(512 - map.length());
    return new Entries()
        .pax(
            "GNU.sparse.major",
            "1",
            "GNU.sparse.minor",
            "0",
            "GNU.sparse.realsize",
            "9",
            "GNU.sparse.name",
            "x")
        .file("x", data);
  }

  @ParameterizedTest
  @MethodSource
  void refused(String why, Entries entries) throws ErrnoException {
    Leaks leaks = Leaks.beneath(scratch.path());
    boolean endsEarly = why.startsWith("middle");
    byte[] archive = endsEarly ? entries.open() : entries.closed();
    EngineException e =
        assertThrows(
            EngineException.class,
            () ->
                Archives.unpack(
                    new ByteArrayInputStream(archive),
                    root(),
                    ArchiveFormat.OCI,
                    LayerForm.OVERLAY));
    leaks.assertNone();
    assertTrue(e.getMessage().contains(why), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }

  @Test
  void whatIsWrongIsToldWithEntryAndByte() {
    byte[] archive = new Entries().file("a", "x").file("a/\n/../../../b", "x").closed();
    EngineException e = assertThrows(EngineException.class, () -> Archives.unpack(archive, root()));
    assertEquals(
        "the archive is broken at byte 1024, 'a/'$'\\n''/../../../b': "
            + "the name 'a/'$'\\n''/../../../b' leads out of the tree",
        e.getMessage());
  }

  // ---- harmless --------------------------------------------------------------------------------

  @Test
  void namesThatLookLikeElsewhere() throws EngineException, ErrnoException {
    Archives.unpack(
        new Entries()
            .file("/etc/passwd", "x")
            .file("//./a/./b/../c//", "")
            .link("h", "/etc/passwd")
            .symlink("s", "/etc")
            .file("s/shadow", "x")
            .link("t", "s")
            .closed(),
        root());
    assertEquals(List.of("a", "a/c", "etc", "etc/passwd", "etc/shadow", "h", "s", "t"), names());
  }

  @Test
  void whatOverlayfsWouldObeyIsKeptAsAFilesOwn() throws EngineException, ErrnoException {
    Archives.unpack(
        new ByteArrayInputStream(
            new Entries()
                .pax("SCHILY.xattr.trusted.overlay.redirect", "/etc")
                .dir("d")
                .pax("SCHILY.xattr.trusted.overlay.metacopy", "")
                .file("f", "")
                .closed()),
        root(),
        ArchiveFormat.OCI,
        LayerForm.OVERLAY);
    assertEquals(
        List.of("trusted.overlay.overlay.redirect"), SYS.listxattr(root().resolve("d"), false));
    assertEquals(
        List.of("trusted.overlay.overlay.metacopy"), SYS.listxattr(root().resolve("f"), false));
  }

  @ParameterizedTest
  @MethodSource
  void refusedOfOverlay(String attribute) throws ErrnoException {
    byte[] archive = new Entries().pax("SCHILY.xattr." + attribute, "x").dir("d").closed();
    EngineException e =
        assertThrows(
            EngineException.class,
            () ->
                Archives.unpack(
                    new ByteArrayInputStream(archive),
                    root(),
                    ArchiveFormat.OVERLAY,
                    LayerForm.OVERLAY));
    assertTrue(e.getMessage().contains(attribute), e.getMessage());
  }

  static Stream<String> refusedOfOverlay() {
    return Stream.of(
        "trusted.overlay.redirect",
        "user.overlay.redirect",
        "trusted.overlay.metacopy",
        "user.overlay.metacopy");
  }

  @Test
  void aBombOfEntriesTakesNoMemory() throws EngineException, ErrnoException {
    // 200 000 directories by one name: every one of them is a file of the stream
    byte[] one = new Entries().dir("d").open();
    InputStream endless =
        new InputStream() {
          private long left = 200_000L * 512;
          private int end = 1024;

          @Override
          public int read() {
            throw new UnsupportedOperationException();
          }

          @Override
          public int read(byte[] b, int off, int len) {
            int n;
            if (left > 0) {
              n = (int) Math.min(left, len - len % 512);
              for (int i = 0; i < n; i += 512) {
                System.arraycopy(one, 0, b, off + i, 512);
              }
              left -= n;
            } else {
              n = Math.min(end, len);
              Arrays.fill(b, off, off + n, (byte) 0);
              end -= n;
            }
            return n == 0 ? -1 : n;
          }
        };
    Archives.unpack(endless, root(), ArchiveFormat.OCI, LayerForm.PLAIN);
    assertEquals(List.of("d"), names());
  }

  // ---- damaged ---------------------------------------------------------------------------------

  private byte[] good() throws EngineException, ErrnoException {
    RichTree tree = new RichTree(scratch.mkdirs("good"));
    tree.file("a", "some text");
    tree.directory("d");
    tree.holes("d/holes", 300_000);
    tree.file("d/" + "long".repeat(60), "x");
    tree.symlink("s", "t".repeat(200));
    tree.link("h", "a");
    tree.xattr("a", "trusted.x", new byte[] {0, 1, 2});
    return Archives.pack(scratch.resolve("good"), TarWriter.Options.EXACT);
  }

  private void assertEmptied() throws ErrnoException {
    new Files(SYS).removeTree(root());
    root();
  }

  @Test
  void cutAtEveryBlockAndAnywhere() throws EngineException, ErrnoException {
    byte[] archive = good();
    Random random = new Random(7);
    Leaks leaks = Leaks.beneath(scratch.path());
    Stream<Integer> cuts =
        Stream.concat(
            Stream.iterate(0, at -> at <= archive.length - 1024, at -> at + 512),
            Stream.generate(() -> random.nextInt(archive.length - 1024)).limit(300));
    for (int cut : cuts.toList()) {
      EngineException e =
          assertThrows(
              EngineException.class,
              () -> Archives.unpack(Arrays.copyOf(archive, cut), root()),
              "cut at " + cut);
      assertTrue(e.getMessage().contains("ends"), e.getMessage());
      assertEmptied();
    }
    leaks.assertNone();
    Archives.unpack(Arrays.copyOf(archive, archive.length - 512), root());
  }

  @Test
  void flippedBytesAreToldOrHarmless() throws EngineException, ErrnoException {
    byte[] archive = good();
    Random random = new Random(8);
    OsPath around = scratch.mkdirs("around");
    new RichTree(around).file("file", "outside");
    Trees.Snapshot before = Trees.snapshotWithTimes(around);
    Leaks leaks = Leaks.beneath(scratch.path());
    int refused = 0;
    for (int i = 0; i < 1500; i++) {
      byte[] flipped = archive.clone();
      flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        Archives.unpack(flipped, root());
      } catch (EngineException e) {
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
        refused++;
      }
      assertEmptied();
    }
    leaks.assertNone();
    Trees.assertSame(before, Trees.snapshotWithTimes(around));
    assertTrue(refused > 100, refused + " of them");
  }

  @Test
  void noRoomIsToldWithItsErrno() throws EngineException, ErrnoException {
    OsPath small = scratch.mkdirs("small");
    SYS.mount(OsPath.of("x"), small, "tmpfs", 0, "size=100k".getBytes(StandardCharsets.US_ASCII));
    byte[] archive = new Entries().file("d/large", "x".repeat(300_000)).closed();
    Leaks leaks = Leaks.beneath(scratch.path());
    EngineException e = assertThrows(EngineException.class, () -> Archives.unpack(archive, small));
    assertEquals(Optional.of(Errno.ENOSPC), e.errno());
    assertEquals("cannot write d/large: No space left on device (ENOSPC)", e.getMessage());
    leaks.assertNone();
  }

  @Test
  void cancelled() throws ErrnoException {
    EngineException e =
        assertThrows(
            EngineException.class,
            () -> {
              try (TreeWriter writer =
                  new TreeWriter(SYS, root(), LayerForm.PLAIN, TreeWriter.Parents.UNKNOWN)) {
                new TarReader(ArchiveFormat.OCI, TarReader.Progress.NONE, () -> true)
                    .read(
                        ByteSources.of(
                            new ByteArrayInputStream(new Entries().file("a", "x").closed())),
                        writer);
              }
            });
    assertEquals(Optional.of(Errno.ECANCELED), e.errno());
  }
}
