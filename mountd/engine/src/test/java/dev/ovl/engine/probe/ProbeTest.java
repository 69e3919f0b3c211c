package dev.ovl.engine.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.file.Files;
import dev.ovl.json.Json;
import dev.ovl.json.JsonFields;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.FaultInjector;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ProbeTest {
  private static final byte[] NO_DATA = {};

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);

  @BeforeEach
  void needsOverlay() {
    Requires.overlay();
  }

  private ProbeReport probe() throws ErrnoException {
    return new Probe(sys, scratch.path()).run();
  }

  private static ProbeResult result(ProbeReport report, String key) {
    return report.feature(key).orElseThrow(() -> new AssertionError("no feature " + key)).result();
  }

  private static void assertYes(ProbeReport report, String... keys) {
    for (String key : keys) {
      ProbeResult result = result(report, key);
      assertTrue(result.isYes(), () -> key + ": " + result);
    }
  }

  private static <T extends ProbeResult> T assertResult(
      Class<T> kind, ProbeReport report, String key) {
    return assertInstanceOf(kind, result(report, key), key);
  }

  private static DriverChoice.Candidate candidate(ProbeReport report, String name) {
    return report.driver().candidates().stream()
        .filter(c -> c.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  // ---- answers --------------------------------------------------------------------------------

  @Test
  @Tag("kernel")
  void whatEveryKernelWithOverlayDoes() throws Exception {
    ProbeReport report = probe();
    assertYes(
        report,
        "overlay.mount",
        "overlay.max_lowers",
        "overlay.redirect_dir",
        "overlay.metacopy",
        "overlay.index",
        "overlay.xino",
        "overlay.nfs_export");
    assertEquals("500", result(report, "overlay.max_lowers").detail());
  }

  @Test
  @Tag("kernel")
  void whatLinux613Does() throws Exception {
    Requires.kernel(6, 13);
    ProbeReport report = probe();
    assertYes(
        report,
        "overlay.lowerdir_plus",
        "overlay.fd_layers",
        "overlay.userxattr",
        "overlay.volatile",
        "overlay.data_only",
        "overlay.verity");
    assertEquals("also by datadir+", result(report, "overlay.data_only").detail());
  }

  @Test
  void optionsWithoutEffectAreANo() throws Exception {
    ProbeReport report = new Probe(new Weakened(sys), scratch.path()).run();
    assertEquals(
        Optional.of(Errno.EXDEV),
        assertResult(ProbeResult.No.class, report, "overlay.redirect_dir").errno());
    for (String name : List.of("metacopy", "index", "xino", "volatile", "nfs_export")) {
      assertEquals(
          "the option is taken and has no effect",
          assertResult(ProbeResult.No.class, report, "overlay." + name).detail());
    }
    assertYes(report, "overlay.mount");
  }

  /** A kernel that takes overlay's options and ignores them. */
  private static final class Weakened extends ObservedSyscalls {
    private final Syscalls sys;

    Weakened(Syscalls sys) {
      super(sys);
      this.sys = sys;
    }

    @Override
    public void fsconfig(int fd, int command, String key, byte[] value, int aux)
        throws ErrnoException {
      if (command != Linux.FSCONFIG_SET_FLAG) {
        byte[] given = OsPath.decode(value).equals("on") ? OsPath.encode("off") : value;
        sys.fsconfig(fd, command, key, given, aux);
      }
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      return invocation.perform();
    }
  }

  @Test
  @Tag("kernel")
  void idmapsLowersIntoABorrowedUserNamespace() throws Exception {
    Requires.kernel(6, 3);
    Requires.program("unshare");
    Process child =
        new ProcessBuilder("unshare", "--user", "--map-root-user", "sleep", "60")
            .redirectErrorStream(true)
            .start();
    try {
      Path map = Path.of("/proc/" + child.pid() + "/uid_map");
      String own = java.nio.file.Files.readString(Path.of("/proc/self/uid_map"));
      for (String seen = own; seen.isBlank() || seen.equals(own); ) {
        TimeUnit.MILLISECONDS.sleep(5);
        assertTrue(child.isAlive(), "there are no user namespaces");
        seen = java.nio.file.Files.readString(map);
      }
      assertYes(probe(), "overlay.idmapped_lowers");
    } finally {
      child.destroyForcibly().waitFor();
    }
  }

  @Test
  void groupsAndKeysBelongTogether() throws Exception {
    ProbeReport report = probe();
    List<String> keys = new ArrayList<>();
    for (Feature.Group group : Feature.Group.values()) {
      for (Feature feature : report.features(group)) {
        assertTrue(feature.key().startsWith(group.word() + "."), feature.key());
        keys.add(feature.key());
      }
    }
    assertEquals(keys, report.features().stream().map(Feature::key).toList());
    assertEquals(keys.size(), keys.stream().distinct().count());
  }

  @Test
  void fileSystemTypesAreThoseOfTheKernel() throws Exception {
    ProbeReport report = probe();
    String known = java.nio.file.Files.readString(Path.of("/proc/filesystems"));
    for (String type : List.of("erofs", "squashfs", "btrfs", "xfs", "ext4")) {
      assertEquals(known.contains("\t" + type + "\n"), result(report, "fs." + type).isYes(), type);
    }
  }

  @Test
  @Tag("kernel")
  void whatEveryKernelWithAufsDoes() throws Exception {
    Requires.fileSystem("aufs");
    ProbeReport report = probe();
    assertYes(report, "aufs.available", "aufs.mount", "aufs.dirperm1");
    assertTrue(result(report, "aufs.available").detail().startsWith("version "));
    ProbeResult limit = result(report, "aufs.max_branches");
    if (java.nio.file.Files.exists(Path.of("/sys/fs/aufs/config"))) {
      assertTrue(limit.isYes() && Integer.parseInt(limit.detail()) >= 127, limit::toString);
    } else {
      assertInstanceOf(ProbeResult.NotProbed.class, limit);
    }
    ProbeResult renames = result(report, "aufs.dirren");
    if (renames instanceof ProbeResult.No no) {
      assertEquals(Optional.of(Errno.EXDEV), no.errno(), no.detail());
    } else {
      assertTrue(renames.isYes(), renames::toString);
    }
    assertFalse(
        java.nio.file.Files.readString(Path.of("/proc/self/mountinfo")).contains("ovl-probe"));
  }

  @Test
  void withoutAufsNothingOfItIsTried() throws Exception {
    String known = java.nio.file.Files.readString(Path.of("/proc/filesystems"));
    Requires.that(
        "no-aufs",
        known.contains("\taufs\n") ? Optional.of("this kernel has aufs") : Optional.empty());
    FaultInjector counting = new FaultInjector(sys, name -> name.equals("mount"));
    ProbeReport report = new Probe(counting, scratch.path()).run();
    assertFalse(result(report, "aufs.available").isYes());
    for (Feature feature : report.features(Feature.Group.AUFS).stream().skip(1).toList()) {
      assertTrue(
          assertInstanceOf(ProbeResult.NotProbed.class, feature.result())
              .detail()
              .startsWith("there is no aufs: "));
    }
    assertTrue(counting.calls().stream().noneMatch(call -> call.arguments().contains("\"aufs\"")));
  }

  // ---- roots ----------------------------------------------------------------------------------

  @Test
  @Tag("kernel")
  void rootOnTmpfs() throws Exception {
    ProbeReport report = probe();
    assertEquals("tmpfs", report.root().type());
    assertEquals(scratch.path(), report.root().probed());
    assertYes(
        report,
        "root.writable",
        "root.d_type",
        "root.trusted_xattr",
        "root.o_tmpfile",
        "root.upper");
    assertEquals(
        Optional.of(Errno.EOPNOTSUPP),
        assertResult(ProbeResult.No.class, report, "root.reflink").errno());
    assertTrue(report.root().bytes() >= report.root().bytesAvailable());
    assertTrue(report.root().inodesFree().orElseThrow() > 0);
    assertEquals(Optional.of("overlay2"), report.driver().name());
  }

  @Test
  @Tag("kernel")
  void rootOnExt4() throws Exception {
    try (Scratch ext4 = Scratch.ext4()) {
      ProbeReport report = new Probe(sys, ext4.path()).run();
      assertEquals("ext4", report.root().type());
      assertYes(
          report,
          "root.d_type",
          "root.trusted_xattr",
          "root.user_xattr",
          "root.o_tmpfile",
          "root.upper");
      assertResult(ProbeResult.No.class, report, "root.reflink");
      assertEquals(List.of(), files.list(ext4.path()));
    }
  }

  @Test
  @Tag("kernel")
  void rootOnXfs() throws Exception {
    try (Scratch xfs = Scratch.xfs()) {
      ProbeReport report = new Probe(sys, xfs.path()).run();
      assertEquals("xfs", report.root().type());
      assertYes(report, "root.reflink", "root.d_type", "root.project_ids", "root.upper");
      assertEquals(
          "the file system is not mounted with prjquota",
          assertResult(ProbeResult.No.class, report, "root.project_quota").detail());
      assertEquals(List.of(), files.list(xfs.path()));
    }
  }

  @Test
  @Tag("kernel")
  void rootOnBtrfs() throws Exception {
    try (Scratch btrfs = Scratch.btrfs()) {
      ProbeReport report = new Probe(sys, btrfs.path()).run();
      assertYes(report, "root.reflink", "root.upper");
      assertEquals(OptionalLong.empty(), report.root().inodes());
      assertEquals(List.of(), files.list(btrfs.path()));
    }
  }

  @Test
  @Tag("kernel")
  void rootOnOverlayCannotHoldAnUpper() throws Exception {
    OsPath root = scratch.mkdirs("merged");
    String options =
        String.format(
            "lowerdir=%s,upperdir=%s,workdir=%s",
            scratch.mkdirs("lower"), scratch.mkdirs("upper"), scratch.mkdirs("work"));
    sys.mount(OsPath.of("ovl-test"), root, "overlay", 0, OsPath.encode(options));
    ProbeReport report = new Probe(sys, root).run();
    assertEquals("overlay", report.root().type());
    assertEquals(
        Optional.of(Errno.EINVAL),
        assertResult(ProbeResult.No.class, report, "root.upper").errno());
    assertEquals(Optional.of("vfs"), report.driver().name());
    assertTrue(
        report
            .driver()
            .why()
            .startsWith("it needs nothing of kernel and file system; overlay2 cannot be used: "));
    assertEquals(List.of(), files.list(root));
  }

  @Test
  void readOnlyRoot() throws Exception {
    int readOnly = Linux.MS_REMOUNT | Linux.MS_RDONLY;
    sys.mount(OsPath.of("none"), scratch.path(), "", readOnly, NO_DATA);
    ProbeReport report = probe();
    for (String key : List.of("root.writable", "root.upper")) {
      assertEquals(
          Optional.of(Errno.EROFS), assertResult(ProbeResult.No.class, report, key).errno());
    }
    assertEquals(
        "nothing can be made there (EROFS)",
        assertResult(ProbeResult.NotProbed.class, report, "root.d_type").reason());
    assertYes(report, "overlay.mount");
    assertEquals(Optional.empty(), report.driver().name());
    assertFalse(candidate(report, "overlay2").chosen());
    assertTrue(report.driver().why().startsWith("no driver can be used: "));
  }

  @Test
  void missingRootIsNotMade() throws Exception {
    OsPath parent = scratch.mkdirs("there");
    OsPath root = parent.resolve("not/yet");
    ProbeReport report = new Probe(sys, root).run();
    assertEquals(root, report.root().root());
    assertEquals(parent, report.root().probed());
    assertYes(report, "root.upper");
    assertEquals(List.of(), files.list(parent));
  }

  @Test
  void rootWithStrangeCharacters() throws Exception {
    OsPath root = scratch.mkdirs("a:b,c\\d e\udcff");
    assertYes(new Probe(sys, root).run(), "root.upper");
    assertEquals(List.of(), files.list(root));
  }

  // ---- the driver -----------------------------------------------------------------------------

  @Test
  void driversInOrder() throws Exception {
    scratch.mkdirs("aufs");
    ProbeReport report = probe();
    assertEquals(
        List.of("overlay2", "aufs", "btrfs", "devicemapper", "overlay", "vfs"),
        report.driver().candidates().stream().map(DriverChoice.Candidate::name).toList());
    assertTrue(candidate(report, "overlay2").chosen());
    assertEquals(
        Requires.hasFileSystem("aufs")
            ? "this kernel mounts aufs, but overlay2 comes first"
            : "this kernel does not mount aufs",
        candidate(report, "aufs").why());
    assertEquals("not built into this version", candidate(report, "btrfs").why());
    assertEquals(
        "the first in the order of priority that kernel and root can carry", report.driver().why());
  }

  @Test
  void rootThatAufsUsedBefore() throws Exception {
    scratch.mkdirs("aufs/diff");
    ProbeReport report = probe();
    boolean mounts = Requires.hasFileSystem("aufs");
    assertEquals(
        mounts
            ? "this root already holds its layers"
            : "this kernel does not mount aufs, though this root holds its layers",
        candidate(report, "aufs").why());
    assertEquals(Optional.of(mounts ? "aufs" : "overlay2"), report.driver().name());
  }

  @Test
  void rootThatAStrangerUsedBefore() throws Exception {
    scratch.mkdirs("btrfs/subvolumes");
    ProbeReport report = probe();
    assertTrue(candidate(report, "btrfs").why().contains("this root holds its layers"));
    assertTrue(
        report.driver().why().endsWith("holds layers of btrfs, which this version does not read"));
    assertEquals(Optional.of("overlay2"), report.driver().name());
  }

  @Test
  void rootThatOverlay2UsedBefore() throws Exception {
    scratch.mkdirs("overlay2/l");
    ProbeReport report = probe();
    assertEquals("this root already holds its layers", report.driver().why());
    assertEquals(Optional.of("overlay2"), report.driver().name());
  }

  @Test
  void rootThatVfsUsedBefore() throws Exception {
    scratch.mkdirs("vfs/dir");
    ProbeReport report = probe();
    assertEquals("this root already holds its layers", report.driver().why());
    assertEquals(Optional.of("vfs"), report.driver().name());
    assertTrue(candidate(report, "vfs").chosen());
    assertFalse(candidate(report, "overlay2").chosen());
  }

  // ---- kernels and users that allow less ------------------------------------------------------

  /** Refuses some calls. */
  private static final class Refusing extends ObservedSyscalls {
    private final Errno errno;
    private final Predicate<Invocation<?>> refused;

    Refusing(Syscalls sys, Errno errno, Predicate<Invocation<?>> refused) {
      super(sys);
      this.errno = errno;
      this.refused = refused;
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      if (refused.test(invocation)) {
        throw invocation.failure(errno);
      }
      return invocation.perform();
    }
  }

  @Test
  void withoutPrivileges() throws Exception {
    List<String> privileged = List.of("unshare", "fsopen", "mount", "open_tree");
    Syscalls unprivileged =
        new Refusing(
            sys,
            Errno.EPERM,
            call -> privileged.contains(call.name()) || call.arguments().contains("\"trusted."));
    ProbeReport report = new Probe(unprivileged, scratch.path()).run();
    for (Feature feature : report.features(Feature.Group.OVERLAY)) {
      assertEquals(
          new ProbeResult.NotProbed("mounting needs root, CAP_SYS_ADMIN (EPERM)"),
          feature.result(),
          feature.key());
    }
    assertResult(ProbeResult.NotProbed.class, report, "root.trusted_xattr");
    assertResult(ProbeResult.NotProbed.class, report, "root.upper");
    assertYes(report, "root.writable", "root.d_type");
    assertEquals(Optional.of("overlay2"), report.driver().name());
    assertTrue(report.driver().why().contains("not tried: mounting needs root"));
    assertEquals(List.of(), files.list(scratch.path()));
  }

  @Test
  void rootThatCannotBeLookedInto() throws Exception {
    scratch.mkdirs("shut/overlay2/l");
    String path = scratch.resolve("shut") + "/";
    Syscalls shut = new Refusing(sys, Errno.EACCES, call -> call.arguments().contains(path));
    ProbeReport report = new Probe(shut, scratch.resolve("shut/root")).run();
    assertEquals(
        Optional.of(Errno.EACCES),
        assertResult(ProbeResult.No.class, report, "root.writable").errno());
    assertResult(ProbeResult.NotProbed.class, report, "root.upper");
    assertEquals(Optional.of("overlay2"), report.driver().name());
    assertTrue(report.driver().why().startsWith("the first in the order of priority"));
  }

  @Test
  void withoutFsopen() throws Exception {
    Syscalls old = new Refusing(sys, Errno.ENOSYS, call -> call.name().equals("fsopen"));
    ProbeReport report = new Probe(old, scratch.path()).run();
    assertEquals(
        "this kernel has no fsopen(2) (ENOSYS)",
        assertResult(ProbeResult.NotProbed.class, report, "overlay.mount").reason());
    assertEquals(
        "this kernel has no fsopen(2) (ENOSYS)",
        assertResult(ProbeResult.NotProbed.class, report, "root.upper").reason());
  }

  @Test
  void withoutOverlay() throws Exception {
    Syscalls bare =
        new Refusing(
            sys,
            Errno.ENODEV,
            call -> call.name().equals("fsopen") && call.arguments().contains("overlay"));
    ProbeReport report = new Probe(bare, scratch.path()).run();
    assertEquals(
        Optional.of(Errno.ENODEV),
        assertResult(ProbeResult.No.class, report, "overlay.mount").errno());
    assertEquals(Optional.of("vfs"), report.driver().name());
  }

  @Test
  @Tag("kernel")
  void beneathChroot() throws Exception {
    Syscalls chrooted =
        new Refusing(
            sys,
            Errno.EINVAL,
            call -> call.name().equals("mount") && call.arguments().contains("\"/\""));
    assertYes(new Probe(chrooted, scratch.path()).run(), "overlay.mount", "overlay.max_lowers");
    assertFalse(java.nio.file.Files.readString(Path.of("/proc/self/mountinfo")).isEmpty());
  }

  // ---- nothing left behind --------------------------------------------------------------------

  @Test
  void leavesNothing() throws Exception {
    probe();
    Leaks leaks = Leaks.withThreads(scratch.path());
    Map<String, Long> mounts = mountsByPoint();
    probe();
    assertEquals(mounts, mountsByPoint());
    leaks.assertNone();
    assertEquals(List.of(), files.list(scratch.path()));
    assertEquals(List.of(), strayThreads());
  }

  /** How many mounts there are on what the probe mounts on, each in its own namespace. */
  private static Map<String, Long> mountsByPoint() throws IOException {
    Map<String, Long> counts = new TreeMap<>();
    for (String line : java.nio.file.Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
      String point = line.split(" ", 6)[4];
      if (point.equals("/") || point.equals("/proc")) {
        counts.merge(point, 1L, Long::sum);
      }
    }
    return counts;
  }

  /** Threads that have not the process's mount namespace or directory. */
  private List<String> strayThreads() throws Exception {
    List<String> stray = new ArrayList<>();
    for (String link : List.of("ns/mnt", "cwd")) {
      OsPath own = sys.readlinkat(Linux.AT_FDCWD, OsPath.of("/proc/self/" + link));
      try (Stream<Path> tasks = java.nio.file.Files.list(Path.of("/proc/self/task"))) {
        for (Path task : tasks.toList()) {
          OsPath path = OsPath.of(task + "/" + link);
          if (!files.readLink(path).orElse(own).equals(own)) {
            stray.add(path + " " + files.readLink(path));
          }
        }
      }
    }
    return stray;
  }

  /** All calls but the 501 that make the lowers of the largest mount, which are alike. */
  @Test
  void leavesNothingWhereverACallFails() throws Exception {
    Predicate<String> counted = name -> !name.equals("mkdirat");
    FaultInjector counting = new FaultInjector(sys, counted);
    new Probe(counting, scratch.path()).run();
    int calls = counting.calls().size();
    assertTrue(calls > 100, () -> calls + " calls");
    for (int n = 1; n <= calls; n++) {
      assertNothingLeft(new FaultInjector(sys, counted).failAt(n, Errno.EINVAL));
    }
  }

  @Test
  void leavesNothingWhereADirectoryCannotBeMade() throws Exception {
    FaultInjector counting = new FaultInjector(sys, "mkdirat"::equals);
    new Probe(counting, scratch.path()).run();
    int calls = counting.calls().size();
    for (int n = Math.max(1, calls - 5); n <= calls; n++) {
      assertNothingLeft(new FaultInjector(sys, "mkdirat"::equals).failAt(n, Errno.ENOSPC));
    }
  }

  private void assertNothingLeft(FaultInjector faulty) throws ErrnoException {
    Leaks leaks = Leaks.beneath(scratch.path());
    try {
      new Probe(faulty, scratch.path()).run();
    } catch (ErrnoException e) {
      assertTrue(faulty.struck().isPresent(), e::toString);
    }
    String fault = faulty.struck().map(Object::toString).orElse("no fault");
    assertEquals(List.of(), leaks.extra(), fault);
    assertEquals(List.of(), files.list(scratch.path()), fault);
  }

  // ---- JSON -----------------------------------------------------------------------------------

  @Test
  void jsonHasStableKeys() throws Exception {
    ProbeReport report = probe();
    JsonFields read = new Json().readObject(new Json().writePretty(report.json()));
    assertEquals(report.kernel(), read.string("kernel"));
    Map<String, Object> json = report.json();
    assertEquals(List.of("kernel", "features", "driver", "root"), List.copyOf(json.keySet()));
    Map<?, ?> feature = (Map<?, ?>) ((List<?>) json.get("features")).getFirst();
    assertEquals(
        List.of("key", "title", "group", "result", "detail", "errno"),
        List.copyOf(feature.keySet()));
    assertEquals("overlay.mount", feature.get("key"));
    assertEquals("overlay", feature.get("group"));
    assertEquals("yes", feature.get("result"));
    Map<?, ?> driver = (Map<?, ?>) json.get("driver");
    assertEquals(List.of("name", "why", "candidates"), List.copyOf(driver.keySet()));
    Map<?, ?> root = (Map<?, ?>) json.get("root");
    assertEquals(scratch.path().toString(), root.get("path"));
    assertEquals(
        List.of("path", "probedAt", "type", "bytes", "bytesAvailable", "inodes", "inodesFree"),
        List.copyOf(root.keySet()));
  }
}
