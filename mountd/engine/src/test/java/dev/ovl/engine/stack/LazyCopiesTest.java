package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.TreeDiff;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.layer.Layers;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Requires;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which stacks copy no data for a rename or a change of owner, and what becomes of that. */
@Tag("kernel")
class LazyCopiesTest {
  private static final byte[] DATA = new byte[100_000];
  private static final List<String> LAZY = List.of("redirect_dir=on", "metacopy=on");

  static {
    Arrays.fill(DATA, (byte) 'x');
  }

  @RegisterExtension final StackLab lab = new StackLab();

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);

  private OsPath lower() throws ErrnoException {
    OsPath lower = lab.directory("lower");
    files.mkdirs(lower.resolve("d"), 0755);
    files.create(lower.resolve("d/file"), DATA, 0644, false);
    return lower;
  }

  private List<String> options(String name) throws Exception {
    return lab.report(name).options();
  }

  private boolean isLazy(String name) throws Exception {
    return options(name).containsAll(LAZY);
  }

  private void changeAll(OsPath tree) throws ErrnoException {
    sys.fchmodat(Linux.AT_FDCWD, tree.resolve("d/file"), 0600);
    files.rename(tree.resolve("d"), tree.resolve("e"));
  }

  @Test
  void renamesAndNewOwnersCopyNothing() throws Exception {
    OsPath tree = lab.stack("web", List.of(lower())).up();
    changeAll(tree);
    assertArrayEquals(DATA, files.read(tree.resolve("e/file")).orElseThrow());
    long bytes =
        lab.stacks().usage(StackLab.name("web"), () -> false).orElseThrow().upper().bytes();
    assertTrue(bytes < DATA.length / 2, () -> bytes + " bytes in the upper");
    try (TreeDiff diff = lab.stacks().compare(StackLab.name("web"), Progress.NONE, () -> false)) {
      assertEquals(
          List.of("D /d", "A /e", "A /e/file"),
          diff.changes().stream().map(Object::toString).toList());
    }
    lab.down("web");
  }

  @Test
  void notWithCompat() throws Exception {
    OsPath tree = lab.stack("web", List.of(lower())).compat().up();
    ErrnoException refused = assertThrows(ErrnoException.class, () -> changeAll(tree));
    assertEquals(Errno.EXDEV, refused.errno());
    assertEquals(List.of("index=off"), options("web"));
    lab.down("web");
  }

  @Test
  void onlyWhereTheUpperIsOvlsOwn() throws Exception {
    OsPath lower = lower();
    lab.stack("given", List.of(lower)).upper(lab.directory("u"), lab.directory("w")).create();
    lab.stack("none", List.of(lower)).readOnly().create();
    lab.stack("own", List.of(lower)).create();
    assertFalse(isLazy("given"));
    assertFalse(isLazy("none"));
    assertTrue(isLazy("own"));
    // dockerd keeps its images there, and reads the layers
    files.mkdirs(lab.root().resolve("image/overlay2"), 0700);
    lab.stack("shared", List.of(lower)).create();
    assertFalse(isLazy("shared"));
    assertTrue(isLazy("own"), "what was made before stays");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "volatile                    | volatile,redirect_dir=on,metacopy=on,index=off",
        "redirect_dir=off            | redirect_dir=off,index=off",
        "metacopy=off                | metacopy=off,redirect_dir=on,index=off",
        "nfs_export=on,index=on      | nfs_export=on,index=on,redirect_dir=on",
      })
  void anOptionThatSaysOtherwiseGoesBefore(String asked, String expected) throws Exception {
    goesBefore(asked, expected);
  }

  @Test
  void attributesOfUsersGoBefore() throws Exception {
    Requires.kernel(5, 11);
    goesBefore("userxattr", "userxattr,index=off");
  }

  private void goesBefore(String asked, String expected) throws Exception {
    lab.stack("web", List.of(lower())).options(asked.split(",")).create();
    assertEquals(List.of(expected.split(",")), options("web"));
    lab.up("web");
    lab.down("web");
  }

  @Test
  void changesAndCopiesOfTheDefinitionKeepIt() throws Exception {
    lab.stack("web", List.of(lower())).create();
    lab.stack("plain", List.of(lower())).compat().create();
    StackChange change = changing("noatime");
    for (String name : List.of("web", "plain")) {
      lab.stacks().set(StackLab.name(name), change);
      lab.stacks().copy(StackLab.name(name), StackLab.name(name + "2"), changing("nosuid"));
    }
    for (String name : List.of("web", "web2")) {
      assertTrue(isLazy(name), name);
    }
    for (String name : List.of("plain", "plain2")) {
      assertFalse(isLazy(name), name);
    }
  }

  private static StackChange changing(String... words) throws Exception {
    return new StackChange(
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.of(List.of(words)),
        Optional.empty(),
        Optional.empty());
  }

  @Test
  void aDefinitionThatDoesNotTellIsOfBefore() throws Exception {
    lab.stack("web", List.of(lower())).create();
    OsPath file = lab.root().resolve("stacks/web.json");
    String text = new String(files.read(file).orElseThrow(), StandardCharsets.UTF_8);
    String older = text.replaceFirst(",\\s*\"lazyCopies\": true", "");
    assertFalse(older.contains("lazyCopies"), older);
    files.replace(file, older.getBytes(StandardCharsets.UTF_8), 0600);
    assertFalse(isLazy("web"));
  }

  @Test
  void anUpperThatBecomesALayerCanBeRead() throws Exception {
    Layers layers = lab.stacks().layers();
    Driver driver = layers.driver(Optional.of("overlay2"));
    LayerId base = LayerId.of("base");
    layers.create(driver, base, Optional.empty(), true);
    OsPath content = layers.get(driver, base);
    files.mkdirs(content.resolve("d"), 0755);
    files.create(content.resolve("d/file"), DATA, 0644, false);
    layers.put(driver, base);
    lab.stacks()
        .create(
            new StackRequest(
                StackLab.name("web"),
                List.of(),
                Optional.of(base),
                false,
                Optional.empty(),
                Optional.empty(),
                new StackRequest.Union.Overlay(
                    Optional.empty(), MountOptions.NONE, Optional.empty(), false)));
    changeAll(lab.up("web"));
    lab.down("web");
    LayerId made = lab.stacks().commitByMove(StackLab.name("web"));
    OsPath shown = layers.get(driver, made);
    assertArrayEquals(DATA, files.read(shown.resolve("e/file")).orElseThrow());
    layers.put(driver, made);
    LayerId above = LayerId.of("above");
    layers.create(driver, above, Optional.of(made), true);
    OsPath writable = layers.get(driver, above);
    assertArrayEquals(DATA, files.read(writable.resolve("e/file")).orElseThrow());
    layers.put(driver, above);
  }
}
