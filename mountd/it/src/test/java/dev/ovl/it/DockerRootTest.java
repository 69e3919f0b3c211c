package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.archive.ArchiveFormat;
import dev.ovl.engine.archive.ByteSources;
import dev.ovl.engine.archive.TarReader;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.TreeDiff;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.fsck.OverlayCheck;
import dev.ovl.engine.fsck.Subject;
import dev.ovl.engine.layer.LayerReport;
import dev.ovl.engine.layer.Layers;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackRequest;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.engine.tree.Xattrs;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A data root that a real dockerd wrote, with ovl at work in it: both see the same layers, and
 * neither disturbs the other. On XFS, where dockerd puts a device beside its layers, too.
 */
class DockerRootTest {
  /** Containers that run {@code sleep}, by name, which is also what the scripts below change. */
  private static final List<String> RUNNING =
      List.of("changed", "peculiar", "untouched", "recommitted");

  /** Containers that do not run. */
  private static final List<String> STILL = List.of("created", "ended");

  private static final List<String> IMAGES = List.of("base", "built", "committed");

  /** More layers than dockerd mounts. */
  private static final int DEPTH = 130;

  private static final String BASE =
      """
      mkdir -p base/bin base/etc base/tmp base/d base/gone base/op/sub base/odd base/dir base/p
      cp "$(command -v busybox)" base/bin/busybox
      for name in sh cat chown echo ln ls mkdir mkfifo mknod mv rm sleep touch; do
        ln -s busybox base/bin/$name
      done
      echo root:x:0:0::/:/bin/sh >base/etc/passwd
      for name in a b c d e f g h; do echo $name from below >base/d/$name; done
      for name in bytes xattr same; do echo $name from below >base/p/$name; done
      echo x >base/gone/x; echo x >base/dir/x; echo old >base/op/old; echo old >base/op/sub/old
      echo linked >base/h1; ln base/h1 base/h2; ln base/h1 base/h3
      ln -s d/a base/link; ln -s target-1 base/p/link
      for name in 'with space' $'new\\nline' $'\\xff' 'back\\slash' "quote's" -dash ünï \
          "$(printf %0255d 0)"; do
        echo odd >base/odd/"$name"
      done
      chown 1000:1001 base/d/g; chmod 4755 base/d/h; chmod 1777 base/tmp
      """;

  private static final String DOCKERFILE =
      """
      FROM base
      RUN echo more >>/d/a && echo new >/d/new && rm /d/b && mkdir /fresh && echo x >/fresh/x
      RUN rm -r /op && mkdir /op && echo new >/op/new && rm -r /gone
      RUN ln /h1 /h4 && rm /h2 && mv /d/c /d/moved && chown 1000:1000 /d/g && rm /link
      ADD added.tar /added/
      RUN mkfifo /fifo && mknod /null c 1 3 && ln -s nowhere /dangling
      """;

  /** Where docker diff and ovl say the same. */
  private static final String CHANGES =
      """
      echo edited >/d/a; rm /d/d; echo new >/d/n; chown 7:7 /d/f; rm /d/e; mkdir /d/e
      echo in >/d/e/in; mkdir -p /deep/er; echo x >/deep/er/x; rm -r /fresh
      ln -s target /sym; mkfifo /ff; mknod /nod b 7 9; mv /op/new /op/newer
      rm -r /dir; echo file >/dir; echo edited >/odd/$(echo -e '\\xff'); rm "/odd/with space"
      echo new >"/odd/new
      line"; rm /dangling; mkdir /tmp/made; rm -r /added; mkdir /added; echo other >/added/other
      """;

  /** Where ovl means to be more exact (doc/adr/0016-diff.md); as seen from the host. */
  private static final String PECULIAR =
      """
      ln h1 h5
      time=$(stat -c %y p/bytes); echo BYTES from below >p/bytes; touch -d "$time" p/bytes
      time=$(stat -c %y p/link); ln -sf target-2 p/link; touch -h -d "$time" p/link
      chmod 0644 p/same; chmod 0600 p/same; chmod 0644 p/same
      touch op
      """;

  @RegisterExtension static final Scratch ENGINE = Scratch.xfs();

