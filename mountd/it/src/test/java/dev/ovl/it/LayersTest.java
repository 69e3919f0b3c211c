package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** The verbs on layers, and on what is in stacks and layers, by either host. */
@ParameterizedClass
@EnumSource
class LayersTest {
  private static final String NONE = "no such layer (ENOENT)";

  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  @Parameter private Host host;
  private Ovlctl ovlctl;

  @BeforeEach
  void tree() {
    Requires.overlay();
    ovlctl = hosting.ovlctl(host);
    ovlctl
        .shell(
            """
            mkdir -p tree/etc tree/empty && echo one >tree/etc/motd && echo two >tree/etc/hosts
            ln -s motd tree/etc/link && mkfifo tree/fifo && ln tree/etc/motd tree/hard
            tar -C tree -cf tree.tar . && gzip -k tree.tar && zstd -qk tree.tar
            """)
        .fine();
  }

  private void createBase() {
    ovlctl.run("layer", "create", "base").fine();
    ovlctl.run("layer", "apply", "base", "tree.tar").fine();
  }

  /** {@code web} on {@code base}, at {@code merged}, with changes of each kind, and up. */
  private void createWeb() {
    createBase();
    ovlctl.shell("mkdir merged").fine();
    ovlctl.run("create", "web", "--parent", "base", "--at", "merged", "--up").fine();
    ovlctl.shell("echo new >merged/new && rm merged/etc/hosts && touch -d @1 merged/hard").fine();
  }

  private List<Map<?, ?>> objects(String... arguments) {
    return JsonText.objects(ovlctl.run(arguments).fine().json());
  }

  private void assertNoMounts() {
    assertEquals(List.of(), World.mountsBeneath(List.of(scratch.path())));
  }

  // ---- layers -------------------------------------------------------------------------------

  @Test
  void aLayerLivesThroughItsVerbs() {
    assertEquals("LAYER  DRIVER  PARENT  STATE\n", ovlctl.run("layer", "ls").fine().out());
    assertEquals("", ovlctl.run("layer", "create", "base").fine().out());
    assertEquals("", ovlctl.run("layer", "apply", "base", "tree.tar").fine().out());
    assertEquals("", ovlctl.run("layer", "commit", "base").fine().out());
    ovlctl.run("layer", "commit", "base").fine();
    ovlctl.run("layer", "create", "top", "--parent", "base", "--read-write").fine();
    assertEquals(
        """
        LAYER  DRIVER    PARENT  STATE
        base   overlay2  -       committed
        top    overlay2  base    writable
        """,
        ovlctl.run("layer", "ls").fine().out());

    String place = ovlctl.run("layer", "get", "top").fine().out().strip();
    assertEquals(place, ovlctl.run("layer", "get", "top").fine().out().strip());
    assertEquals("one\n", ovlctl.shell("cat " + place + "/etc/motd").fine().out());
    ovlctl.shell("echo new >" + place + "/new && rm " + place + "/etc/hosts").fine();
    assertEquals(
        "layer rm top: layer top is mounted: put it first (EBUSY)",
        ovlctl.run("layer", "rm", "top").failed(1));
    ovlctl.run("layer", "put", "top").fine();
    assertEquals(1, World.mountsBeneath(List.of(scratch.path())).size(), "got twice");
    ovlctl.run("layer", "put", "top").fine();
    assertNoMounts();

    assertEquals(
        "C /etc\nD /etc/hosts\nA /new\n", ovlctl.run("layer", "changes", "top").fine().out());
    assertEquals("4\n", ovlctl.run("layer", "size", "top").fine().out());
    assertEquals("", ovlctl.run("layer", "changes", "top", "--against", "top").fine().out());
    assertEquals(
        "layer rm base: layer base is the parent of top (EBUSY)",
        ovlctl.run("layer", "rm", "base").failed(1));
    ovlctl.run("layer", "rm", "top", "base").fine();
    assertEquals("LAYER  DRIVER  PARENT  STATE\n", ovlctl.run("layer", "ls").fine().out());
  }

