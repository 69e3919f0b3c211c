package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Programs that know nothing of ovl, on an overlay whose lower directories rename(2) does not
 * rename: each fails by itself, and does its work with {@code libovl-exdev.so}.
 */
class PreloadTest {
  private static final String EXDEV = "(?is).*(EXDEV|cross-device).*";

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  private OsPath lower;
  private OsPath merged;

  @BeforeEach
  void directories() throws Exception {
    Requires.overlay();
    lower = scratch.mkdirs("lower");
    merged = scratch.mkdirs("merged");
    scratch.mkdirs("upper");
    scratch.mkdirs("work");
  }

  private Result shell(String script) {
    return Ovlctl.of(scratch).in(merged).shell(script);
  }

  private void mount() {
    shell(
            "cd .. && mount -t overlay"
                + " -o lowerdir=lower,upperdir=upper,workdir=work,redirect_dir=off x merged")
        .fine();
  }

  private static String preload() {
    return "export LD_PRELOAD=" + Ovlctl.quote(Dist.tree().resolve("lib/libovl-exdev.so") + "");
  }

  /** Runs a script with the library. */
  private Result preloaded(String script) {
    return shell(preload() + "\n" + script);
  }

  /** A directory {@code old} in the lower layer, with some of what there can be. */
  private Trees.Snapshot makeOld() throws Exception {
    Ovlctl.of(scratch)
        .in(lower)
        .shell(
            """
            mkdir -p old/sub/deeper
            echo one >old/one
            ln old/one old/sub/two
            ln -s ../one old/sub/link
            mkfifo old/pipe
            truncate -s 1M old/sparse
            chown 3:4 old/sub
            chmod 2751 old/sub
            touch -d '2001-02-03 04:05:06.789' old/one old/sub/deeper
            """)
        .fine();
    mount();
    return Trees.snapshotWithTimes(merged.resolve("old"));
  }

  private void assertRenames(String command) throws Exception {
    Trees.Snapshot before = makeOld();
    Result without = shell(command);
    assertTrue(without.status() != 0, without::toString);
    assertTrue((without.out() + without.err()).matches(EXDEV), without::toString);
    Trees.assertSame(before, Trees.snapshotWithTimes(merged.resolve("old")));

    preloaded(command).fine();
    Trees.assertSame(before, Trees.snapshotWithTimes(merged.resolve("new")));
    assertEquals("new\n", shell("ls -A").fine().out());
    Trees.assertSame(before, Trees.snapshotWithTimes(lower.resolve("old")));
  }

  @Test
  void python() throws Exception {
    Requires.program("python3");
    assertRenames("python3 -c 'import os; os.rename(\"old\", \"new\")'");
  }

  @Test
  void node() throws Exception {
    Requires.program("node");
    assertRenames("node -e 'require(\"fs\").renameSync(\"old\", \"new\")'");
  }

  @Test
  void perl() throws Exception {
    Requires.program("perl");
    assertRenames("perl -e 'rename \"old\", \"new\" or die \"$!\\n\"'");
  }

  /** Calls renameat2, and would copy by itself; with the library it does not come to that. */
  @Test
  void mv() throws Exception {
    Trees.Snapshot before = makeOld();
    preloaded("mv old new").fine();
    Trees.assertSame(before, Trees.snapshotWithTimes(merged.resolve("new")));
    assertEquals("new\n", shell("ls -A").fine().out());
  }