  private static final Syscalls SYS = new LinuxSyscalls();
  private static Optional<DockerEngine> engine = Optional.empty();
  private static Optional<Seen> first = Optional.empty();

  private Stacks stacks;
  private Layers layers;
  private Driver driver;

  /**
   * What docker says of its images and containers.
   *
   * @param lists of images and of containers
   * @param graphs {@code GraphDriver.Data}, by the name of an image or container
   * @param diffs of containers
   * @param trees of those that run
   */
  private record Seen(
      String lists,
      SortedMap<String, Map<String, String>> graphs,
      SortedMap<String, List<String>> diffs,
      SortedMap<String, Trees.Snapshot> trees) {

    static Seen by(DockerEngine docker) throws ErrnoException {
      String lists =
          docker.shell(
              "docker images -a --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}' | sort\n"
                  + "docker ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.Image}}' | sort");
      SortedMap<String, Map<String, String>> graphs = new TreeMap<>();
      SortedMap<String, List<String>> diffs = new TreeMap<>();
      SortedMap<String, Trees.Snapshot> trees = new TreeMap<>();
      for (String image : IMAGES) {
        graphs.put(image, docker.graph(image));
      }
      for (String container : containers()) {
        graphs.put(container, docker.graph(container));
        diffs.put(container, docker.diff(container));
      }
      for (String container : RUNNING) {
        trees.put(container, Trees.snapshot(docker.merged(container)));
      }
      return new Seen(lists, graphs, diffs, trees);
    }

    void assertSame(Seen now) {
      assertEquals(lists, now.lists);
      assertEquals(graphs, now.graphs);
      assertEquals(diffs, now.diffs);
      trees.forEach((container, tree) -> Trees.assertSame(tree, now.trees.get(container)));
    }

    /** The layer of an image or a container. */
    LayerId layer(String name) throws EngineException {
      return idIn(graphs.get(name).get("UpperDir"));
    }

    /** The ids in {@code LowerDir}, nearest first. */
    List<LayerId> chain(String name) throws EngineException {
      List<LayerId> chain = new ArrayList<>();
      for (String lower : graphs.get(name).getOrDefault("LowerDir", "").split(":")) {
        if (!lower.isEmpty()) {
          chain.add(idIn(lower));
        }
      }
      return chain;
    }

    private static LayerId idIn(String diff) throws EngineException {
      return LayerId.of(Path.of(diff).getParent().getFileName().toString());
    }
  }

  private static List<String> containers() {
    List<String> all = new ArrayList<>(RUNNING);
    all.addAll(STILL);
    return all;
  }

  // ---- a root -------------------------------------------------------------------------------

  @BeforeAll
  static void dockerdWritesARoot() throws Exception {
    Requires.overlay();
    Requires.program("busybox");
    DockerEngine docker = startDockerd();
    docker.shell(BASE);
    xattr("base/bin/echo", "user.test", "one");
    // CAP_NET_RAW
    byte[] capability = HexFormat.of().parseHex("0100000200200000000000000000000000000000");
    SYS.setxattr(ENGINE.resolve("base/d/a"), "security.capability", capability, 0, false);
    docker.shell(
        """
        tar --xattrs --xattrs-include='*' --numeric-owner -C base -cf base.tar .
        tar --xattrs --xattrs-include='*' --numeric-owner -C base -cf added.tar bin/echo d odd
        docker import base.tar base
        mkdir context; mv added.tar context
        cat >context/Dockerfile <<'END'
        %s
        END
        docker build --network none -t built context
        run='docker run -d --network none --stop-signal KILL'
        for name in changed peculiar untouched; do $run --name $name built sleep 100000; done
        docker create --name created --network none built sleep 100000
        docker run --name ended --network none base sh -c 'echo out >/out; rm -r /gone'
        """
            .formatted(DOCKERFILE));
    docker.shell("docker exec changed sh -c " + Ovlctl.quote("set -e\n" + CHANGES));
    docker.shell(
        "docker commit changed committed\n"
            + "docker run -d --network none --stop-signal KILL --name recommitted committed"
            + " sleep 100000\n"
            + "docker exec recommitted sh -c 'rm -r /deep; echo again >/d/a'");
    OsPath peculiar = docker.merged("peculiar");
    docker.shell("cd " + Ovlctl.quote(peculiar.toString()) + "\n" + PECULIAR);
    SYS.setxattr(peculiar.resolve("p/xattr"), "user.test", new byte[] {'x'}, 0, false);
    first = Optional.of(Seen.by(docker));
    stopDockerd();
  }