  /** No aufs is needed to write its layers. */
  @Test
  void layersBecomeThoseOfAnotherDriver() {
    createBase();
    ovlctl.run("layer", "create", "top", "--parent", "base").fine();
    String shown = ovlctl.shell("cat root/overlay2/base/diff/etc/hosts").fine().out();
    assertEquals(
        "ovlctl: would make 2 layers of overlay2 layers of aufs\n",
        ovlctl.run("--dry-run", "layer", "convert", "--to", "aufs").ended(0).err());
    assertEquals("base\ntop\n", ovlctl.run("layer", "convert", "--to", "aufs").fine().out());
    assertEquals(
        """
        LAYER  DRIVER  PARENT  STATE
        base   aufs    -       committed
        top    aufs    base    writable
        """,
        ovlctl.run("layer", "ls").fine().out());
    assertEquals(shown, ovlctl.shell("cat root/aufs/diff/base/etc/hosts").fine().out());
    assertEquals(
        Map.of("layers", List.of("base", "top")),
        ovlctl.run("layer", "convert", "--to", "overlay2", "--keep", "--json").fine().json());
    assertEquals(
        "layer convert overlay2: layer base exists in overlay2 as well (EEXIST)",
        ovlctl.run("layer", "convert", "--to", "overlay2").failed(1));
    assertEquals(
        "layer convert aufs: layer base exists in aufs as well (EEXIST)",
        ovlctl.run("layer", "convert", "--from", "overlay2", "--to", "aufs").failed(1));
    assertEquals(
        "layer convert aufs: the layers are aufs's already",
        ovlctl.run("layer", "convert", "--from", "aufs", "--to", "aufs").failed(2));
    assertEquals(2, ovlctl.run("layer", "convert", "--from", "aufs", "--to", "none").status());
    ovlctl.run("layer", "convert").failed(2);
  }

  @Test
  void whetherThereIsALayerIsTheExitStatus() {
    createBase();
    assertEquals("", ovlctl.run("layer", "exists", "base").fine().out());
    Result none = ovlctl.run("layer", "exists", "none").ended(1);
    assertEquals("", none.out() + none.err());
    assertEquals(2, ovlctl.run("layer", "exists", "a/b").status());
  }

  @Test
  void layersAreToldAsJson() {
    createBase();
    List<Map<?, ?>> created =
        objects("layer", "create", "top", "--parent", "base", "--json", "--read-write");
    assertEquals("base", created.get(0).get("parent"));
    List<Map<?, ?>> all = objects("layer", "ls", "--json");
    assertEquals(List.of("base", "top"), all.stream().map(layer -> layer.get("id")).toList());
    assertTrue(all.get(0).containsKey("parent"), "null for a base layer");
    assertEquals(true, all.get(0).get("committed"), "by its child");
    Map<?, ?> top = objects("layer", "inspect", "--json", "top").get(0);
    assertEquals(List.of("base"), top.get("ancestors"));
    assertEquals(0L, top.get("gets"));
    Map<?, ?> metadata = (Map<?, ?>) top.get("metadata");
    assertEquals(scratch.resolve("root/overlay2/base/diff").toString(), metadata.get("LowerDir"));
    Map<?, ?> got = (Map<?, ?>) ovlctl.run("layer", "get", "--json", "top").fine().json();
    assertEquals(metadata.get("MergedDir"), got.get("target"));
    assertEquals(true, objects("layer", "inspect", "--json", "top").get(0).get("mounted"));
    ovlctl.run("layer", "cleanup").fine();
    assertNoMounts();
    Map<?, ?> status = (Map<?, ?>) ovlctl.run("layer", "status", "--json").fine().json();
    assertEquals("overlay2", status.get("driver"));
    assertEquals("2", ((Map<?, ?>) status.get("status")).get("Layers"));
    Map<?, ?> size = (Map<?, ?>) ovlctl.run("layer", "size", "--json", "base").fine().json();
    assertEquals(8L, size.get("bytes"));
    String inspect = ovlctl.run("layer", "inspect", "top").fine().out();
    assertTrue(inspect.contains("id: top\n"), inspect);
    assertTrue(inspect.contains("parent: base\n"), inspect);
  }

  @Test
  void anotherDriverHasLayersOfItsOwn() {
    createBase();
    ovlctl.run("layer", "create", "base", "--driver", "vfs").fine();
    ovlctl.run("layer", "apply", "base", "tree.tar.gz", "--driver", "vfs").fine();
    String place = ovlctl.run("layer", "get", "base", "--driver", "vfs").fine().out().strip();
    assertEquals("two\n", ovlctl.shell("cat " + place + "/etc/hosts").fine().out());
    assertNoMounts();
    assertTrue(
        ovlctl.run("layer", "ls").failed(1).startsWith("layer ls: the root has layers of "),
        "one must be named");
    assertEquals(
        List.of("vfs"),
        objects("layer", "ls", "--json", "--driver", "vfs").stream()
            .map(layer -> layer.get("driver"))
            .toList());
    assertTrue(
        ovlctl
            .run("layer", "ls", "--driver", "zfs")
            .failed(2)
            .startsWith("layer ls: unknown driver zfs; known are "));
  }

