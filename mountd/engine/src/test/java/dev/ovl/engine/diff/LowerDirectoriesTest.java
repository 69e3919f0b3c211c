package dev.ovl.engine.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.engine.tree.Xattrs;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Directories that an archive leaves out are made as the layers below show them. */
class LowerDirectoriesTest {
  private static final int OWNER = 12;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();
  private final List<OsPath> layers = new ArrayList<>();
  private Leaks leaks;

  @BeforeEach
  void empty() throws ErrnoException {
    Requires.root();
    SCRATCH.empty();
    leaks = Leaks.beneath(SCRATCH.path());
  }

  @AfterEach
  void nothingIsLeft() {
    leaks.assertNone();
  }

  /** What a layer is made of. */
  private interface Work {
    void into(TreeSink sink) throws EngineException, ErrnoException;
  }

  private static View view(LayerForm form, List<OsPath> layers) {
    return layers.isEmpty()
        ? new View.Nothing()
        : form == LayerForm.AUFS ? View.aufs(layers) : View.overlay(layers);
  }

  /** Puts a layer on those there are. */
  private OsPath add(LayerForm form, Work work) throws Exception {
    OsPath layer = SCRATCH.mkdirs("layer" + layers.size());
    LowerDirectories below = new LowerDirectories(sys, view(form, List.copyOf(layers)));
    try (TreeWriter writer = new TreeWriter(sys, layer, form, below)) {
      work.into(writer);
      writer.finish();
    }
    layers.addFirst(layer);
    return layer;
  }

  private static void put(
      TreeSink sink, String path, Node.Kind kind, int permissions, String... xattrs)
      throws EngineException, ErrnoException {
    Map<String, byte[]> values =
        xattrs.length == 0 ? Map.of() : Map.of(xattrs[0], OsPath.encode(xattrs[1]));
    Attributes attributes =
        new Attributes(permissions, OWNER, 0, new Timestamp(3, 4), Xattrs.of(values));
    sink.put(new Node(OsPath.of(path), kind, attributes), new Content.None());
  }

  private static void directory(TreeSink sink, String path, int permissions, String... xattrs)
      throws EngineException, ErrnoException {
    put(sink, path, new Node.Kind.Directory(), permissions, xattrs);
  }

  private static void file(TreeSink sink, String path) throws EngineException, ErrnoException {
    put(sink, path, new Node.Kind.Fifo(), 0600);
  }

  /** Permissions and owner of a directory as all layers show it. */
  private String shown(LayerForm form, String path) throws Exception {
    return shown(form, layers, path);
  }

  /** The same of directories of the topmost layer alone. */
  private List<String> ofTop(LayerForm form, String... paths) throws Exception {
    List<String> all = new ArrayList<>();
    for (String path : paths) {
      all.add(shown(form, List.of(layers.getFirst()), path));
    }
    return all;
  }

  private String shown(LayerForm form, List<OsPath> of, String path) throws Exception {
    return new LowerDirectories(sys, view(form, of))
        .attributes(OsPath.of(path))
        .map(is -> Integer.toOctalString(is.permissions()) + " " + is.uid())
        .orElse("-");
  }

  @ParameterizedTest
  @EnumSource(names = {"OVERLAY", "AUFS"})
  void theTopmostOneThatIsSeenCounts(LayerForm form) throws Exception {
    assertEquals("-", shown(form, "d"), "there is nothing at all");
    add(
        form,
        sink -> {
          directory(sink, "d", 0700);
          directory(sink, "d/e", 0711);
          directory(sink, "d/e/f", 0722);
        });
    add(form, sink -> directory(sink, "d", 0750));
    assertEquals("750 12", shown(form, "d"));
    assertEquals("711 12", shown(form, "d/e"));
    assertEquals("722 12", shown(form, "d/e/f"));
    assertEquals("-", shown(form, "d/none"));
    assertEquals("-", shown(form, "none/e"));
    add(form, sink -> file(sink, "d/e/f/file"));
    assertEquals(List.of("750 12", "711 12", "722 12"), ofTop(form, "d", "d/e", "d/e/f"));
  }