  private static void xattr(String file, String name, String value) throws ErrnoException {
    byte[] bytes = value.getBytes(StandardCharsets.US_ASCII);
    SYS.setxattr(ENGINE.resolve(file), name, bytes, 0, true);
  }

  private static DockerEngine startDockerd() throws IOException, InterruptedException {
    engine = Optional.of(DockerEngine.start(ENGINE, "overlay2"));
    return engine.get();
  }

  @AfterAll
  static void stopDockerd() throws IOException {
    if (engine.isPresent()) {
      engine.get().close();
      engine = Optional.empty();
    }
  }

  @BeforeEach
  void open() throws Exception {
    stacks = new Stacks(SYS, data(), ENGINE.resolve("run"));
    layers = stacks.layers();
    driver = layers.driver(Optional.empty());
    assertEquals("overlay2", driver.name());
  }

  @AfterEach
  void close() throws Exception {
    layers.cleanup(driver);
    stacks.close();
    stopDockerd();
  }

  private static OsPath data() {
    return ENGINE.resolve("data");
  }

  private static Seen seen() {
    return first.orElseThrow();
  }

  /** Starts it, with the containers that ran. */
  private static Seen dockerdGoesOn() throws Exception {
    DockerEngine docker = startDockerd();
    docker.shell("docker start " + String.join(" ", RUNNING));
    return Seen.by(docker);
  }

  private List<String> changes(LayerId id, Optional<LayerId> against) throws Exception {
    try (TreeDiff diff = layers.compare(driver, id, against, Progress.NONE, () -> false)) {
      return diff.changes().stream().map(change -> asDockerTells("" + change)).sorted().toList();
    }
  }

  /** Go's JSON has U+FFFD for a byte that is no UTF-8. */
  private static String asDockerTells(String text) {
    return new String(OsPath.encode(text), StandardCharsets.UTF_8);
  }

  // ---- what docker wrote down beside the layers ---------------------------------------------

  /** The parent of each layer, as dockerd's own books have it. */
  private static SortedMap<LayerId, Optional<LayerId>> parents() throws Exception {
    Path books = Path.of(data().toString()).resolve("image/overlay2/layerdb");
    Map<String, LayerId> ofChain = new TreeMap<>();
    for (Path chain : list(books.resolve("sha256"))) {
      ofChain.put("sha256:" + chain.getFileName(), LayerId.of(read(chain, "cache-id")));
    }
    SortedMap<LayerId, Optional<LayerId>> parents = new TreeMap<>();
    for (Path chain : list(books.resolve("sha256"))) {
      LayerId id = LayerId.of(read(chain, "cache-id"));
      parents.put(
          id,
          Files.exists(chain.resolve("parent"))
              ? Optional.of(ofChain.get(read(chain, "parent")))
              : Optional.empty());
    }
    for (Path mount : list(books.resolve("mounts"))) {
      LayerId init = LayerId.of(read(mount, "init-id"));
      parents.put(init, Optional.of(ofChain.get(read(mount, "parent"))));
      parents.put(LayerId.of(read(mount, "mount-id")), Optional.of(init));
    }
    return parents;
  }

  private static List<Path> list(Path directory) throws IOException {
    try (var files = Files.list(directory)) {
      return files.toList();
    }
  }

  private static String read(Path directory, String file) throws IOException {
    return Files.readString(directory.resolve(file));
  }

  // ---- what ovl sees ------------------------------------------------------------------------

  /** Mounted or not, whatever was done in them, and their layers. */
  @Test
  void nothingIsWrongWithWhatDockerdMade() throws Exception {
    for (String container : containers()) {
      assertNothingWrong(container, seen().graphs().get(container), false);
    }
    Seen running = dockerdGoesOn();
    for (String container : RUNNING) {
      assertNothingWrong(container, running.graphs().get(container), true);
    }
  }