  @Test
  void whatCannotBeDoneIsOneLine() {
    createBase();
    for (String verb : List.of("commit", "get", "put", "changes", "size", "rm", "inspect")) {
      Result result = ovlctl.run("layer", verb, "none").ended(1);
      assertEquals("layer " + verb + " none: " + NONE, result.errorLine());
    }
    assertEquals("layer diff none: " + NONE, ovlctl.run("layer", "diff", "none").failed(1));
    assertEquals(
        "layer apply none: " + NONE, ovlctl.run("layer", "apply", "none", "tree.tar").failed(1));
    assertEquals(
        "layer create base: layer base exists (EEXIST)",
        ovlctl.run("layer", "create", "base").failed(1));
    assertEquals(
        "layer create x: no such parent: none (ENOENT)",
        ovlctl.run("layer", "create", "x", "--parent", "none").failed(1));
    assertEquals(
        "layer changes base: no such layer to compare with: none (ENOENT)",
        ovlctl.run("layer", "changes", "base", "--against", "none").failed(1));
    ovlctl.run("layer", "commit", "base").fine();
    assertEquals(
        "layer apply base: layer base is committed: it does not change any more (EROFS)",
        ovlctl.run("layer", "apply", "base", "tree.tar").failed(1));
    for (String verb : List.of("changes", "size", "diff", "tree", "commit")) {
      Result result = ovlctl.run(verb, "none").ended(1);
      assertEquals(verb + " none: no such stack (ENOENT)", result.errorLine());
    }
    assertEquals(
        "apply none: no such stack (ENOENT)", ovlctl.run("apply", "none", "tree.tar").failed(1));
    assertEquals(
        "layer diff base: unknown format of archives: zip; known are oci, aufs, overlay",
        ovlctl.run("layer", "diff", "base", "--format", "zip").failed(2));
    assertEquals(
        "layer diff base: unknown compression: lzma; known are none, gzip, zstd",
        ovlctl.run("layer", "diff", "base", "--compress", "lzma").failed(2));
    String missing = ovlctl.run("layer", "apply", "base", "nofile").failed(1);
    assertTrue(missing.startsWith("layer apply base: cannot open the archive: "), missing);
    assertTrue(missing.endsWith("(ENOENT)"), missing);
    ovlctl.run("layer", "create", "open").fine();
    String directory = ovlctl.run("layer", "apply", "open", "tree").failed(1);
    assertTrue(directory.startsWith("layer apply open: cannot read the archive: "), directory);
    assertTrue(directory.endsWith("(EISDIR)"), directory);
  }

  @Test
  void aDryRunChangesNothing() {
    createBase();
    ovlctl.shell("mkdir lower").fine();
    ovlctl.run("create", "web", "--lower", "lower").fine();
    World before = World.of(scratch);
    for (String command :
        List.of(
            "layer create x",
            "layer create x --parent base",
            "layer commit base",
            "layer get base",
            "layer put base",
            "layer rm base",
            "layer cleanup",
            "layer apply base tree.tar",
            "layer diff base -o out.tar",
            "apply web tree.tar",
            "diff web -o out.tar",
            "commit web --as x",
            "set web --parent base")) {
      Result result = ovlctl.shell("ovlctl --dry-run " + command);
      result.ended(0);
      assertEquals("", result.out(), command);
      result.errorLine();
      before.assertUnchanged(World.of(scratch), "--dry-run " + command);
    }
    assertTrue(
        ovlctl
            .shell("head -c 700 tree.tar | ovlctl --dry-run layer apply base")
            .failed(1)
            .startsWith("layer apply base: the archive is broken at byte "),
        "archives are read through");
  }

  // ---- stacks -------------------------------------------------------------------------------

