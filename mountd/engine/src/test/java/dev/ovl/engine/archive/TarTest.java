package dev.ovl.engine.archive;

import static dev.ovl.engine.archive.Archives.SYS;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.RichTree;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.engine.tree.Xattrs;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Timestamp;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is packed and unpacked, by ours and by others. */
class TarTest {
  @RegisterExtension final Scratch scratch = Scratch.ext4();

  private OsPath from() throws ErrnoException {
    return scratch.mkdirs("from");
  }

  private OsPath to() throws ErrnoException {
    return scratch.mkdirs("to");
  }

  private static Trees.Snapshot without(Trees.Snapshot tree, String... names) {
    SortedMap<OsPath, Trees.Node> nodes = new TreeMap<>(tree.nodes());
    for (String name : names) {
      nodes.remove(OsPath.of(name));
    }
    return new Trees.Snapshot(nodes);
  }

  private static void run(String... command) {
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().put("LC_ALL", "C.UTF-8");
      Process process = builder.start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, process.waitFor(), output);
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static long blocks(OsPath path) throws ErrnoException {
    return SYS.statx(Linux.AT_FDCWD, path, 0, Linux.STATX_BASIC_STATS).blocks();
  }

  // ---- ours ----------------------------------------------------------------------------------

  @Test
  void everythingComesBackFromAFile() throws EngineException, ErrnoException {
    new RichTree(from()).all(true);
    OsPath file = scratch.resolve("archive");
    Leaks leaks = Leaks.beneath(scratch.path());
    Archives.packToFile(from(), file, TarWriter.Options.EXACT);
    Archives.unpackFile(file, to());
    leaks.assertNone();
    Trees.assertSame(
        without(Trees.snapshotWithTimes(from()), "socket"), Trees.snapshotWithTimes(to()));
    assertTrue(blocks(to().resolve("holes")) < 100, "its holes are lost");
  }

  @Test
  void layersHaveWholeSecondsAndNoHoles() throws EngineException, ErrnoException {
    new RichTree(from()).all(true);
    byte[] archive = Archives.pack(from(), TarWriter.Options.OF_IMAGES);
    Archives.unpack(archive, to());
    Trees.assertSame(without(Trees.snapshot(from()), "socket"), Trees.snapshot(to()));
    assertTrue(blocks(to().resolve("holes")) > 5000);
    Statx stat = SYS.statx(Linux.AT_FDCWD, to().resolve("dir/a"), 0, Linux.STATX_BASIC_STATS);
    assertEquals(new Timestamp(-1_000_000, 0), stat.modified());
    assertArrayEquals(archive, Archives.pack(from(), TarWriter.Options.OF_IMAGES));
  }

  @Test
  void socketsAreCounted() throws EngineException, ErrnoException {
    new RichTree(from()).node("socket", Linux.S_IFSOCK | 0755, 0, 0);
    TarWriter writer =
        Archives.pack(
            from(), ByteSink.of(new ByteArrayOutputStream()), TarWriter.Options.OF_IMAGES);
    assertEquals(1, writer.sockets());
  }

  @Test
  void tenGigabytesOfHole() throws EngineException, ErrnoException {
    new RichTree(from()).holes("f", 10L << 30);
    byte[] archive = Archives.pack(from(), TarWriter.Options.EXACT);
    assertTrue(archive.length < 100_000, archive.length + " bytes");
    Archives.unpack(archive, to());
    assertEquals(
        10L << 30, SYS.statx(Linux.AT_FDCWD, to().resolve("f"), 0, Linux.STATX_BASIC_STATS).size());
    assertTrue(blocks(to().resolve("f")) < 100);
    for (long offset : new long[] {0, 5L << 30}) {
      assertEquals(part(from().resolve("f"), offset), part(to().resolve("f"), offset));
    }
  }

