package dev.ovl.engine.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** overlay2 does what every driver does. */
class Overlay2ConformanceTest extends DriverConformance {
  Overlay2ConformanceTest() {
    super("overlay2");
  }

  @BeforeEach
  void overlay() {
    Requires.overlay();
  }

  /** As dockerd mounts a container's layer. */
  @Test
  void whatAnotherEngineWritesToIsLeftAlone() throws Exception {
    create("base");
    LayerId top = createReadWrite("top", "base");
    OsPath layer = root().resolve("overlay2/top");
    OsPath merged = layer.resolve("merged");
    files.mkdir(merged, 0700);
    String options =
        "lowerdir=%1$s/overlay2/base/diff,upperdir=%2$s/diff,workdir=%2$s/work,index=off"
            .formatted(root(), layer);
    byte[] data = options.getBytes(StandardCharsets.US_ASCII);
    sys.mount(OsPath.of("overlay"), merged, "overlay", 0, data);
    write(merged.resolve("a"), "1");
    String used = "layer top is in use by another overlay: overlay on " + merged + " (EBUSY)";

    assertRefused(
        "layer top is mounted by somebody else: overlay (EBUSY)",
        () -> layers().get(driver(), top));
    assertRefused(used, () -> layers().remove(driver(), top));
    assertRefused(used, () -> layers().commit(driver(), top));
    assertRefused(used, () -> layers().checkApply(driver(), top));
    assertRefused(used, () -> layers().apply(driver(), top, TreeSink::finish));
    assertRefused(used, () -> create("child", "top"));
    layers().put(driver(), top);
    driver().cleanup();
    assertEquals(Optional.of("1"), read(merged.resolve("a")));

    sys.umount2(merged, 0);
    layers().put(driver(), top);
    assertTrue(files.lstat(merged).isEmpty(), "nobody uses it any more");
    layers().commit(driver(), top);
  }

  /** Removing a mount point ends mounts on it that other mount namespaces have. */
  @Test
  void aMountOfAnotherNamespaceKeepsItsPlace() throws Exception {
    create("base");
    LayerId top = createReadWrite("top", "base");
    OsPath layer = root().resolve("overlay2/top");
    OsPath merged = layer.resolve("merged");
    files.mkdir(merged, 0700);
    String script =
        """
        mount -t overlay -o lowerdir=%1$s/overlay2/base/diff,upperdir=%2$s/diff,workdir=%2$s/work \
          overlay %2$s/merged && echo mounted && read -r line && test -e %2$s/merged/. && \
          mountpoint -q %2$s/merged && echo there
        """
            .formatted(root(), layer);
    Process other =
        new ProcessBuilder("unshare", "--mount", "--propagation", "private", "sh", "-c", script)
            .redirectErrorStream(true)
            .start();
    try (BufferedReader said = other.inputReader()) {
      assertEquals("mounted", said.readLine());
      assertTrue(new MountTable(sys).at(merged).isEmpty(), "not in this one");
      layers().put(driver(), top);
      driver().cleanup();
      other.outputWriter().append("look\n").close();
      assertEquals("there", said.readLine());
    } finally {
      other.destroyForcibly().waitFor();
    }
  }
}