  private static void assertNothingWrong(
      String container, Map<String, String> graph, boolean mounted) throws Exception {
    List<OsPath> lowers =
        Arrays.stream(graph.get("LowerDir").split(":", -1)).map(OsPath::of).toList();
    OverlayMount.Upper upper =
        new OverlayMount.Upper(OsPath.of(graph.get("UpperDir")), OsPath.of(graph.get("WorkDir")));
    Optional<OsPath> mountedOn =
        mounted ? Optional.of(OsPath.of(graph.get("MergedDir"))) : Optional.empty();
    Subject subject = new Subject(lowers, Optional.of(upper), View.Books.TRUSTED, mountedOn, true);
    assertEquals(List.of(), OverlayCheck.run(SYS, subject, Progress.NONE, () -> false), container);
  }

  @Test
  void theLayersAndTheirChainsAreDockers() throws Exception {
    SortedMap<LayerId, Optional<LayerId>> parents = parents();
    assertEquals(List.copyOf(parents.keySet()), driver.layers());
    assertEquals(
        containers().size(),
        driver.layers().stream().filter(id -> id.text().endsWith("-init")).count());
    for (LayerId id : driver.layers()) {
      assertEquals(parents.get(id), layers.report(driver, id).parent(), id::text);
    }
    for (String name : seen().graphs().keySet()) {
      LayerReport report = layers.report(driver, seen().layer(name));
      assertEquals(seen().graphs().get(name), report.metadata(), name);
      assertEquals(seen().chain(name), report.ancestors(), name);
      assertTrue(report.committed() || containers().contains(name), name);
    }
  }

  @Test
  void theTreesAreWhatTheContainersSaw() throws Exception {
    Trees.Snapshot before = Trees.snapshot(data());
    for (String container : RUNNING) {
      LayerId id = seen().layer(container);
      OsPath place = layers.get(driver, id);
      Trees.assertSame(seen().trees().get(container), Trees.snapshot(place));
      layers.put(driver, id);
    }
    // read-only: a container adds its own files in the init layer
    LayerId init = seen().chain("untouched").get(0);
    OsPath place = layers.get(driver, init);
    Trees.assertSame(seen().trees().get("untouched"), Trees.snapshot(place));
    layers.put(driver, init);
    assertOnlyNew(before, Set.of("locks"));
  }

  /**
   * Fails unless these files came to the root and nothing else changed, but what the kernel keeps
   * in work directories while an overlay is mounted and clears by itself.
   */
  private static void assertOnlyNew(Trees.Snapshot before, Set<String> files) throws Exception {
    Set<String> expected =
        files.stream()
            .filter(file -> !before.nodes().containsKey(OsPath.of(file)))
            .map(file -> "+ " + OsPath.quoted(file))
            .collect(Collectors.toSet());
    Set<String> found =
        Trees.snapshot(data()).differences(before).stream()
            .filter(line -> !line.matches("- '?overlay2/[^/]*/work/work/#.*"))
            .map(line -> line.startsWith("+ ") ? line.substring(0, line.indexOf(':')) : line)
            .collect(Collectors.toSet());
    assertEquals(expected, found);
  }

  @Test
  void theChangesAreDockers() throws Exception {
    for (String container : containers()) {
      if (!container.equals("peculiar")) {
        List<String> ours = changes(seen().layer(container), Optional.empty());
        assertEquals(seen().diffs().get(container), ours, container);
      }
    }
    assertEquals(List.of(), seen().diffs().get("untouched"));
    assertTrue(seen().diffs().get("changed").contains("D /fresh"), "it tells at all");
    assertTrue(seen().diffs().get("changed").contains("C /odd/\ufffd"), "and of odd names");
  }

  @Test
  void whereOvlIsMoreExactThanDocker() throws Exception {
    assertEquals(List.of("A /h5"), seen().diffs().get("peculiar"));
    assertEquals(
        List.of("A /h5", "C /h1", "C /op", "C /p", "C /p/bytes", "C /p/link", "C /p/xattr"),
        changes(seen().layer("peculiar"), Optional.empty()));
  }