  @Test
  void aStackLiesOnALayer() {
    createWeb();
    Map<?, ?> web = objects("inspect", "--json", "web").get(0);
    assertEquals("base", web.get("parent"));
    assertEquals(List.of("base"), web.get("chain"));
    assertEquals(
        "layer rm base: layer base is needed by stack web (EBUSY)",
        ovlctl.run("layer", "rm", "base").failed(1));
    ovlctl.run("down", "web").fine();
    ovlctl.shell("mkdir lower && echo low >lower/low").fine();
    ovlctl.run("set", "web", "--lower", "lower", "--parent", "none").fine();
    Map<?, ?> changed = objects("inspect", "--json", "web").get(0);
    assertEquals(List.of(), changed.get("chain"));
    assertTrue(changed.containsKey("parent"));
    ovlctl.run("clone", "web", "two", "--parent", "base", "--at", "default").fine();
    String place = ovlctl.run("up", "two").fine().out().strip();
    assertEquals("empty\netc\nfifo\nhard\nlow\n", ovlctl.shell("ls " + place).fine().out());
    ovlctl.run("rm", "--force", "two", "web").fine();
    ovlctl.run("layer", "rm", "base").fine();
  }

  @Test
  void changesAreToldInEveryForm() {
    createWeb();
    assertEquals(
        "C /etc\nD /etc/hosts\nC /hard\nA /new\n", ovlctl.run("changes", "web").fine().out());
    List<Map<?, ?>> json = objects("changes", "--json", "web");
    assertEquals(Map.of("kind", "C", "path", "/etc"), json.get(0));
    assertEquals(Map.of("kind", "A", "path", "/new"), json.get(3));
    assertEquals(4, json.size());
    ovlctl.shell("mkdir merged/d && echo >merged/d/$'a\\nb\\xff'").fine();
    assertEquals(
        "A /d/a\nb\udcff\0", ovlctl.shell("ovlctl changes -z web | grep -az /d/").fine().out());
    assertTrue(
        objects("changes", "--json", "web").contains(Map.of("kind", "A", "path", "/d/a\nb\udcff")));
    ovlctl.run("down", "web").fine();
    assertEquals(
        "[]",
        ovlctl.run("layer", "changes", "--against", "base", "--json", "base").fine().out().strip());
  }

  @Test
  void aTreeShowsWhatAStackIsMadeOf() {
    createWeb();
    ovlctl.run("layer", "create", "top", "--parent", "base").fine();
    ovlctl.run("down", "web").fine();
    ovlctl.run("set", "web", "--parent", "top").fine();
    List<String> lines = ovlctl.run("tree").fine().lines();
    assertEquals("web", lines.get(0));
    assertTrue(lines.get(1).matches("├─ upper /.*/diff: .*, 5 files"), lines::toString);
    assertEquals("├─ layer top: 0 B, 1 file", lines.get(2));
    assertTrue(lines.get(3).matches("└─ layer base: .*, 7 files"), lines::toString);
    Map<?, ?> tree = objects("tree", "--json", "web").get(0);
    assertEquals("web", tree.get("name"));
    List<Map<?, ?>> levels = JsonText.objects(tree.get("levels"));
    assertEquals(
        java.util.Arrays.asList(null, "top", "base"),
        levels.stream().map(level -> level.get("layer")).toList());
    assertEquals(true, levels.get(0).get("writable"));
    assertEquals(7L, levels.get(2).get("files"));
  }

  @Test
  void whoHoldsAPathIsTold() {
    createWeb();
    Result found = ovlctl.run("which", "web", "/new", "etc/motd", "/etc");
    assertEquals(
        """
        PATH      IN          WHAT       BYTES  ROLE
        /new      upper       file       4      serves
        etc/motd  layer base  file       4      serves
        /etc      upper       directory  -      serves
        /etc      layer base  directory  -      merges into it
        """,
        found.fine().out());
    Result gone = ovlctl.run("which", "web", "/etc/hosts", "/none").ended(1);
    assertEquals(
        """
        PATH        IN          WHAT      BYTES  ROLE
        /etc/hosts  upper       whiteout  -      deletes what is below
        /etc/hosts  layer base  file      4      hidden by a whiteout in upper
        """,
        gone.out());
    assertEquals("ovlctl: which web: nothing has /none (ENOENT)\n", gone.err());
    Map<?, ?> report = objects("which", "web", "/new", "--json").get(0);
    assertEquals("/new", report.get("path"));
    Map<?, ?> holding = JsonText.objects(report.get("holdings")).get(0);
    assertEquals("serves", holding.get("role"));
    assertEquals(true, holding.get("writable"));
    assertEquals(
        "which web: a path in a stack has no '..' in it: ../x",
        ovlctl.run("which", "web", "../x").failed(2));
  }

