package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.TreeDiff;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.layer.Layers;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A data root that a real dockerd wrote with its vfs driver. */
class DockerVfsRootTest {
  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  private static final String IMAGE =
      """
      mkdir -p base/bin base/d
      cp "$(command -v busybox)" base/bin/busybox
      for name in sh rm echo sleep; do ln -s busybox base/bin/$name; done
      echo a >base/d/a; echo b >base/d/b; echo old >base/old
      tar --numeric-owner -C base -cf base.tar .
      docker import base.tar base
      docker run -d --network none --stop-signal KILL --name changed base sleep 100000
      docker exec changed sh -c 'echo more >>/d/a; rm /d/b; echo new >/new'
      """;

  @Test
  void itsTreesAndChangesAreDockers() throws Exception {
    Requires.program("busybox");
    Map<String, String> graph;
    Trees.Snapshot tree;
    List<String> diff;
    LayerId layer;
    OsPath data = scratch.resolve("data");
    try (DockerEngine docker = DockerEngine.start(scratch, "vfs")) {
      docker.shell(IMAGE);
      layer = LayerId.of(docker.shell("cat data/image/vfs/layerdb/mounts/*/mount-id").strip());
      graph = docker.graph("changed");
      tree = Trees.snapshot(data.resolve("vfs/dir").resolve(layer.text()));
      diff = docker.diff("changed");
    }
    assertEquals(List.of("A /new", "C /d", "C /d/a", "D /d/b"), diff);

    Trees.Snapshot before = Trees.snapshotWithTimes(data);
    try (Stacks stacks = new Stacks(new LinuxSyscalls(), data, scratch.resolve("run"))) {
      Layers layers = stacks.layers();
      Driver driver = layers.driver(Optional.empty());
      assertEquals("vfs", driver.name());
      LayerId init = LayerId.of(layer + "-init");
      assertEquals(3, driver.layers().size());
      assertTrue(driver.layers().containsAll(List.of(layer, init)));
      Trees.assertSame(tree, Trees.snapshot(driver.get(layer)));
      try (TreeDiff changes =
          layers.compare(driver, layer, Optional.of(init), Progress.NONE, () -> false)) {
        assertEquals(diff, changes.changes().stream().map(c -> "" + c).sorted().toList());
      }
    }
    Trees.assertSame(before, Trees.snapshotWithTimes(data));
    assertEquals(Map.of(), graph);
  }
}