  private static ByteBuffer part(OsPath path, long offset) throws ErrnoException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(6000);
    try (Fd fd = new Fd(SYS, SYS.openat(Linux.AT_FDCWD, path, Linux.O_RDONLY, 0))) {
      SYS.lseek(fd.number(), offset, Linux.SEEK_SET);
      SYS.read(fd.number(), buffer);
    }
    return buffer.flip();
  }

  @Test
  void pathsLongerThanACallTakes() throws EngineException, ErrnoException {
    new RichTree(from()).deep();
    Archives.unpack(Archives.pack(from(), TarWriter.Options.EXACT), to());
    Trees.assertSame(Trees.snapshotWithTimes(from()), Trees.snapshotWithTimes(to()));
  }

  @ParameterizedTest
  @ValueSource(ints = {98, 99, 100, 101, 154, 155, 156, 157, 200, 255})
  void namesOfEveryLength(int length) throws EngineException, ErrnoException {
    RichTree tree = new RichTree(from());
    String name = "n".repeat(length);
    tree.file(name, "x");
    tree.directory("d".repeat(length > 99 ? length - 1 : length) + "d");
    tree.symlink("l".repeat(length), name);
    for (int depth : List.of(2, 50, 99, 100, 101, 150, 155, 156)) {
      tree.directory("p".repeat(depth));
      tree.file("p".repeat(depth) + "/" + name, "y");
    }
    Archives.unpack(Archives.pack(from(), TarWriter.Options.EXACT), to());
    Trees.assertSame(Trees.snapshotWithTimes(from()), Trees.snapshotWithTimes(to()));
    assertReadableByGnu();
  }

  private void assertReadableByGnu() throws EngineException, ErrnoException {
    Requires.program("tar");
    OsPath other = scratch.mkdirs("other");
    Archives.packToFile(from(), scratch.resolve("archive"), TarWriter.Options.EXACT);
    run("tar", "-xpf", scratch.resolve("archive").toString(), "-C", other.toString());
    Trees.assertSame(Trees.snapshot(from()), Trees.snapshot(other));
  }

  @Test
  void capabilitiesOfNamespacesBecomeOrdinaryOnes() throws EngineException, ErrnoException {
    RichTree tree = new RichTree(from());
    tree.file("f", "x");
    byte[] third =
        HexFormat.of()
            .parseHex(RichTree.CAPABILITY.replaceFirst("^01000002", "01000003") + "e8030000");
    tree.xattr("f", "security.capability", third);
    Archives.unpack(Archives.pack(from(), TarWriter.Options.OF_IMAGES), to());
    assertEquals(
        RichTree.CAPABILITY,
        HexFormat.of()
            .formatHex(
                SYS.getxattr(to().resolve("f"), "security.capability", false).orElseThrow()));
  }

  @Test
  void aFileThatIsCutMeanwhileIsFilledUp() throws EngineException, ErrnoException {
    new RichTree(from()).file("f", "four");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TarWriter writer =
        new TarWriter(SYS, ByteSink.of(out), ArchiveFormat.OCI, TarWriter.Options.OF_IMAGES);
    try (Fd fd = new Fd(SYS, SYS.openat(Linux.AT_FDCWD, from().resolve("f"), Linux.O_RDONLY, 0))) {
      writer.put(
          new Node(
              OsPath.of("f"),
              new Node.Kind.Regular(6),
              new Attributes(0644, 0, 0, new Timestamp(0, 0), Xattrs.NONE)),
          new Content.OfFile(fd));
    }
    writer.finish();
    Archives.unpack(out.toByteArray(), to());
    assertArrayEquals(
        new byte[] {'f', 'o', 'u', 'r', 0, 0},
        new Files(SYS).read(to().resolve("f")).orElseThrow());
  }

  // ---- others' -------------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({"posix,true", "gnu,true", "ustar,false", "oldgnu,true", "v7,false"})
  void whatGnuTarPacks(String format, boolean sparse) throws EngineException, ErrnoException {
    Requires.program("tar");
    RichTree tree = new RichTree(from());
    boolean all = format.equals("posix");
    if (all || sparse) {
      tree.all(true);
      SYS.unlinkat(Linux.AT_FDCWD, tree.at("fifo-again"), 0); // it links regular files only
    } else {
      tree.file("f", "f");
      tree.directory("d");
      tree.file("d/g", "");
      tree.link("h", "f");
      tree.symlink("s", "f");
      if (format.equals("ustar")) {
        tree.node("p", Linux.S_IFIFO | 0644, 0, 0);
        tree.directory("n".repeat(90));
        tree.file("n".repeat(90) + "/" + "m".repeat(90), "long");
      }
    }
    List<String> command =
        new ArrayList<>(
            List.of(
                "tar",
                "--format=" + format,
                "-C",
                from().toString(),
                "--warning=none",
                "-cf",
                scratch.resolve("archive").toString()));
    if (sparse) {
      command.add("--sparse");
    }
    if (all) {
      command.addAll(List.of("--xattrs", "--xattrs-include=*"));
    }
    command.add(".");
    run(command.toArray(String[]::new));
    Archives.unpackFile(scratch.resolve("archive"), to());
    if (all) {
      Trees.assertSame(
          without(Trees.snapshotWithTimes(from()), "socket"), Trees.snapshotWithTimes(to()));
    } else {
      assertSameWithoutXattrs(without(Trees.snapshot(from()), "socket"), Trees.snapshot(to()));
    }
    if (sparse) {
      assertTrue(blocks(to().resolve("holes")) < 200, "its holes are lost");
    }
  }

  private static void assertSameWithoutXattrs(Trees.Snapshot expected, Trees.Snapshot actual) {
    Trees.assertSame(withoutXattrs(expected), withoutXattrs(actual));
  }

  private static Trees.Snapshot withoutXattrs(Trees.Snapshot tree) {
    SortedMap<OsPath, Trees.Node> nodes = new TreeMap<>();
    tree.nodes()
        .forEach(
            (path, n) ->
                nodes.put(
                    path,
                    new Trees.Node(
                        n.mode(),
                        n.uid(),
                        n.gid(),
                        n.size(),
                        n.content(),
                        n.device(),
                        n.linkTarget(),
                        new TreeMap<>(),
                        n.sameAs(),
                        n.modified())));
    return new Trees.Snapshot(nodes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.0", "0.1", "1.0"})
  void sparseFilesOfGnuTarInPax(String version) throws EngineException, ErrnoException {
    Requires.program("tar");
    new RichTree(from()).holes("holes", 100L << 20);
    run(
        "tar",
        "--format=posix",
        "--sparse-version=" + version,
        "--sparse",
        "-C",
        from().toString(),
        "-cf",
        scratch.resolve("archive").toString(),
        ".");
    Archives.unpackFile(scratch.resolve("archive"), to());
    Trees.assertSame(Trees.snapshotWithTimes(from()), Trees.snapshotWithTimes(to()));
    assertTrue(blocks(to().resolve("holes")) < 200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"pax", "gnutar", "ustar"})
  void whatBsdtarPacks(String format) throws EngineException, ErrnoException {
    Requires.program("bsdtar");
    RichTree tree = new RichTree(from());
    if (format.equals("pax")) {
      tree.all(true);
      SYS.removexattr(tree.at("dir"), "trusted.binary", false);
    } else {
      tree.file("f", "f");
      tree.directory("d");
      tree.file("d/g", "");
      tree.link("h", "f");
      tree.symlink("s", "f");
      tree.file("n".repeat(99), "long");
    }
    run(
        "bsdtar",
        "--format=" + format,
        "-C",
        from().toString(),
        "-cf",
        scratch.resolve("archive").toString(),
        ".");
    Archives.unpackFile(scratch.resolve("archive"), to());
    assertSameWithoutXattrs(without(Trees.snapshot(from()), "socket"), Trees.snapshot(to()));
  }

  @Test
  void gnuTarUnpacksOurs() throws EngineException, ErrnoException {
    Requires.program("tar");
    new RichTree(from()).all(true);
    Archives.packToFile(from(), scratch.resolve("archive"), TarWriter.Options.EXACT);
    run(
        "tar",
        "-xpf",
        scratch.resolve("archive").toString(),
        "-C",
        to().toString(),
        "--xattrs",
        "--xattrs-include=*",
        "--same-owner",
        "--numeric-owner");
    Trees.assertSame(
        without(Trees.snapshotWithTimes(from()), "socket"), Trees.snapshotWithTimes(to()));
  }

  @Test
  void bsdtarUnpacksOurs() throws EngineException, ErrnoException {
    Requires.program("bsdtar");
    new RichTree(from()).all(true);
    Archives.packToFile(from(), scratch.resolve("archive"), TarWriter.Options.EXACT);
    run("bsdtar", "-xpf", scratch.resolve("archive").toString(), "-C", to().toString());
    assertSameWithoutXattrs(without(Trees.snapshot(from()), "socket"), Trees.snapshot(to()));
  }

  @Test
  void ownersAndSizesThatUstarHasNoRoomFor() throws EngineException, ErrnoException {
    RichTree tree = new RichTree(from());
    tree.file("f", "x");
    SYS.fchownat(Linux.AT_FDCWD, tree.at("f"), -2, 3_000_000, 0);
    tree.holes("large", 9L << 30);
    OsPath archive = scratch.resolve("archive");
    for (String format : List.of("posix", "gnu")) {
      run(
          "tar",
          "--format=" + format,
          "--sparse",
          "-C",
          from().toString(),
          "-cf",
          archive.toString(),
          ".");
      Archives.unpackFile(archive, to());
      Statx stat = SYS.statx(Linux.AT_FDCWD, to().resolve("f"), 0, Linux.STATX_BASIC_STATS);
      assertEquals(-2, stat.uid());
      assertEquals(3_000_000, stat.gid());
      stat = SYS.statx(Linux.AT_FDCWD, to().resolve("large"), 0, Linux.STATX_BASIC_STATS);
      assertEquals(9L << 30, stat.size());
    }
    Archives.packToFile(from(), archive, TarWriter.Options.EXACT);
    Archives.unpackFile(archive, to());
    Statx stat = SYS.statx(Linux.AT_FDCWD, to().resolve("f"), 0, Linux.STATX_BASIC_STATS);
    assertEquals(-2, stat.uid());
  }

  // ---- deletions -----------------------------------------------------------------------------

  private List<String> names(OsPath root) throws ErrnoException {
    return Trees.snapshot(root).nodes().keySet().stream()
        .map(OsPath::toString)
        .filter(name -> !name.equals("."))
        .toList();
  }

  private Optional<String> xattr(String path, String name) throws ErrnoException {
    return SYS.getxattr(to().resolve(path), name, false)
        .map(value -> new String(value, StandardCharsets.UTF_8));
  }

  @Test
  void whiteoutsOfImagesBecomeThoseOfOverlayfs() throws EngineException, ErrnoException {
    byte[] archive =
        new Entries()
            .dir("d/")
            .file("d/.wh..wh..opq", "")
            .file("d/.wh.gone", "")
            .file("d/new", "x")
            .file(".wh.top", "")
            .file(".wh.foo", "")
            .file("foo/.wh.bar", "")
            .dir(".wh..wh.plnk/")
            .file(".wh..wh.plnk/12.34", "x")
            .file(".wh..wh.aufs", "")
            .dir(".wh..wh.orph")
            .closed();
    Archives.unpack(new ByteArrayInputStream(archive), to(), ArchiveFormat.OCI, LayerForm.OVERLAY);
    assertEquals(List.of("d", "d/gone", "d/new", "foo", "top"), names(to()));
    assertEquals(Optional.of("y"), xattr("d", "trusted.overlay.opaque"));
    for (String name : List.of("d/gone", "foo", "top")) {
      assertTrue(
          SYS.statx(Linux.AT_FDCWD, to().resolve(name), 0, Linux.STATX_BASIC_STATS).isWhiteout());
    }
  }

  @ParameterizedTest
  @EnumSource(ArchiveFormat.class)
  void whatIsDeletedComesBackInEachFormat(ArchiveFormat format)
      throws EngineException, ErrnoException {
    byte[] image =
        new Entries()
            .dir("d/")
            .file("d/.wh..wh..opq", "")
            .file("d/new", "x")
            .pax("SCHILY.xattr.trusted.overlay.mine", "m")
            .dir("e")
            .file("e/.wh.gone", "")
            .closed();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TarWriter writer = new TarWriter(SYS, ByteSink.of(out), format, TarWriter.Options.OF_IMAGES);
    new TarReader(ArchiveFormat.OCI, TarReader.Progress.NONE, () -> false)
        .read(ByteSources.of(new ByteArrayInputStream(image)), writer);
    writer.finish();
    Archives.unpack(
        new ByteArrayInputStream(out.toByteArray()), to(), format, LayerForm.USER_OVERLAY);
    assertEquals(List.of("d", "d/new", "e", "e/gone"), names(to()));
    assertEquals(Optional.of("y"), xattr("d", "user.overlay.opaque"));
    assertEquals(Optional.of("m"), xattr("e", "trusted.overlay.overlay.mine"));
  }

  @Test
  void aNameThatWouldDeleteIsNotWritten() throws ErrnoException {
    new RichTree(from()).file(".wh.x", "x");
    EngineException e =
        assertThrows(
            EngineException.class, () -> Archives.pack(from(), TarWriter.Options.OF_IMAGES));
    assertTrue(e.getMessage().contains(".wh.x"), e.getMessage());
  }

  // ---- compression -----------------------------------------------------------------------------

  private static byte[] compressed(Compression compression, byte[] bytes)
      throws EngineException, ErrnoException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CompressedSink sink = compression.into(ByteSink.of(out))) {
      for (int i = 0; i < bytes.length; i += 100_000) {
        int length = Math.min(100_000, bytes.length - i);
        sink.write(ByteBuffer.allocateDirect(length).put(bytes, i, length).flip());
      }
      sink.finish();
    }
    return out.toByteArray();
  }

  private byte[] some() throws EngineException, ErrnoException {
    new RichTree(from()).all(true);
    return Archives.pack(from(), TarWriter.Options.EXACT);
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void packedAndUnpacked(Compression compression) throws EngineException, ErrnoException {
    byte[] packed = compressed(compression, some());
    try (Decompressed found = new Decompressed(ByteSources.of(new ByteArrayInputStream(packed)))) {
      assertEquals(compression, found.found());
    }
    Archives.unpack(packed, to());
    Trees.assertSame(
        without(Trees.snapshotWithTimes(from()), "socket"), Trees.snapshotWithTimes(to()));
  }

  @ParameterizedTest
  @CsvSource({"GZIP,gzip", "ZSTD,zstd"})
  void otherProgramsUnpackIt(Compression compression, String program)
      throws EngineException, IOException {
    Requires.program(program);
    byte[] tar = some();
    OsPath file = scratch.resolve("packed");
    java.nio.file.Files.write(Path.of(file.toString()), compressed(compression, tar));
    Process process =
        new ProcessBuilder(program, "-dc", file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertArrayEquals(tar, process.getInputStream().readAllBytes());
  }

  @ParameterizedTest
  @CsvSource({"GZIP,gzip -c", "GZIP,gzip -9 --name -c", "ZSTD,zstd -c", "ZSTD,zstd -19 -c"})
  void whatOtherProgramsPacked(Compression compression, String command)
      throws EngineException, IOException {
    String[] words = command.split(" ");
    Requires.program(words[0]);
    byte[] tar = some();
    Path file = Path.of(scratch.resolve("tar").toString());
    java.nio.file.Files.write(file, tar);
    List<String> all = new ArrayList<>(List.of(words));
    all.add(file.toString());
    byte[] packed = new ProcessBuilder(all).start().getInputStream().readAllBytes();
    try (Decompressed found = new Decompressed(ByteSources.of(new ByteArrayInputStream(packed)))) {
      assertEquals(compression, found.found());
      assertArrayEquals(tar, all(found));
      assertEquals(packed.length, found.consumed());
    }
  }

  private static byte[] all(Decompressed source) throws EngineException, ErrnoException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteBuffer buffer = ByteBuffer.allocateDirect(7000);
    while (source.read(buffer.clear()) > 0) {
      byte[] bytes = new byte[buffer.flip().remaining()];
      buffer.get(bytes);
      out.writeBytes(bytes);
    }
    return out.toByteArray();
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  @ParameterizedTest
  @EnumSource(
      value = Compression.class,
      names = {"GZIP", "ZSTD"})
  void compressedPartsFollowEachOther(Compression compression)
      throws EngineException, ErrnoException {
    byte[] tar = some();
    byte[] first = Arrays.copyOf(tar, 5000);
    byte[] second = Arrays.copyOfRange(tar, 5000, tar.length);
    byte[] packed = joined(compressed(compression, first), compressed(compression, second));
    try (Decompressed found = new Decompressed(ByteSources.of(new ByteArrayInputStream(packed)))) {
      assertArrayEquals(tar, all(found));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Compression.class,
      names = {"GZIP", "ZSTD"})
  void brokenCompression(Compression compression) throws EngineException, ErrnoException {
    byte[] packed = compressed(compression, new byte[100_000]);
    List<byte[]> broken = new ArrayList<>();
    for (int length = 8; length < packed.length; length++) {
      broken.add(Arrays.copyOf(packed, length));
    }
    broken.add(joined(packed, "rubbish".getBytes(StandardCharsets.UTF_8)));
    byte[] wrong = packed.clone();
    wrong[packed.length - 1] ^= 1;
    broken.add(wrong);
    byte[] wrongChecksum = packed.clone();
    wrongChecksum[packed.length - (compression == Compression.GZIP ? 8 : 4)] ^= 1;
    broken.add(wrongChecksum);
    for (byte[] bytes : broken) {
      try (Decompressed found = new Decompressed(ByteSources.of(new ByteArrayInputStream(bytes)))) {
        EngineException e =
            assertThrows(EngineException.class, () -> all(found), bytes.length + " bytes");
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"bzip2,425a6839314159265359", "xz,fd377a585a00000004e6"})
  void unknownCompressionIsNamed(String name, String bytes) {
    EngineException e =
        assertThrows(
            EngineException.class,
            () ->
                new Decompressed(
                    ByteSources.of(new ByteArrayInputStream(HexFormat.of().parseHex(bytes)))));
    assertTrue(e.getMessage().contains(name), e.getMessage());
  }

  @Test
  void progressIsTold() throws EngineException, ErrnoException {
    byte[] tar = new Entries().file("a", "x").file("b", "y").closed();
    List<String> told = new ArrayList<>();
    try (TreeWriter writer =
        new TreeWriter(SYS, to(), LayerForm.PLAIN, TreeWriter.Parents.UNKNOWN)) {
      new TarReader(
              ArchiveFormat.OCI, (bytes, entries) -> told.add(bytes + " " + entries), () -> false)
          .read(ByteSources.of(new ByteArrayInputStream(tar)), writer);
    }
    assertEquals(List.of("1024 1", "2048 2", "3072 2"), told);
  }
}