  @Test
  void whereATreeComesFromIsTold() {
    createWeb();
    assertEquals(
        """
        BENEATH  IN          NAMES  BYTES
        /etc     upper       1      0 B
        /etc     layer base  2      4 B
        """,
        ovlctl.run("which", "web", "--tree", "/etc").fine().out());
    List<Map<?, ?>> tree = objects("which", "web", "--tree", "--json");
    assertEquals("/", tree.get(0).get("path"));
    assertEquals(2, JsonText.objects(tree.get(0).get("shares")).size(), tree::toString);
    assertEquals(
        "which web: nothing has /none (ENOENT)",
        ovlctl.run("which", "web", "--tree", "/none").failed(1));
    assertEquals("which: which path?", ovlctl.run("which", "web").failed(2));
  }

  @Test
  void filesAreCopiedUp() {
    createWeb();
    String times = ovlctl.shell("stat -c '%y %n' merged/etc/motd merged/etc").fine().out();
    assertEquals(
        "would copy up 2 files, 4 B",
        ovlctl.run("--dry-run", "copy-up", "web", "/etc").ended(0).errorLine());
    assertEquals(0, objects("which", "web", "--wasted", "/etc", "--json").size());
    ovlctl.run("copy-up", "web", "/etc").fine();
    assertEquals(1, objects("which", "web", "--wasted", "/etc", "--json").size());
    assertEquals(times, ovlctl.shell("stat -c '%y %n' merged/etc/motd merged/etc").fine().out());
    Map<?, ?> again = (Map<?, ?>) ovlctl.run("copy-up", "web", "/etc", "--json").fine().json();
    assertEquals("0", String.valueOf(again.get("entries")), "it is there already");
    assertEquals(
        "copy-up web: it shows no /none (ENOENT)", ovlctl.run("copy-up", "web", "/none").failed(1));
    ovlctl.run("down", "web").fine();
    assertEquals(
        "copy-up web: is not up: only what is mounted can be copied up (EINVAL)",
        ovlctl.run("copy-up", "web", "/etc").failed(1));
  }

  @Test
  void whatAnUpperHoldsForNothingIsTold() {
    createWeb();
    assertEquals(
        "0 B wasted in 0 files\n", ovlctl.run("which", "web", "--wasted", "/etc").fine().out());
    ovlctl.shell("exec 3<>merged/etc/motd").fine();
    Result found = ovlctl.run("which", "web", "--wasted", "/etc");
    assertEquals(
        """
        PATH       BYTES    COPIED UP FOR
        /etc/motd  4.0 KiB  nothing that is left of it
        4.0 KiB wasted in 1 file
        """,
        found.fine().out());
    Map<?, ?> copy = objects("which", "web", "--wasted", "/etc", "--json").get(0);
    assertEquals("unchanged", copy.get("reason"));
    assertEquals(List.of(), objects("which", "web", "--wasted", "/etc/hosts", "--json"));
  }

  @Test
  void anUpperIsFoldedIntoItsLower() {
    createWeb();
    assertTrue(
        ovlctl.run("merge", "web").failed(1).startsWith("merge web: is up on "), "of a stack up");
    ovlctl.run("down", "web").fine();
    String base = ovlctl.shell("cd root/overlay2/base/diff && pwd").fine().out();
    Result would = ovlctl.run("--dry-run", "merge", "web").ended(0);
    assertEquals("C /etc\nD /etc/hosts\nC /hard\nA /new\n", would.out());
    assertEquals("would merge the upper of web into " + base.strip(), would.errorLine());
    assertEquals(4, objects("--dry-run", "--quiet", "--json", "merge", "web").size());
    ovlctl.run("layer", "create", "child", "--parent", "base").fine();
    assertEquals(
        "merge web: layer base is the parent of child (EBUSY)",
        ovlctl.run("merge", "web").failed(1));
    ovlctl.run("layer", "rm", "child").fine();
    assertEquals("base\n", ovlctl.run("merge", "web").fine().out());
    assertEquals("", ovlctl.run("changes", "web").fine().out());
    ovlctl.shell("cd root/overlay2/base/diff && test ! -e etc/hosts && grep new new").fine();
    assertEquals(
        Map.of("directory", base.strip(), "layer", "base"),
        ovlctl.run("merge", "web", "--json").fine().json());
  }

