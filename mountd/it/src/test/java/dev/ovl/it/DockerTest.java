package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.PropagationMode;
import com.github.dockerjava.api.model.SELContext;
import com.github.dockerjava.api.model.Volume;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.testcontainers.containers.Container;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.images.builder.ImageFromDockerfile;

/**
 * The distribution in a container: daemon and CLI, mounts on a volume, which the host sees by
 * propagation. The image is built on the spot of the tree, a busybox and the C library.
 */
class DockerTest {
  private static final String SCRIPT =
      """
      set -e
      mkdir -p image/bin image/lib64 image/lib/x86_64-linux-gnu image/tmp image/etc
      cp "$(command -v busybox)" image/bin/busybox
      for name in sh cat ls mkdir rm; do ln -s busybox image/bin/$name; done
      for name in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1; do
        cp -L /lib/x86_64-linux-gnu/$name image/lib/x86_64-linux-gnu/
      done
      cp -L /lib64/ld-linux-x86-64.so.2 image/lib64/
      echo root:x:0:0::/:/bin/sh >image/etc/passwd
      cp -a "$1" image/ovl
      tar -C image -cf image.tar .
      """;

  @RegisterExtension static final Scratch ENGINE = Scratch.directory();
  @RegisterExtension static final Scratch VOLUME = Scratch.tmpfs();

  private static Optional<DockerEngine> engine = Optional.empty();

  @BeforeAll
  static void startEngine() throws IOException, InterruptedException {
    Requires.program("busybox");
    Path tree = Dist.tree();
    engine = Optional.of(DockerEngine.start(ENGINE));
    run(Path.of(ENGINE.path().toString()), "/bin/sh", "-c", SCRIPT, "sh", tree.toString());
    run(Path.of("/"), "mount", "--make-shared", VOLUME.path().toString());
  }

  @AfterAll
  static void stopEngine() throws IOException {
    if (engine.isPresent()) {
      engine.get().close();
    }
  }

  private static void run(Path directory, String... command)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), () -> String.join(" ", command) + "\n" + said);
  }

  private static GenericContainer<?> container() {
    Path image = Path.of(ENGINE.path().toString()).resolve("image.tar");
    ImageFromDockerfile built =
        new ImageFromDockerfile("ovl-test", true)
            .withFileFromPath("image.tar", image)
            .withFileFromString("Dockerfile", "FROM scratch\nADD image.tar /\n");
    Bind volume =
        new Bind(
            VOLUME.path().toString(),
            new Volume("/volume"),
            AccessMode.rw,
            SELContext.none,
            null,
            PropagationMode.RSHARED);
    return new GenericContainer<>(built)
        .withNetworkMode("none")
        .withEnv(Map.of("OVL_ROOT", "/volume/root", "OVL_RUN", "/volume/run"))
        .withCommand("/ovl/bin/mountd")
        .withCreateContainerCmdModifier(
            create ->
                Objects.requireNonNull(create.getHostConfig())
                    .withCapAdd(Capability.ALL)
                    // of what --privileged gives, this one is not to be had everywhere
                    .withCapDrop(Capability.SYS_RESOURCE)
                    .withBinds(volume))
        .waitingFor(Wait.forLogMessage(".*serving /volume/run/mountd.sock.*", 1));
  }

  private static String exec(GenericContainer<?> container, String... command)
      throws IOException, InterruptedException {
    Container.ExecResult result = container.execInContainer(command);
    assertEquals(0, result.getExitCode(), () -> Arrays.toString(command) + result);
    return result.getStdout();
  }

  private static List<String> mountsOnTheHost() {
    return World.mountsBeneath(List.of(VOLUME.path())).stream()
        .filter(line -> line.contains(" ovl:web "))
        .toList();
  }

  @Test
  void daemonAndCommandsInAContainer() throws IOException, InterruptedException {
    Path volume = Path.of(VOLUME.path().toString());
    Files.createDirectories(volume.resolve("lower"));
    Files.createDirectories(volume.resolve("target"));
    Files.writeString(volume.resolve("lower/a"), "from below\n");
    try (GenericContainer<?> container = container()) {
      container.start();
      exec(
          container,
          "/ovl/bin/ovlctl",
          "create",
          "web",
          "--lower",
          "/volume/lower",
          "--at",
          "/volume/target",
          "--up");
      assertTrue(container.getLogs().contains("create web: done in "), container::getLogs);
      assertEquals("from below\n", exec(container, "cat", "/volume/target/a"));

      // rshared: the host has the mount too
      assertEquals(1, mountsOnTheHost().size());
      assertEquals("from below\n", Files.readString(volume.resolve("target/a")));
      exec(container, "rm", "/volume/target/a");
      assertFalse(Files.exists(volume.resolve("target/a")));
      assertTrue(Files.exists(volume.resolve("lower/a")));

      // for a command on the host this daemon is the wrong one
      Result onTheHost =
          Ovlctl.of(VOLUME).run("--host", "unix://" + volume.resolve("run/mountd.sock"), "ls");
      assertTrue(onTheHost.failed(1).contains("mount namespace"), onTheHost::toString);

      exec(container, "/ovl/bin/ovlctl", "down", "web");
      assertEquals(List.of(), mountsOnTheHost());
      exec(container, "/ovl/bin/ovlctl", "rm", "web");
      assertTrue(exec(container, "/ovl/bin/ovlctl", "doctor").contains("leftovers: none"));
    }
  }
}
