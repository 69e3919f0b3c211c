package dev.ovl.engine.tree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the kernel makes of layers that are written in the forms for it. */
class LayerFormTest {
  private static final Syscalls SYS = new LinuxSyscalls();
  private static final byte[] REDIRECT = "/elsewhere".getBytes(StandardCharsets.UTF_8);

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  private static void put(TreeWriter writer, String path, Node.Kind kind, Xattrs xattrs)
      throws EngineException {
    Attributes attributes = new Attributes(0755, 0, 0, new Timestamp(5, 5), xattrs);
    writer.put(new Node(OsPath.of(path), kind, attributes), new Content.None());
  }

  @ParameterizedTest
  @EnumSource(
      value = LayerForm.class,
      names = {"OVERLAY", "USER_OVERLAY", "OVERLAY_XATTRS", "USER_OVERLAY_XATTRS"})
  void theKernelHidesWhatIsDeleted(LayerForm form) throws EngineException, ErrnoException {
    Requires.overlay();
    boolean user = form == LayerForm.USER_OVERLAY || form == LayerForm.USER_OVERLAY_XATTRS;
    RichTree lower = new RichTree(scratch.mkdirs("lower"));
    for (String directory : List.of("d", "o", "again", "elsewhere")) {
      lower.directory(directory);
      lower.file(directory + "/old", "x");
    }
    lower.file("d/gone", "x");
    lower.file("top", "x");
    OsPath layer = scratch.mkdirs("layer");
    String redirect = (user ? OverlayXattrs.USER : OverlayXattrs.TRUSTED) + "redirect";
    try (TreeWriter writer = new TreeWriter(SYS, layer, form, TreeWriter.Parents.UNKNOWN)) {
      Node.Kind directory = new Node.Kind.Directory();
      put(writer, "d", directory, Xattrs.NONE);
      writer.delete(OsPath.of("d/gone"));
      put(writer, "o", directory, Xattrs.NONE);
      writer.delete(OsPath.of("o/early"));
      put(writer, "o/new", new Node.Kind.Regular(0), Xattrs.NONE);
      writer.opaque(OsPath.of("o"));
      writer.delete(OsPath.of("again"));
      put(writer, "again", directory, Xattrs.NONE);
      writer.delete(OsPath.of("top"));
      put(writer, "sly", directory, Xattrs.of(Map.of(redirect, REDIRECT)));
      writer.finish();
    }
    OsPath merged = scratch.mkdirs("merged");
    String options = "lowerdir=" + layer + ":" + scratch.resolve("lower");
    byte[] data = (options + (user ? ",userxattr" : "")).getBytes(StandardCharsets.UTF_8);
    SYS.mount(OsPath.of("ovl-test"), merged, "overlay", 0, data);
    assertEquals(
        List.of(".", "again", "d", "d/old", "elsewhere", "elsewhere/old", "o", "o/new", "sly"),
        Trees.snapshot(merged).nodes().keySet().stream().map(OsPath::toString).toList());
    assertArrayEquals(
        REDIRECT, SYS.getxattr(merged.resolve("sly"), redirect, false).orElse(new byte[0]));
  }
}