  @Test
  void aStackBecomesOneLayer() {
    createWeb();
    assertEquals("flat\n", ovlctl.run("flatten", "web", "--as", "flat").fine().out());
    assertEquals(
        "flatten web: layer flat exists (EEXIST)",
        ovlctl.run("flatten", "web", "--as", "flat").failed(1));
    ovlctl.shell("diff -r --no-dereference -x fifo merged root/overlay2/flat/diff").fine();
    assertEquals(null, objects("layer", "inspect", "flat", "--json").get(0).get("parent"));
    Map<?, ?> made = (Map<?, ?>) ovlctl.run("flatten", "web", "--json").fine().json();
    assertTrue(made.get("layer").toString().matches("[0-9a-f]{64}"), made::toString);
  }

  @Test
  void aCommitShowsWhatTheStackShowed() {
    createWeb();
    assertEquals("next\n", ovlctl.run("commit", "web", "--as", "next").fine().out());
    assertEquals(
        "commit web: layer next exists (EEXIST)",
        ovlctl.run("commit", "web", "--as", "next").failed(1));
    String id = ovlctl.run("commit", "web").fine().out().strip();
    assertTrue(id.matches("[0-9a-f]{64}"), id);
    Map<?, ?> made = (Map<?, ?>) ovlctl.run("commit", "web", "--json").fine().json();
    assertTrue(made.get("layer").toString().matches("[0-9a-f]{64}"), made::toString);
    String changes = ovlctl.run("changes", "web").fine().out();
    assertEquals(changes, ovlctl.run("layer", "changes", "next").fine().out());
    String place = ovlctl.run("layer", "get", "next").fine().out().strip();
    ovlctl.shell("diff -r --no-dereference -x fifo merged " + place).fine();
    ovlctl.run("layer", "put", "next").fine();
  }

  @Test
  void anUpperBecomesALayerWithoutBeingCopied() {
    createWeb();
    assertEquals(
        "--move and --as exclude each other: the layer keeps its id",
        ovlctl.run("commit", "web", "--move", "--as", "x").failed(2).replace("commit web: ", ""));
    assertTrue(ovlctl.run("commit", "web", "--move").failed(1).startsWith("commit web: is up on "));
    ovlctl.run("down", "web").fine();
    String changes = ovlctl.run("changes", "web").fine().out();
    String inode = ovlctl.shell("stat -c %i root/overlay2/*/diff/new").fine().out();
    assertEquals(
        "would commit the upper of web and give it a new one",
        ovlctl.run("--dry-run", "commit", "web", "--move").ended(0).errorLine());
    assertEquals(changes, ovlctl.run("changes", "web").fine().out());

    String id = ovlctl.run("commit", "web", "--move").fine().out().strip();
    assertEquals("", ovlctl.run("changes", "web").fine().out());
    assertEquals(changes, ovlctl.run("layer", "changes", id).fine().out());
    assertEquals(inode, ovlctl.shell("stat -c %i root/overlay2/" + id + "/diff/new").fine().out());
    ovlctl.run("up", "web").fine();
    assertEquals("new\n", ovlctl.shell("cat merged/new; test ! -e merged/etc/hosts").fine().out());
    assertTrue(ovlctl.run("layer", "rm", id).failed(1).endsWith("is needed by stack web (EBUSY)"));
    ovlctl.run("down", "web").fine();
    Map<?, ?> made = (Map<?, ?>) ovlctl.run("commit", "web", "--move", "--json").fine().json();
    assertTrue(made.get("layer").toString().matches("[0-9a-f]{64}"), made::toString);
  }

  @Test
  void lostLinksAreMadeAnewByACleanup() {
    createBase();
    ovlctl.run("layer", "create", "top", "--parent", "base").fine();
    ovlctl.shell("rm root/overlay2/l/*").fine();
    assertTrue(
        ovlctl
            .run("layer", "inspect", "top")
            .failed(1)
            .endsWith(", a link that is lost: try 'layer cleanup' (ENOENT)"));
    Result cleanup = ovlctl.run("layer", "cleanup").ended(0);
    if (host == Host.IN_PROCESS) {
      assertTrue(
          cleanup
              .err()
              .matches(
                  "(?s).*ovlctl: overlay2: layer top: made its lost link [A-Z2-7]{26} anew\n.*"),
          cleanup.err());
    }
    ovlctl.run("layer", "inspect", "top").fine();
    ovlctl.run("layer", "get", "top").fine();
    ovlctl.run("layer", "put", "top").fine();
  }