  /**
   * npm moves each package that it replaces out of the way. This one notices EXDEV and copies file
   * by file; older ones fail. So what is looked at is what it is told.
   */
  @Test
  void npm() throws Exception {
    Requires.program("npm");
    Ovlctl.of(scratch)
        .in(lower)
        .shell(
            """
            for version in 1 2; do
              mkdir -p package/lib
              echo "module.exports = $version" >package/index.js
              echo $version >package/lib/more-$version
              echo '{"name": "thing", "version": "'$version'.0.0"}' >package/package.json
              tar czf ../thing-$version.tgz package
              rm -r package
            done
            mkdir app
            echo '{"name": "app", "version": "1.0.0", "private": true}' >app/package.json
            cat >../hook.js <<'END'
            const fs = require("fs");
            const rename = fs.promises.rename;
            fs.promises.rename = async (from, to) => {
              try {
                await rename(from, to);
                fs.appendFileSync(process.env.TOLD, "done\\n");
              } catch (e) {
                fs.appendFileSync(process.env.TOLD, e.code + "\\n");
                throw e;
              }
            };
            END
            """
                + install(1, "first"))
        .ended(0);
    mount();
    shell(install(2, "without")).ended(0);
    assertTrue(told("without").contains("EXDEV"), told("without"));
    Ovlctl.of(scratch).shell("umount merged && rm -rf upper/* work/*").fine();

    mount();
    preloaded(install(2, "with")).ended(0);
    assertTrue(told("with").contains("done"), told("with"));
    assertFalse(told("with").contains("EXDEV"), told("with"));
    assertEquals("2\n", shell("cd app && node -p 'require(\"thing\")'").fine().out());
    assertEquals("more-2\n", shell("ls -A app/node_modules/thing/lib").fine().out());
    assertEquals(".package-lock.json\nthing\n", shell("ls -A app/node_modules").fine().out());
  }

  private static String install(int version, String name) {
    return """
        export npm_config_cache=$PWD/../cache TOLD=$PWD/../told-%s NODE_OPTIONS="-r $PWD/../hook.js"
        cd app
        npm install --offline --no-audit --no-fund --loglevel=error ../../thing-%d.tgz
        """
        .formatted(name, version);
  }

  private String told(String name) {
    return shell("cat ../told-" + name).fine().out();
  }

  // ---- Debian -------------------------------------------------------------------------------

  /** A package that has a file where it had a directory; dpkg moves that aside. */
  private static final String PACKAGES =
      """
      for version in 1 2; do
        rm -rf /srv/p
        mkdir -p /srv/p/DEBIAN /srv/p/opt/thing
        printf '%s\\n' 'Package: thing' "Version: $version" 'Architecture: all' \\
          'Maintainer: x <x@localhost>' 'Description: thing' >/srv/p/DEBIAN/control
        if [ $version = 1 ]; then
          mkdir /srv/p/opt/thing/data && echo 1 >/srv/p/opt/thing/data/file
        else
          echo 2 >/srv/p/opt/thing/data
        fi
        dpkg-deb --build --root-owner-group -Zgzip /srv/p /thing_$version.deb || exit
      done
      """;

  /** Version 1 is in a lower layer; this installs version 2. */
  private void assertUpgrades(String command) {
    DebianRoot first = DebianRoot.minimal(scratch);
    first.run(PACKAGES + "dpkg --install /thing_1.deb").fine();
    DebianRoot debian = first.layered();
    Result without = debian.run(command);
    assertTrue(without.status() != 0, without::toString);
    assertTrue((without.out() + without.err()).matches(EXDEV), without::toString);
    assertEquals("1\n", debian.run("cat /opt/thing/data/file").fine().out());

    Ovlctl.of(scratch)
        .shell(
            "cp %s %s/srv"
                .formatted(Dist.tree().resolve("lib/libovl-exdev.so"), debian.directory()))
        .fine();
    debian.run("export LD_PRELOAD=/srv/libovl-exdev.so\n" + command).ended(0);
    assertEquals("2\n", debian.run("cat /opt/thing/data").fine().out());
    assertEquals("data\n", debian.run("ls -A /opt/thing").fine().out());
    assertEquals("", debian.run("dpkg --verify thing; dpkg --audit").fine().out());
    assertEquals("2", debian.run("dpkg-query -f '${Version}' -W thing").fine().out());
  }

  @Test
  void dpkg() {
    assertUpgrades("dpkg --install /thing_2.deb");
  }

  @Test
  void apt() {
    assertUpgrades("apt-get install --yes /thing_2.deb");
  }
}