  @Test
  void aLookWritesNothing() throws Exception {
    Trees.Snapshot before = Trees.snapshotWithTimes(data());
    for (LayerId id : driver.layers()) {
      layers.report(driver, id);
      changes(id, Optional.empty());
    }
    driver.status();
    assertEquals(List.of(), stacks.names());
    assertEquals(List.of(), stacks.leftovers());
    Trees.assertSame(before, Trees.snapshotWithTimes(data()));
  }

  // ---- and dockerd afterwards ---------------------------------------------------------------

  @Test
  void dockerdGoesOnOnAHealedRoot() throws Exception {
    OsPath home = data().resolve("overlay2");
    Trees.Snapshot whole = Trees.snapshot(home);
    Path layersOnDisk = Path.of(home.toString());
    List<LayerId> built = seen().chain("changed");
    LayerId top = seen().layer("ended");
    Files.delete(link(layersOnDisk, built.get(1)));
    Files.delete(link(layersOnDisk, seen().layer("changed")));
    Files.delete(link(layersOnDisk, seen().layer("base")));
    Files.delete(layersOnDisk.resolve(built.get(2) + "/link"));
    Files.writeString(layersOnDisk.resolve(built.get(3) + "/link"), "");
    Files.writeString(layersOnDisk.resolve(seen().layer("recommitted") + "/link"), "");
    Path lost = link(layersOnDisk, top);
    Files.delete(lost);
    Files.delete(layersOnDisk.resolve(top + "/link"));
    Files.createDirectory(layersOnDisk.resolve("f".repeat(64)));
    Files.createDirectories(layersOnDisk.resolve("e".repeat(64) + "-removing/diff/d"));
    Files.createSymbolicLink(
        layersOnDisk.resolve("l/" + "A".repeat(26)), Path.of("../" + "d".repeat(64) + "/diff"));

    List<String> told = layers.recover();
    assertEquals(10, told.size(), told::toString);
    assertEquals(List.of(), layers.recover(), "a second time there is nothing to do");

    // the one link that nobody knew has another name now
    Path fresh = link(layersOnDisk, top);
    assertEquals(
        Set.of("- l/" + lost.getFileName(), "+ l/" + fresh.getFileName(), "! " + top + "/link"),
        Trees.snapshot(home).differences(whole).stream()
            .map(line -> line.substring(0, line.indexOf(':')))
            .collect(Collectors.toSet()));
    seen().assertSame(dockerdGoesOn());
    assertItWorks();
  }

  /** A layer's short link. */
  private static Path link(Path home, LayerId id) throws IOException {
    return home.resolve("l").resolve(Files.readString(home.resolve(id + "/link")));
  }

  /** Images run, images are built, containers and images are removed. */
  private static void assertItWorks() {
    DockerEngine docker = engine.orElseThrow();
    assertEquals(
        "a from below\nmore\n", docker.shell("docker run --rm --network none built cat /d/a"));
    assertEquals(
        "again\n",
        docker.shell(
            """
            mkdir -p more
            printf 'FROM committed\\nRUN echo again >/again\\n' >more/Dockerfile
            docker build --network none -t more more >&2
            docker run --rm --network none more cat /again
            docker rmi more >&2
            """));
  }