  // ---- archives -----------------------------------------------------------------------------

  @Test
  void archivesComeInEveryPacking() {
    for (String file : List.of("tree.tar", "tree.tar.gz", "tree.tar.zst")) {
      String id = "from-" + file;
      ovlctl.run("layer", "create", id).fine();
      ovlctl.run("layer", "apply", id, file).fine();
      ovlctl.run("layer", "create", id + "-in").fine();
      ovlctl.shell("cat " + file + " | ovlctl layer apply " + id + "-in -").fine();
      assertEquals(
          "", ovlctl.run("layer", "changes", id, "--against", id + "-in").fine().out(), file);
    }
    Map<?, ?> tally =
        (Map<?, ?>)
            ovlctl.run("layer", "apply", "from-tree.tar", "tree.tar", "--json").fine().json();
    assertEquals(8L, tally.get("entries"));
    assertEquals(0L, tally.get("sockets"));
  }

  @Test
  void whatIsPackedIsWhatTarUnpacks() {
    createBase();
    for (String compression : List.of("none", "gzip", "zstd")) {
      ovlctl
          .shell(
              "rm -rf out && mkdir out && ovlctl layer diff base --compress "
                  + compression
                  + " >out.tar && tar -C out -xpf out.tar && diff -r --no-dereference -x fifo tree out"
                  + " && test -p out/fifo && test out/hard -ef out/etc/motd"
                  + " && (cd tree && stat -c '%n %a %u %g %Y' $(find . | sort)) >one"
                  + " && (cd out && stat -c '%n %a %u %g %Y' $(find . | sort)) >two && cmp one two")
          .fine();
    }
  }

  @Test
  void deletionsAreToldByTheFormat() {
    createWeb();
    assertEquals(
        "./\netc/\netc/.wh.hosts\nhard\nnew\n",
        ovlctl.shell("ovlctl diff web | tar -t").fine().out());
    assertEquals(
        "./\netc/\netc/.wh.hosts\nhard\nnew\n",
        ovlctl.shell("ovlctl diff web --format aufs | tar -t").fine().out());
    String overlay = ovlctl.shell("ovlctl diff web --format overlay | tar -tv").fine().out();
    assertTrue(overlay.matches("(?s).*\nc--------- 0/0 +0,0 [^\n]* etc/hosts\n.*"), overlay);
    ovlctl.run("layer", "commit", "base").fine();
    ovlctl
        .shell(
            """
            for format in oci overlay; do
              ovlctl layer create $format --parent base &&
                ovlctl diff web --format $format | ovlctl layer apply $format --format $format || exit
            done
            """)
        .fine();
    String changes = ovlctl.run("changes", "web").fine().out();
    assertEquals(changes, ovlctl.run("layer", "changes", "overlay").fine().out());
    assertEquals(changes, ovlctl.run("layer", "changes", "oci").fine().out());
    ovlctl.run("down", "web").fine();
    ovlctl.shell("ovlctl layer diff base | ovlctl apply web").fine();
    assertFalse(ovlctl.run("changes", "web").fine().out().contains("D /etc/hosts"), "it is back");
  }

  @Test
  void socketsAreLeftOutAndThatIsSaid() {
    createWeb();
    ovlctl
        .shell(
            "perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un(\"merged/s\"))'")
        .fine();
    Result diff = ovlctl.run("diff", "web", "-o", "out.tar").ended(0);
    assertEquals(
        "diff web: sockets left out, since archives cannot hold them: 1", diff.errorLine());
    assertEquals("", ovlctl.run("-q", "diff", "web", "-o", "out.tar").fine().out());
    Map<?, ?> tally =
        (Map<?, ?>) ovlctl.run("-q", "diff", "--json", "web", "-o", "out.tar").fine().json();
    assertEquals(1L, tally.get("sockets"));
    assertEquals(6L, tally.get("entries"));
  }