  @ParameterizedTest
  @EnumSource(names = {"OVERLAY", "AUFS"})
  void whatIsDeletedIsNotSeen(LayerForm form) throws Exception {
    add(
        form,
        sink -> {
          directory(sink, "d", 0700);
          directory(sink, "d/e", 0711);
          directory(sink, "other", 0733);
        });
    add(form, sink -> sink.delete(OsPath.of("d/e")));
    assertEquals(List.of("700 12"), ofTop(form, "d"));
    assertEquals("700 12", shown(form, "d"));
    assertEquals("-", shown(form, "d/e"));
    add(form, sink -> sink.delete(OsPath.of("d")));
    assertEquals("-", shown(form, "d"));
    assertEquals("-", shown(form, "d/e"));
    assertEquals("733 12", shown(form, "other"));
    add(form, sink -> file(sink, "d/e/file"));
    assertEquals(List.of("755 0", "755 0"), ofTop(form, "d", "d/e"));
  }

  @ParameterizedTest
  @EnumSource(names = {"OVERLAY", "AUFS"})
  void whatLiesBelowAnOpaqueDirectoryIsNotSeen(LayerForm form) throws Exception {
    add(
        form,
        sink -> {
          directory(sink, "d", 0700);
          directory(sink, "d/e", 0711);
        });
    add(
        form,
        sink -> {
          directory(sink, "d", 0750);
          sink.opaque(OsPath.of("d"));
          directory(sink, "d/own", 0722);
        });
    assertEquals("750 12", shown(form, "d"));
    assertEquals("722 12", shown(form, "d/own"));
    assertEquals("-", shown(form, "d/e"));
    add(form, sink -> file(sink, "d/e/file"));
    assertEquals(List.of("750 12", "755 0"), ofTop(form, "d", "d/e"));
  }

  @ParameterizedTest
  @EnumSource(names = {"OVERLAY", "AUFS"})
  void nothingIsBehindAFileOrALink(LayerForm form) throws Exception {
    add(
        form,
        sink -> {
          directory(sink, "d", 0700);
          directory(sink, "d/e", 0711);
          directory(sink, "l", 0700);
          directory(sink, "l/e", 0711);
        });
    add(
        form,
        sink -> {
          file(sink, "d");
          put(sink, "l", new Node.Kind.Symlink(OsPath.of("to")), 0777);
          directory(sink, "to", 0722);
          directory(sink, "to/e", 0733);
        });
    for (String path : List.of("d", "d/e", "l", "l/e")) {
      assertEquals("-", shown(form, path), path);
    }
  }

  @Test
  void aDirectoryIsFoundWhereverOverlayfsRenamedIt() throws Exception {
    add(
        LayerForm.OVERLAY,
        sink -> {
          directory(sink, "d", 0700);
          directory(sink, "d/e", 0711);
        });
    OsPath top = add(LayerForm.OVERLAY, sink -> directory(sink, "to", 0750));
    sys.setxattr(top.resolve("to"), "trusted.overlay.redirect", OsPath.encode("/d"), 0, false);
    assertEquals("750 12", shown(LayerForm.OVERLAY, "to"));
    assertEquals("711 12", shown(LayerForm.OVERLAY, "to/e"));
  }

  /** Both forms keep it as they kept what they have it from. */
  @ParameterizedTest
  @EnumSource(names = {"OVERLAY", "AUFS"})
  void attributesOfOverlayfsStayTheFilesOwn(LayerForm form) throws Exception {
    OsPath base = add(form, sink -> directory(sink, "d", 0700, "trusted.overlay.x", "value"));
    String kept = form == LayerForm.AUFS ? "trusted.overlay.x" : "trusted.overlay.overlay.x";
    assertEquals(List.of(kept), sys.listxattr(base.resolve("d"), false));
    OsPath top = add(form, sink -> file(sink, "d/file"));
    assertEquals(List.of(kept), sys.listxattr(top.resolve("d"), false));
    if (form == LayerForm.OVERLAY) {
      sys.setxattr(base.resolve("d"), "trusted.overlay.origin", new byte[] {1}, 0, false);
      layers.removeFirst();
      Optional<Attributes> is =
          new LowerDirectories(sys, view(form, layers)).attributes(OsPath.of("d"));
      assertEquals(
          List.of("trusted.overlay.x"), List.copyOf(is.orElseThrow().xattrs().values().keySet()));
    }
  }
}