  @Test
  void dockerdDoesNotMindLayersOfOvl() throws Exception {
    List<LayerId> dockers = driver.layers();
    Trees.Snapshot before = Trees.snapshot(data().resolve("overlay2"));
    LayerId built = seen().layer("built");

    LayerId filled = LayerId.of("filled");
    layers.create(driver, filled, Optional.of(built), true);
    layers.apply(driver, filled, this::someTar);
    layers.commit(driver, filled);
    List<LayerId> chain = new ArrayList<>(List.of(filled));
    for (int i = 0; i < DEPTH; i++) {
      LayerId id = LayerId.of("chain-" + i);
      OsPath file = OsPath.of("n" + i);
      layers.create(driver, id, Optional.of(chain.getLast()), sink -> put(sink, file));
      chain.add(id);
    }
    StackName web = StackName.of("web");
    stacks.create(
        new StackRequest(
            web,
            List.of(),
            Optional.of(built),
            false,
            Optional.empty(),
            Optional.empty(),
            new StackRequest.Union.Overlay(
                Optional.empty(), MountOptions.NONE, Optional.empty(), false)));
    OsPath target = stacks.up(web, false);
    Files.writeString(Path.of(target.resolve("d/a").toString()), "of a stack\n");
    Optional<LayerId> as = Optional.of(LayerId.of("committed"));
    chain.add(stacks.commit(web, as, Progress.NONE, () -> false));
    stacks.down(web, false);
    List<LayerId> all = driver.layers();
    assertEquals(dockers.size() + chain.size() + 1, all.size());
    assertTheyShow();

    seen().assertSame(dockerdGoesOn());
    assertItWorks();
    assertRunningContainersAreSafe();
    stopDockerd();

    assertEquals(all, driver.layers());
    assertTheyShow();
    stacks.remove(web, false);
    for (LayerId id : chain.reversed()) {
      layers.remove(driver, id);
    }
    assertEquals(dockers, driver.layers());
    Trees.assertSame(before, Trees.snapshot(data().resolve("overlay2")));
  }

  /** What a container writes to can be looked at, and nothing else. */
  private void assertRunningContainersAreSafe() throws Exception {
    LayerId id = seen().layer("changed");
    assertEquals(seen().diffs().get("changed"), changes(id, Optional.empty()));
    assertThrows(EngineException.class, () -> layers.get(driver, id));
    assertThrows(EngineException.class, () -> layers.remove(driver, id));
    assertThrows(EngineException.class, () -> layers.apply(driver, id, this::someTar));
    assertThrows(EngineException.class, () -> layers.commit(driver, id));
    assertThrows(
        EngineException.class,
        () -> layers.create(driver, LayerId.of("x"), Optional.of(id), false));
    layers.put(driver, id);
    layers.cleanup(driver);
    assertEquals(List.of(), layers.recover());
    seen().assertSame(Seen.by(engine.orElseThrow()));
  }

  /** Adds a file, and deletes one of dockerd's. */
  private void someTar(TreeSink sink) throws EngineException, ErrnoException {
    Ovlctl.of(ENGINE)
        .shell(
            """
            set -e
            mkdir -p some/d; echo filled >some/filled; touch some/d/.wh.new
            tar -C some -cf some.tar filled d/.wh.new
            """)
        .fine();
    OsPath file = ENGINE.resolve("some.tar");
    try (Fd tar = new Fd(SYS, SYS.openat(Linux.AT_FDCWD, file, Linux.O_RDONLY, 0))) {
      new TarReader(ArchiveFormat.OCI, TarReader.Progress.NONE, () -> false)
          .read(ByteSources.of(SYS, tar), sink);
    }
    sink.finish();
  }

  private static void put(TreeSink sink, OsPath file) throws EngineException, ErrnoException {
    Attributes attributes = new Attributes(0644, 0, 0, new Timestamp(1, 0), Xattrs.NONE);
    sink.put(new Node(file, new Node.Kind.Regular(0), attributes), new Content.None());
    sink.finish();
  }

  /** The chain and the commit show what was put into them, above what dockerd did. */
  private void assertTheyShow() throws Exception {
    LayerId top = LayerId.of("chain-" + (DEPTH - 1));
    Path tree = Path.of(layers.get(driver, top).toString());
    assertEquals("filled\n", Files.readString(tree.resolve("filled")));
    assertEquals("a from below\nmore\n", Files.readString(tree.resolve("d/a")));
    assertFalse(Files.exists(tree.resolve("d/new")));
    for (int i = 0; i < DEPTH; i++) {
      assertTrue(Files.exists(tree.resolve("n" + i)), "n" + i);
    }
    layers.put(driver, top);
    LayerId committed = LayerId.of("committed");
    Path shown = Path.of(layers.get(driver, committed).toString());
    assertEquals("of a stack\n", Files.readString(shown.resolve("d/a")));
    layers.put(driver, committed);
    assertEquals(List.of("C /d", "C /d/a"), changes(committed, Optional.empty()));
  }
}