  @Test
  void aFileIsWrittenAsAWholeOrNotAtAll() {
    createBase();
    ovlctl.shell("echo before >out.tar && ln -s out.tar link && mkdir full && mkfifo pipe").fine();
    assertEquals("", ovlctl.run("layer", "diff", "base", "-o", "link").fine().out());
    assertEquals(
        "600 symbolic link\n",
        ovlctl.shell("echo $(stat -c %a out.tar) $(stat -c %F link)").fine().out());
    ovlctl
        .shell(
            "tar -tf out.tar >list && ovlctl layer diff base -o pipe & tar -t <pipe >list2; cmp list list2")
        .fine();
    ovlctl.run("layer", "diff", "base", "-o", "/dev/null").fine();
    assertEquals("character special file\n", ovlctl.shell("stat -c %F /dev/null").fine().out());

    ovlctl.shell("cp out.tar kept.tar").fine();
    assertEquals(
        "layer diff none: " + NONE, ovlctl.run("layer", "diff", "none", "-o", "out.tar").failed(1));
    String full = ovlctl.run("layer", "diff", "base", "-o", "/dev/full").failed(1);
    assertTrue(full.startsWith("layer diff base: cannot write the archive: "), full);
    assertTrue(full.endsWith("(ENOSPC)"), full);
    String directory = ovlctl.run("layer", "diff", "base", "-o", "full").failed(1);
    assertTrue(directory.endsWith("(EISDIR)"), directory);
    ovlctl
        .shell(
            """
            mount -t tmpfs -o size=64k small full && head -c 200000 /dev/urandom >tree/big
            tar -C tree -cf big.tar . && ovlctl layer apply base big.tar && echo before >full/out.tar
            """)
        .fine();
    try {
      String small = ovlctl.run("layer", "diff", "base", "-o", "full/out.tar").failed(1);
      assertTrue(small.endsWith("(ENOSPC)"), small);
      assertEquals(
          "out.tar\nbefore\n", ovlctl.shell("ls -A full && cat full/out.tar").fine().out());
    } finally {
      ovlctl.shell("umount full").fine();
    }
    ovlctl.shell("cmp out.tar kept.tar && ! ls -A | grep ovl-").fine();
  }

  @Test
  void aBrokenArchiveLeavesAllAsItWas() {
    createWeb();
    ovlctl.run("down", "web").fine();
    ovlctl.run("layer", "create", "open").fine();
    ovlctl.run("layer", "apply", "open", "tree.tar").fine();
    ovlctl
        .shell(
            """
            head -c 2000 tree.tar >cut.tar && head -c 100 tree.tar.gz >cut.tar.gz
            (cat tree.tar.gz && echo more) >more.tar.gz && echo no archive >none.tar
            """)
        .fine();
    World before = World.of(scratch);
    for (String file : List.of("cut.tar", "cut.tar.gz", "more.tar.gz", "none.tar")) {
      for (String command :
          List.of("layer apply open " + file, "apply web " + file, "apply web <" + file)) {
        String line = ovlctl.shell("ovlctl " + command).failed(1);
        assertTrue(line.contains("apply "), line);
        before.assertUnchanged(World.of(scratch), command);
      }
    }
  }

  @Test
  void whoStopsReadingIsNoDefect() {
    createBase();
    ovlctl
        .shell(
            "head -c 3000000 /dev/urandom >tree/big && tar -C tree -cf big.tar . &&"
                + " ovlctl layer apply base big.tar")
        .fine();
    Result result =
        ovlctl.shell("set -o pipefail; ovlctl layer diff base | head -c 10 >/dev/null").ended(1);
    assertEquals("layer diff base: cannot write the archive: Broken pipe", result.errorLine());
    ovlctl.run("layer", "exists", "base").fine();
  }

  @Test
  void whoStopsIsHeardAndAllIsAsItWas() {
    createBase();
    World before = World.of(scratch);
    // one that waits for more that never comes
    Result result =
        ovlctl.shell(
            """
            mkfifo slow
            { head -c 2000 tree.tar; exec sleep 100; } >slow & holder=$!
            ovlctl layer apply base <slow & command=$!
            until [ -e root/overlay2/base/.tmp-diff ]; do sleep 0.05; done
            kill -TERM $(pgrep -P $command)
            wait $command; status=$?
            kill $holder
            rm slow
            exit $status
            """);
    assertEquals(1, result.ended(1).status());
    assertEquals("layer apply base: cancelled (ECANCELED)", result.errorLine());
    ovlctl.shell("while [ -e root/overlay2/base/.tmp-diff ]; do sleep 0.05; done").fine();
    before.assertUnchanged(World.of(scratch), "an interrupted apply");
  }
}
