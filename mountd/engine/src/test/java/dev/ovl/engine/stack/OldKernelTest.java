package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.StatMount;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Trees;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Stacks on kernels that lack what the present one has: it is asked, and answers as they would.
 * What older kernels do otherwise with calls that they have is not shown here.
 */
class OldKernelTest {
  private static final Optional<OsPath> ANYWHERE = Optional.empty();
  private static final int ATTEMPTS = 20;

  @RegisterExtension final StackLab lab = new StackLab();

  // ---- the kernels --------------------------------------------------------------------------

  /** What statmount(2) and listmount(2) tell. */
  private enum Statmount {
    ABSENT,
    /** Neither options nor source (6.8). */
    NO_TEXTS,
    /** No source (6.11). */
    NO_SOURCE,
    ALL
  }

  /** What fsconfig(2) makes of {@code lowerdir+}. */
  private enum Layers {
    /** There is no fsopen(2) and nothing that came with it. */
    NO_CONTEXT,
    /** Any parameter is kept as text; it is refused by FSCONFIG_CMD_CREATE. */
    TEXT,
    /** It is refused at once (6.5). */
    UNKNOWN,
    /** A path, not a descriptor (6.7). */
    PATH,
    DESCRIPTOR
  }

  /** Kernels by what they lack. */
  enum Kernel {
    V5_10_WITHOUT_FSOPEN(Statmount.ABSENT, false, Layers.NO_CONTEXT, Optional.empty()),
    V6_1(Statmount.ABSENT, false, Layers.TEXT, Optional.empty()),
    /** As on arm64, which never had ustat(2). */
    V6_1_WITHOUT_USTAT(Statmount.ABSENT, false, Layers.TEXT, Optional.of(Errno.ENOSYS)),
    V6_6(Statmount.ABSENT, false, Layers.UNKNOWN, Optional.empty()),
    V6_8(Statmount.NO_TEXTS, false, Layers.PATH, Optional.empty()),
    V6_12(Statmount.NO_SOURCE, true, Layers.PATH, Optional.empty()),
    /** Behind the system call filter of a container, as systemd-nspawn sets one up. */
    WITH_A_FILTER(Statmount.ALL, true, Layers.DESCRIPTOR, Optional.of(Errno.EPERM));

    private final Statmount statmount;
    private final boolean steps;
    private final Layers layers;
    private final Optional<Errno> ustat;

    /**
     * @param steps whether it goes from one mount namespace to the next (NS_MNT_GET_NEXT)
     * @param ustat what ustat(2) fails with; empty when it answers
     */
    Kernel(Statmount statmount, boolean steps, Layers layers, Optional<Errno> ustat) {
      this.statmount = statmount;
      this.steps = steps;
      this.layers = layers;
      this.ustat = ustat;
    }

    /** Ids by which ovl can go. */
    boolean uniqueIds() {
      return statmount == Statmount.ALL;
    }

    boolean knowsLowerdirPlus() {
      return layers == Layers.PATH || layers == Layers.DESCRIPTOR;
    }

    List<MountMethod> methods() {
      return Arrays.stream(MountMethod.values())
          .filter(method -> method != MountMethod.LOWERDIR_PLUS || knowsLowerdirPlus())
          .toList();
    }

    /** For more lowers than a page holds names of. */
    MountMethod methodForMany() {
      return knowsLowerdirPlus() ? MountMethod.LOWERDIR_PLUS : MountMethod.FD;
    }

    /** For more lowers than one overlay takes. */
    MountMethod methodForFolding() {
      return layers == Layers.DESCRIPTOR ? MountMethod.LOWERDIR_PLUS : MountMethod.FD;
    }
  }

  /** The present kernel without what a {@link Kernel} lacks. */
  private final class OldKernel extends ObservedSyscalls {
    private final Kernel kernel;
    private final Set<String> absent = new TreeSet<>();

    /** Descriptors of contexts that hold a parameter which FSCONFIG_CMD_CREATE will refuse. */
    private final Set<Integer> spoiled = ConcurrentHashMap.newKeySet();

    /** A mount that listmount(2) still tells of. */
    private OptionalLong ended = OptionalLong.empty();

    /** Where folded mounts were attached. */
    private final List<OsPath> folded = new CopyOnWriteArrayList<>();

    OldKernel(Kernel kernel) {
      super(lab.sys);
      this.kernel = kernel;
      if (kernel.statmount == Statmount.ABSENT) {
        absent.addAll(List.of("statmount", "listmount"));
      }
      if (kernel.layers == Layers.NO_CONTEXT) {
        absent.addAll(
            List.of(
                "fsopen",
                "fsconfig",
                "fsmount",
                "fspick",
                "open_tree",
                "move_mount",
                "mount_setattr"));
      }
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      if (absent.contains(invocation.name())) {
        throw invocation.failure(Errno.ENOSYS);
      }
      if (kernel.ustat.isPresent() && invocation.name().equals("ustat")) {
        throw invocation.failure(kernel.ustat.get());
      }
      return invocation.perform();
    }

    /** An unknown bit is ignored, and the old id always given. */
    @Override
    public Statx statx(int dirfd, OsPath path, int flags, int mask) throws ErrnoException {
      boolean unique = kernel.statmount != Statmount.ABSENT;
      int known = unique ? mask : (mask & ~Linux.STATX_MNT_ID_UNIQUE) | Linux.STATX_MNT_ID;
      return super.statx(dirfd, path, flags, known);
    }

    @Override
    public StatMount statmount(long mountId, long namespaceId, long mask) throws ErrnoException {
      long unknown =
          switch (kernel.statmount) {
            case NO_TEXTS -> Linux.STATMOUNT_MNT_OPTS | Linux.STATMOUNT_SB_SOURCE;
            case NO_SOURCE -> Linux.STATMOUNT_SB_SOURCE;
            case ABSENT, ALL -> 0;
          };
      return super.statmount(mountId, namespaceId, mask & ~unknown);
    }

    /** Also lists one that has ended by the time it is asked about. */
    @Override
    public long[] listmount(long mountId, long namespaceId, long lastId, int limit)
        throws ErrnoException {
      long[] ids = super.listmount(mountId, namespaceId, lastId, limit);
      return LongStream.concat(ended.stream(), Arrays.stream(ids)).toArray();
    }

    @Override
    public int ioctl(int fd, long request, ByteBuffer argument) throws ErrnoException {
      boolean stepping =
          request == Linux.NS_MNT_GET_INFO
              || request == Linux.NS_MNT_GET_NEXT
              || request == Linux.NS_MNT_GET_PREV;
      if (stepping && !kernel.steps) {
        throw failure("ioctl", Errno.ENOTTY);
      }
      return super.ioctl(fd, request, argument);
    }

    @Override
    public int fsopen(String fstype, int flags) throws ErrnoException {
      int fd = super.fsopen(fstype, flags);
      spoiled.remove(fd);
      return fd;
    }

    @Override
    public void fsconfig(int fd, int command, String key, byte[] value, int aux)
        throws ErrnoException {
      if (command == Linux.FSCONFIG_SET_FD && kernel.layers == Layers.TEXT) {
        throw failure("fsconfig", Errno.EOPNOTSUPP);
      }
      if (command == Linux.FSCONFIG_SET_FD && kernel.layers != Layers.DESCRIPTOR) {
        // fs_parse: a string is wanted
        throw failure("fsconfig", Errno.EINVAL);
      }
      if (key.equals("lowerdir+") && kernel.layers == Layers.UNKNOWN) {
        throw failure("fsconfig", Errno.EINVAL);
      }
      if (key.equals("lowerdir+") && kernel.layers == Layers.TEXT) {
        spoiled.add(fd);
        return;
      }
      if (command == Linux.FSCONFIG_CMD_CREATE && spoiled.contains(fd)) {
        throw failure("fsconfig", Errno.EINVAL);
      }
      super.fsconfig(fd, command, key, value, aux);
    }

    private ErrnoException failure(String call, Errno errno) {
      return new ErrnoException(call, kernel::name, errno);
    }

    @Override
    public void mount(OsPath source, OsPath target, String fstype, long flags, byte[] data)
        throws ErrnoException {
      super.mount(source, target, fstype, flags, data);
      if (target.parent().equals(lab.run().resolve("nested")) && lab.mountsOn(target).size() == 1) {
        folded.add(target);
      }
    }
  }

  private OldKernel use(Kernel kernel) throws ErrnoException {
    if (kernel.knowsLowerdirPlus()) {
      lab.require(MountMethod.LOWERDIR_PLUS);
    }
    OldKernel old = new OldKernel(kernel);
    lab.runOn(old);
    return old;
  }

  static Stream<Arguments> methods() {
    return Arrays.stream(Kernel.values())
        .flatMap(kernel -> kernel.methods().stream().map(method -> Arguments.of(kernel, method)));
  }

  private static Errno errno(Executable call) {
    return assertThrows(ErrnoException.class, call).errno();
  }

  private static OsPath ownNamespace() {
    return OsPath.of("/proc/self/ns/mnt");
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void theStandInAnswersAsOneOfItsAge(Kernel kernel) throws Exception {
    Syscalls sys = use(kernel);
    boolean hasStatmount = kernel.statmount != Statmount.ABSENT;

    Statx root = sys.statx(Linux.AT_FDCWD, OsPath.ROOT, 0, Linux.STATX_MNT_ID_UNIQUE);
    assertEquals(hasStatmount, (root.mask() & Linux.STATX_MNT_ID_UNIQUE) != 0);
    assertEquals(!hasStatmount, (root.mask() & Linux.STATX_MNT_ID) != 0);
    if (hasStatmount) {
      long texts = Linux.STATMOUNT_MNT_OPTS | Linux.STATMOUNT_SB_SOURCE;
      StatMount mount = sys.statmount(root.mountId(), 0, Linux.STATMOUNT_MNT_BASIC | texts);
      assertEquals(root.mountId(), mount.id());
      assertEquals(
          switch (kernel.statmount) {
            case NO_TEXTS -> 0;
            case NO_SOURCE -> Linux.STATMOUNT_MNT_OPTS;
            default -> texts;
          },
          mount.mask() & texts);
    } else {
      assertEquals(Errno.ENOSYS, errno(() -> sys.statmount(root.mountId(), 0, 0)));
      assertEquals(Errno.ENOSYS, errno(() -> sys.listmount(Linux.LSMT_ROOT, 0, 0, 1)));
    }

    ByteBuffer info = ByteBuffer.allocateDirect(16).order(ByteOrder.nativeOrder()).putInt(0, 16);
    try (Fd own = new Fd(sys, sys.openat(Linux.AT_FDCWD, ownNamespace(), Linux.O_RDONLY, 0))) {
      if (kernel.steps) {
        sys.ioctl(own.number(), Linux.NS_MNT_GET_INFO, info);
      } else {
        assertEquals(
            Errno.ENOTTY, errno(() -> sys.ioctl(own.number(), Linux.NS_MNT_GET_NEXT, info)));
      }
    }
    Statx place = lab.stat(lab.path("."));
    if (kernel.ustat.isEmpty()) {
      assertTrue(sys.ustat(place.devMajor(), place.devMinor()));
    } else {
      assertEquals(kernel.ustat.get(), errno(() -> sys.ustat(place.devMajor(), place.devMinor())));
    }
    assertEquals(kernel.uniqueIds(), new MountTable(sys).uniqueIds());
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void theStandInTakesLayersAsOneOfItsAge(Kernel kernel) throws Exception {
    Syscalls sys = use(kernel);
    if (kernel.layers == Layers.NO_CONTEXT) {
      assertEquals(Errno.ENOSYS, errno(() -> sys.fsopen("overlay", 0)));
      return;
    }
    try (Fd context = new Fd(sys, sys.fsopen("overlay", Linux.FSOPEN_CLOEXEC));
        Fd layer = lab.files.openPath(lab.directory("layer"))) {
      int fd = context.number();
      Executable byDescriptor =
          () -> sys.fsconfig(fd, Linux.FSCONFIG_SET_FD, "lowerdir+", new byte[0], layer.number());
      Executable byPath =
          () ->
              sys.fsconfig(
                  fd, Linux.FSCONFIG_SET_STRING, "lowerdir+", OsPath.of("/none").bytes(), 0);
      Executable create = () -> sys.fsconfig(fd, Linux.FSCONFIG_CMD_CREATE, "", new byte[0], 0);
      switch (kernel.layers) {
        case TEXT -> {
          assertEquals(Errno.EOPNOTSUPP, errno(byDescriptor));
          sys.fsconfig(fd, Linux.FSCONFIG_SET_STRING, "lowerdir+", OsPath.of("/none").bytes(), 0);
          assertEquals(Errno.EINVAL, errno(create));
        }
        case UNKNOWN -> {
          assertEquals(Errno.EINVAL, errno(byDescriptor));
          assertEquals(Errno.EINVAL, errno(byPath));
        }
        case PATH -> {
          assertEquals(Errno.EINVAL, errno(byDescriptor));
          assertEquals(Errno.ENOENT, errno(byPath));
        }
        default -> {
          sys.fsconfig(fd, Linux.FSCONFIG_SET_FD, "lowerdir+", new byte[0], layer.number());
          assertEquals(Errno.ENOENT, errno(byPath));
        }
      }
    }
  }

  // ---- from create to rm --------------------------------------------------------------------

  /** The id of the only mount on a directory, as mountinfo has it. */
  private long oldId(OsPath point) throws ErrnoException {
    List<String> lines =
        lab.mountLines().stream().filter(line -> line.split(" ")[4].equals(point + "")).toList();
    assertEquals(1, lines.size(), lines::toString);
    return Long.parseLong(lines.get(0).split(" ")[0]);
  }

  private void assertState(Kernel kernel, OsPath merged) throws Exception {
    StackState state = lab.state("web");
    assertTrue(state instanceof StackState.Up, state::toString);
    MountEntry mount = state.mounted().orElseThrow();
    assertEquals(merged, mount.point());
    assertEquals(OsPath.of("ovl:web"), mount.source());
    assertEquals("overlay", mount.type());
    assertEquals(OsPath.ROOT, mount.root());
    Statx target = lab.stat(merged);
    assertEquals(new MountEntry.Device(target.devMajor(), target.devMinor()), mount.device());
    if (kernel.uniqueIds()) {
      assertTrue(mount.id() > Integer.MAX_VALUE, mount::toString);
    } else {
      assertEquals(oldId(merged), mount.id());
    }
  }

  @ParameterizedTest
  @MethodSource("methods")
  void aStackIsMountedAndUnmountedByEachMethod(Kernel kernel, MountMethod method) throws Exception {
    use(kernel);
    OsPath top = lab.layer("top", "both=top", "top=t", "gone=g");
    OsPath middle = lab.layer("middle", "both=middle", "middle=m");
    OsPath bottom = lab.layer("bottom", "both=bottom", "bottom=b");
    OsPath target = lab.directory("target");
    Trees.Snapshot layers = Trees.snapshotWithTimes(lab.path("layers"));
    lab.stack("first", top).create();
    lab.remove("first");
    Trees.Snapshot empty = Trees.snapshot(lab.root());
    List<String> mounts = lab.mountLines();

    for (Optional<OsPath> at : List.of(ANYWHERE, Optional.of(target))) {
      StackLab.Spec spec = lab.stack("web", top, middle, bottom).method(method);
      at.ifPresent(spec::at);
      spec.create();
      lab.assertDown("web");
      assertEquals(method, lab.report("web").method());

      OsPath merged = lab.up("web");

      assertEquals(at.orElse(merged), merged);
      assertEquals(List.of("both", "bottom", "gone", "middle", "top"), lab.names(merged));
      assertEquals("top", lab.read(merged.resolve("both")));
      assertEquals("m", lab.read(merged.resolve("middle")));
      assertEquals("b", lab.read(merged.resolve("bottom")));
      assertState(kernel, merged);
      StackReport report = lab.report("web");
      assertEquals(method, report.method());
      assertFalse(report.nested());
      assertEquals(merged, report.target());
      assertEquals(lab.state("web"), report.state());
      lab.write(merged.resolve("both"), "changed");
      lab.unlink(merged.resolve("gone"));
      assertEquals(merged, lab.up("web"));
      assertEquals(mounts.size() + 1, lab.mountLines().size(), "up twice is up once");
      lab.assertRefused(
          "is up on " + merged + "; 'down' it before you remove it (EBUSY)",
          () -> lab.remove("web"));

      lab.down("web");

      lab.assertDown("web");
      assertEquals(mounts, lab.mountLines());
      assertEquals(at.isPresent(), lab.exists(merged));
      lab.down("web");
      assertEquals(merged, lab.up("web"));
      assertEquals("changed", lab.read(merged.resolve("both")));
      assertEquals(List.of("both", "bottom", "middle", "top"), lab.names(merged));
      lab.down("web");
      lab.remove("web");
      Trees.assertSame(empty, Trees.snapshot(lab.root()));
      assertEquals(mounts, lab.mountLines());
      assertEquals(List.of(), lab.stacks().names());
    }
    Trees.assertSame(layers, Trees.snapshotWithTimes(lab.path("layers")));
  }

  @ParameterizedTest
  @MethodSource("methods")
  void aVolatileStackIsEndedCleanly(Kernel kernel, MountMethod method) throws Exception {
    use(kernel);
    OsPath merged =
        lab.stack("web", lab.layer("a", "file=1")).options("volatile").method(method).up();
    OsPath marker = lab.workOf("web").resolve("work/incompat/volatile");
    assertTrue(lab.exists(marker));
    lab.down("web");
    assertFalse(lab.exists(marker));
    assertEquals(merged, lab.up("web"));

    // nor is a mount that ended by other hands in the way
    lab.umount(merged);
    assertTrue(lab.exists(marker));
    lab.down("web");
    assertFalse(lab.exists(marker));
    assertEquals(merged, lab.up("web"));
  }

  @ParameterizedTest
  @MethodSource("methods")
  void aLostRunDirectoryLosesNothing(Kernel kernel, MountMethod method) throws Exception {
    use(kernel);
    OsPath lower = lab.layer("a", "file=1");
    lab.stack("own", lower).method(method).up();
    OsPath target = lab.directory("target");
    lab.stack("at", lower).at(target).method(method).up();
    lab.stack("ro", lower).readOnly().method(method).up();
    List<String> mounts = lab.mountLines();
    lab.files.removeTree(lab.run());

    for (String name : List.of("own", "at", "ro")) {
      lab.assertUp(name);
      lab.up(name);
    }
    assertEquals(mounts, lab.mountLines(), "nothing is mounted twice");
    for (String name : List.of("own", "at", "ro")) {
      lab.down(name);
      lab.assertDown(name);
      lab.remove(name);
    }
    assertEquals(List.of(), lab.mountsOn(target));
  }

  @ParameterizedTest
  @MethodSource("methods")
  void aNamesakeUnderAnotherRootIsAnother(Kernel kernel, MountMethod method) throws Exception {
    OldKernel old = use(kernel);
    OsPath lower = lab.layer("a", "file=1");
    StackName web = StackLab.name("web");
    Stacks other = lab.stacks(old, lab.path("root2"), lab.run());
    OsPath merged = lab.stack("web", lower).method(method).up();
    other.create(lab.stack("web", lower).method(method).request());
    assertEquals(new StackState.Down(), other.state(web));
    OsPath theirs = other.up(web, false);
    lab.write(merged.resolve("file"), "one");
    lab.write(theirs.resolve("file"), "two");

    lab.down("web");

    lab.assertDown("web");
    assertTrue(other.state(web) instanceof StackState.Up);
    assertEquals("two", lab.read(theirs.resolve("file")));
    assertEquals("one", lab.read(lab.up("web").resolve("file")));
    other.down(web, false);
    lab.assertUp("web");
    other.remove(web, false);
    lab.down("web");
    lab.remove("web");
  }

  // ---- few lowers and many ------------------------------------------------------------------

  /** Layer i holds {@code f<i>} and {@code same}, both with i as content. */
  private List<OsPath> layers(String prefix, int count) throws Exception {
    List<OsPath> layers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String number = String.valueOf(i);
      String name = prefix.isEmpty() ? number : prefix.substring(number.length()) + number;
      layers.add(lab.layer(name, "f" + i + "=" + i, "same=" + i));
    }
    return layers;
  }

  private void assertComplete(OsPath merged, int count) throws Exception {
    TreeSet<String> expected = new TreeSet<>();
    IntStream.range(0, count).forEach(i -> expected.add("f" + i));
    expected.add("same");
    assertEquals(expected, new TreeSet<>(lab.names(merged)));
    assertEquals("0", lab.read(merged.resolve("same")));
    for (int i = 0; i < count; i += 7) {
      assertEquals(String.valueOf(i), lab.read(merged.resolve("f" + i)));
    }
    OsPath deepest = merged.resolve("f" + (count - 1));
    lab.append(deepest, "+");
    assertEquals(count - 1 + "+", lab.read(deepest));
  }

  private static List<String> texts(List<OsPath> paths) {
    return paths.stream().map(OsPath::toString).toList();
  }

  /** That the mount shows its lowers as the method names them. */
  private void assertShown(MountMethod method, OsPath merged, List<OsPath> layers)
      throws Exception {
    StackLab.Line line = lab.mountOn(merged);
    if (method == MountMethod.LOWERDIR_PLUS) {
      assertEquals(texts(layers), line.values("lowerdir+"));
      return;
    }
    List<String> shown = List.of(line.values("lowerdir").get(0).split(":"));
    assertEquals(layers.size(), shown.size());
    switch (method) {
      case CLASSIC -> assertEquals(texts(layers), shown);
      case RELATIVE -> assertTrue(shown.stream().allMatch(s -> s.matches("l/[A-Z2-7]{26}")));
      default -> assertTrue(shown.stream().allMatch(s -> s.matches("\\d+")), shown::toString);
    }
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void theMethodIsChosenByWhatFits(Kernel kernel) throws Exception {
    use(kernel);
    List<OsPath> layers = layers("0123456789abcdef".repeat(4), 500);
    List<MountMethod> expected =
        List.of(
            MountMethod.CLASSIC,
            MountMethod.RELATIVE,
            kernel.methodForMany(),
            kernel.methodForMany());
    List<Integer> counts = List.of(20, 135, 136, 500);
    for (int i = 0; i < counts.size(); i++) {
      List<OsPath> some = layers.subList(0, counts.get(i));
      OsPath merged = lab.stack("web", some).compat().up();
      assertEquals(expected.get(i), lab.report("web").method());
      assertFalse(lab.report("web").nested());
      assertShown(expected.get(i), merged, some);
      assertComplete(merged, some.size());
      assertState(kernel, merged);
      lab.down("web");
      lab.assertDown("web");
      lab.remove("web");
    }
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void fiveHundredLowersByEachMethod(Kernel kernel) throws Exception {
    use(kernel);
    List<OsPath> layers = layers("", 500);
    lab.stack("other", layers.get(0)).create();
    for (MountMethod method : kernel.methods()) {
      if (method == MountMethod.CLASSIC || method == MountMethod.RELATIVE) {
        EngineException refused =
            lab.refusal(() -> lab.stack("web", layers).method(method).create());
        String pattern =
            "method "
                + method.word()
                + " is not possible: the options take \\d+ bytes, a page holds 4095";
        assertTrue(refused.getMessage().matches(pattern), refused.getMessage());
        continue;
      }
      OsPath merged = lab.stack("web", layers).method(method).up();
      assertFalse(lab.report("web").nested());
      assertShown(method, merged, layers);
      assertComplete(merged, 500);
      lab.down("web");
      lab.remove("web");
    }
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void methodsThatTheKernelLacksAreRefused(Kernel kernel) throws Exception {
    use(kernel);
    MountMethod method = MountMethod.LOWERDIR_PLUS;
    List<OsPath> layers = layers("", 501);
    lab.stack("other", layers.get(0)).create();
    if (!kernel.knowsLowerdirPlus()) {
      lab.assertRefused(
          "method lowerdir+ is not possible: this kernel does not know lowerdir+",
          () -> lab.stack("web", layers.get(0)).method(method).create());
    } else if (kernel.layers == Layers.PATH) {
      lab.assertRefused(
          "method lowerdir+ is not possible: this kernel takes no layers by descriptor",
          () -> lab.stack("web", layers).method(method).create());
    } else {
      lab.stack("web", layers).method(method).create();
    }
  }

  static Stream<Arguments> folded() {
    return Arrays.stream(Kernel.values())
        .flatMap(kernel -> Stream.of(501, 999).map(count -> Arguments.of(kernel, count)));
  }

  @ParameterizedTest
  @MethodSource("folded")
  void moreThan500AreFolded(Kernel kernel, int count) throws Exception {
    OldKernel old = use(kernel);
    List<OsPath> layers = layers("", count);
    int before = lab.mountLines().size();
    Optional<MountMethod> chosen = Optional.empty();
    for (Optional<MountMethod> method : List.of(chosen, Optional.of(MountMethod.FD))) {
      old.folded.clear();
      StackLab.Spec spec = lab.stack("many", layers);
      if (method.isPresent()) {
        spec.method(method.get());
      }
      OsPath merged = spec.up();

      MountMethod expected = method.orElse(kernel.methodForFolding());
      StackReport report = lab.report("many");
      assertEquals(expected, report.method());
      assertTrue(report.nested());
      if (expected == MountMethod.FD) {
        assertEquals(1, old.folded.size(), "attached for a moment");
        String name = old.folded.get(0).fileName().toString();
        assertTrue(name.matches(ProcessHandle.current().pid() + "-\\d+"), name);
        assertFalse(lab.exists(old.folded.get(0)));
      } else {
        assertEquals(List.of(), old.folded);
      }
      assertEquals(before + 1, lab.mountLines().size(), "the folded mount is not to be seen");
      assertEquals(List.of(), lab.names(lab.run().resolve("nested")));
      assertComplete(merged, count);

      lab.down("many");
      assertEquals(before, lab.mountLines().size());
      lab.assertDown("many");
      OsPath deepest = lab.up("many").resolve("f" + (count - 1));
      assertEquals(count - 1 + "+", lab.read(deepest));
      lab.down("many");
      lab.remove("many");
    }
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void aThousandAreRefused(Kernel kernel) throws Exception {
    use(kernel);
    List<OsPath> layers = layers("", 1000);
    lab.stack("other", layers.get(0)).create();
    lab.assertRefused(
        "1000 lowers are too many: the kernel takes 500 in one overlay and ovl folds the bottom 500"
            + " into one, which makes 999; a second folded group could not hide the first one's"
            + " deleted files (E2BIG)",
        () -> lab.stack("many", layers).create());
  }

  @ParameterizedTest
  @MethodSource("methods")
  void longAndOddPathsAreReached(Kernel kernel, MountMethod method) throws Exception {
    use(kernel);
    OsPath far = lab.layer("x".repeat(200) + "/" + "y".repeat(200), "far=1");
    OsPath odd = lab.layer("back\\slash", "odd=2");
    OsPath colon = lab.layer("co:lon,comma", "colon=3");
    OsPath upper = lab.directory("up\\per");
    OsPath work = lab.directory("z".repeat(200) + "/" + "work".repeat(40));
    OsPath mine = lab.directory(work.parent().resolve("upper".repeat(30)));
    OsPath near = lab.directory("wo\\rk");
    lab.stack("far", far, odd, colon).upper(mine, work).at(lab.directory("a")).method(method).up();
    OsPath merged =
        lab.stack("web", far, odd, colon)
            .upper(upper, near)
            .at(lab.directory("b"))
            .method(method)
            .up();

    assertEquals(List.of("colon", "far", "odd"), lab.names(merged));
    lab.write(merged.resolve("odd"), "changed");
    assertEquals("changed", lab.read(upper.resolve("odd")));
    lab.assertUp("far");
    assertState(kernel, merged);
    for (String name : List.of("far", "web")) {
      lab.down(name);
      lab.assertDown(name);
      lab.up(name);
      lab.down(name);
      lab.remove(name);
    }
  }

  // ---- states -------------------------------------------------------------------------------

  private void move(OsPath from, OsPath to) throws ErrnoException {
    int tree = lab.sys.open_tree(Linux.AT_FDCWD, from, Linux.OPEN_TREE_CLOEXEC);
    try (Fd mount = new Fd(lab.sys, tree)) {
      lab.sys.move_mount(
          mount.number(), OsPath.EMPTY, Linux.AT_FDCWD, to, Linux.MOVE_MOUNT_F_EMPTY_PATH);
    }
  }

  @ParameterizedTest
  @MethodSource("methods")
  void coveredAndUnmountedByHand(Kernel kernel, MountMethod method) throws Exception {
    OldKernel old = use(kernel);
    OsPath merged = lab.stack("web", lab.layer("a", "file=1")).method(method).up();
    long id = lab.state("web").mounted().orElseThrow().id();
    lab.mountTmpfs(merged);
    String remark = "covered by a mount of tmpfs (ovl-test) on the same directory";

    // by its record, and by one who has none
    for (Stacks stacks : List.of(lab.stacks(), lab.stacks(old, lab.root(), lab.path("none")))) {
      StackState state = stacks.state(StackLab.name("web"));
      assertTrue(state instanceof StackState.Covered, state::toString);
      assertEquals(Optional.of(remark), state.remark());
      assertEquals(id, state.mounted().orElseThrow().id());
      assertEquals("tmpfs", ((StackState.Covered) state).by().type());
    }
    lab.assertRefused("is mounted but " + remark, () -> lab.up("web"));
    String message = "is " + remark + ": unmount that first (EBUSY)";
    lab.assertRefused(message, () -> lab.down("web"));
    lab.assertRefused(message, () -> lab.downLazily("web"));
    lab.assertRefused(
        "is up on " + merged + "; 'down' it before you remove it (EBUSY)", () -> lab.remove("web"));

    lab.umount(merged);
    lab.assertUp("web");
    lab.umount(merged);
    lab.assertDown("web");
    assertEquals(merged, lab.up("web"));
    lab.umount(merged);
    lab.down("web");
    lab.remove("web");
  }

  /**
   * After fd the upper is shown as a number, so that a mount is known by its record, if its id is
   * unique, and else by its place.
   */
  @ParameterizedTest
  @MethodSource("methods")
  void movedByHand(Kernel kernel, MountMethod method) throws Exception {
    OldKernel old = use(kernel);
    OsPath merged = lab.stack("web", lab.layer("a", "file=1")).method(method).up();
    OsPath away = lab.directory("moved away");
    move(merged, away);
    List<Stacks> known = new ArrayList<>();
    List<Stacks> unknown = new ArrayList<>();
    (kernel.uniqueIds() || method != MountMethod.FD ? known : unknown).add(lab.stacks());
    (method != MountMethod.FD ? known : unknown).add(lab.stacks(old, lab.root(), lab.path("none")));
    StackName web = StackLab.name("web");

    for (Stacks stacks : known) {
      StackState state = stacks.state(web);
      assertTrue(state instanceof StackState.Moved, state::toString);
      assertEquals(away, state.mounted().orElseThrow().point());
      assertEquals(Optional.of("moved by hand to " + away.quoted()), state.remark());
      lab.assertRefused(
          "is mounted but moved by hand to " + away.quoted(), () -> stacks.up(web, false));
      lab.assertRefused(
          "is up on " + away.quoted() + "; 'down' it before you remove it (EBUSY)",
          () -> stacks.remove(web, false));
    }
    for (Stacks stacks : unknown) {
      assertEquals(new StackState.Down(), stacks.state(web));
      if (kernel.layers != Layers.NO_CONTEXT) {
        String message =
            "upper or work is in use by another overlay: ovl:web on " + away.quoted() + " (EBUSY)";
        lab.assertRefused(message, () -> stacks.up(web, false));
        lab.assertRefused(message, () -> stacks.remove(web, false));
      }
    }
    if (unknown.contains(lab.stacks())) {
      lab.umount(away);
    }
    lab.down("web");

    assertEquals(List.of(), lab.mountsOn(away));
    lab.assertDown("web");
    assertEquals(merged, lab.up("web"));
    lab.down("web");
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void aMountThatEndsWhileItIsLookedAtChangesNothing(Kernel kernel) throws Exception {
    OldKernel old = use(kernel);
    OsPath merged = lab.stack("web", lab.layer("a", "file=1")).up();
    OsPath brief = lab.directory("brief");
    lab.mountTmpfs(brief);
    Statx stat = lab.sys.statx(Linux.AT_FDCWD, brief, 0, Linux.STATX_MNT_ID_UNIQUE);
    lab.umount(brief);
    old.ended = OptionalLong.of(stat.mountId());

    Stacks fresh = lab.stacks(old, lab.root(), lab.run());
    assertEquals(merged, fresh.state(StackLab.name("web")).mounted().orElseThrow().point());
    assertTrue(fresh.state(StackLab.name("web")) instanceof StackState.Up);
    assertEquals(kernel.uniqueIds(), new MountTable(old).uniqueIds());
  }

  // ---- others on the same upper -------------------------------------------------------------

  private void run(String... command) throws Exception {
    Process child = lab.start(ANYWHERE, command);
    assertTrue(child.waitFor(10, TimeUnit.SECONDS), "it does not end");
    assertEquals(0, child.exitValue(), () -> String.join(" ", command));
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void aForeignMountOnTheSameUpper(Kernel kernel) throws Exception {
    use(kernel);
    OsPath lower = lab.layer("a", "file=1");
    OsPath upper = lab.directory("upper");
    OsPath work = lab.directory("work");
    OsPath target = lab.directory("target");
    lab.stack("web", lower).upper(upper, work).create();
    String data = "lowerdir=" + lower + ",upperdir=" + upper + ",workdir=" + work;
    lab.sys.mount(OsPath.of("foreign"), target, "overlay", 0, OsPath.encode(data));
    String message =
        "upper or work is in use by another overlay: foreign on " + target + " (EBUSY)";

    lab.assertRefused(message, () -> lab.up("web"));
    lab.remove("web");
    OsPath another = lab.directory("another");
    lab.assertRefused(message, () -> lab.stack("web", lower).upper(upper, another).create());
    lab.assertRefused(message, () -> lab.stack("web", lower).upper(another, work).create());

    lab.umount(target);
    lab.stack("web", lower).upper(upper, work).up();
  }

  @ParameterizedTest
  @MethodSource("methods")
  void anUpperGivenToAStackOfAnotherRoot(Kernel kernel, MountMethod method) throws Exception {
    OldKernel old = use(kernel);
    OsPath lower = lab.layer("a", "file=1");
    OsPath upper = lab.directory("up\\per/" + "x".repeat(200) + "/" + "y".repeat(100));
    OsPath work = lab.directory("work");
    Stacks other = lab.stacks(old, lab.path("root2"), lab.run());
    StackName theirs = StackLab.name("theirs");
    lab.stack("web", lower).upper(upper, work).create();
    other.create(lab.stack("theirs", lower).upper(upper, work).method(method).request());
    OsPath target = other.up(theirs, false);

    if (kernel.layers == Layers.NO_CONTEXT && method == MountMethod.FD) {
      // who cannot be asked does not tell
      lab.up("web");
      lab.down("web");
    } else {
      lab.assertRefused(
          "upper or work is in use by another overlay: ovl:theirs on " + target + " (EBUSY)",
          () -> lab.up("web"));
    }
    other.down(theirs, false);
    lab.up("web");
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void aMissingUpperIsToldThoughAMountHidesItsOwn(Kernel kernel) throws Exception {
    use(kernel);
    OsPath lower = lab.layer("a", "file=1");
    OsPath upper = lab.directory("upper");
    lab.stack("numbers", lower).method(MountMethod.FD).up();
    lab.stack("web", lower).upper(upper, lab.directory("work")).create();
    lab.files.rmdir(upper);
    lab.assertRefused("upper does not exist: " + upper + " (ENOENT)", () -> lab.up("web"));
    lab.write(upper, "x");
    lab.assertRefused("upper is not a directory: " + upper + " (ENOTDIR)", () -> lab.up("web"));
    lab.unlink(upper);
    lab.directory(upper);
    lab.up("web");
  }

  /** Mounts {@code foreign} with the upper and work in a directory, named as seen from there. */
  private void mountHidingUpper(OsPath lower, OsPath directory, OsPath target) throws Exception {
    run(
        "sh",
        "-c",
        "cd \"$1\" && exec mount -i -t overlay -o lowerdir=\"$2\",upperdir=upper,workdir=work"
            + " foreign \"$3\"",
        "sh",
        directory.toString(),
        lower.toString(),
        target.toString());
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void theMountThatShowsItsUpperIsNamedBeforeOneThatHidesIts(Kernel kernel) throws Exception {
    use(kernel);
    OsPath lower = lab.layer("a", "file=1");
    OsPath hidden = lab.directory("hidden");
    lab.directory("hidden/upper");
    lab.directory("hidden/work");
    mountHidingUpper(lower, hidden, lab.directory("target"));
    OsPath upper = lab.directory("upper");
    OsPath work = lab.directory("work");
    lab.stack("owner", lower).upper(upper, work).up();
    OsPath merged = lab.report("owner").target();
    Stacks other = lab.stacks(lab.sys, lab.path("root2"), lab.path("run2"));
    StackRequest request = lab.stack("web", lower).upper(upper, lab.directory("third")).request();
    lab.assertRefused(
        "upper or work is in use by another overlay: ovl:owner on " + merged + " (EBUSY)",
        () -> other.create(request));
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void aForeignMountThatDoesNotShowItsUpper(Kernel kernel) throws Exception {
    use(kernel);
    OsPath lower = lab.layer("a", "file=1");
    OsPath upper = lab.directory("mine/upper");
    OsPath work = lab.directory("mine/work");
    OsPath target = lab.directory("target");
    lab.stack("web", lower).upper(upper, work).create();
    mountHidingUpper(lower, upper.parent(), target);
    assertEquals(List.of("upper"), lab.mountOn(target).values("upperdir"));

    if (kernel.layers == Layers.NO_CONTEXT) {
      // who cannot be asked does not tell
      lab.up("web");
      lab.down("web");
    } else {
      lab.assertRefused(
          "upper or work is in use by another overlay: foreign on " + target + " (EBUSY)",
          () -> lab.up("web"));
    }
    lab.umount(target);
    lab.up("web");
  }

  // ---- other mount namespaces ---------------------------------------------------------------

  private Process inNamespace(String propagation) throws Exception {
    return lab.sleeper(
        ANYWHERE, "unshare", "--mount", "--propagation", propagation, "sleep", "600");
  }

  private boolean isIn(Process child, OsPath merged) throws ErrnoException {
    String mounts = OsPath.decode(lab.readBytes(OsPath.of("/proc/" + child.pid() + "/mountinfo")));
    return mounts.lines().anyMatch(line -> line.contains(" " + merged + " "));
  }

  @ParameterizedTest
  @MethodSource("methods")
  void aCopyInAnotherNamespaceIsFoundAndNamed(Kernel kernel, MountMethod method) throws Exception {
    OldKernel old = use(kernel);
    OsPath merged = lab.stack("web", lab.layer("a", "file=1")).method(method).up();
    Process child = inNamespace("private");
    assertTrue(isIn(child, merged));
    String where =
        "ovl:web on "
            + merged
            + " in mount namespace "
            + lab.mountNamespace(child.pid())
            + " of pid "
            + child.pid()
            + " (sleep)";

    lab.assertRefused(
        "a copy would stay alive and keep upper and work in use: "
            + where
            + "; end it, or use --lazy to unmount here all the same (EBUSY)",
        () -> lab.down("web"));
    lab.assertUp("web");

    lab.downLazily("web");
    lab.assertDown("web");
    assertEquals(List.of(), lab.mountsOn(merged));
    assertTrue(isIn(child, merged));
    String alive = "a copy of its mount is still alive: " + where + " (EBUSY)";
    lab.assertRefused(alive, () -> lab.up("web"));
    lab.assertRefused(alive, () -> lab.remove("web"));
    lab.assertRefused(alive, () -> lab.stacks().remove(StackLab.name("web"), true));
    // also by one who has no record of it
    Stacks other = lab.stacks(old, lab.root(), lab.path("none"));
    lab.assertRefused(alive, () -> other.up(StackLab.name("web"), false));

    lab.kill(child);
    assertEquals(merged, lab.up("web"));
    lab.down("web");
    lab.remove("web");
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void aCopyThatFollowsGoesAway(Kernel kernel) throws Exception {
    use(kernel);
    OsPath parent = lab.directory("parent");
    lab.mountTmpfs(parent);
    lab.propagate(parent, Linux.MS_SHARED);
    OsPath target = lab.directory(parent.resolve("target"));
    lab.stack("web", lab.layer("a", "file=1")).at(target).up();
    Process child = inNamespace("slave");
    assertTrue(isIn(child, target));

    lab.down("web");

    lab.assertDown("web");
    assertFalse(isIn(child, target));
    lab.up("web");
    assertTrue(isIn(child, target), "and comes again");
    lab.down("web");
    lab.remove("web");
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void aBindMountHereIsACopyToo(Kernel kernel) throws Exception {
    use(kernel);
    OsPath merged = lab.stack("web", lab.layer("a", "file=1")).up();
    OsPath bound = lab.directory("bound");
    lab.bind(merged, bound);
    lab.assertRefused(
        "a copy would stay alive and keep upper and work in use: ovl:web on "
            + bound
            + "; end it, or use --lazy to unmount here all the same (EBUSY)",
        () -> lab.down("web"));
    lab.umount(bound);
    lab.down("web");
    lab.assertDown("web");
  }

  // ---- busy ---------------------------------------------------------------------------------

  private String user(Process child, String use, OsPath path) throws Exception {
    return "pid "
        + child.pid()
        + " (sleep, "
        + use
        + " "
        + path.quoted()
        + ", "
        + lab.mountNamespace(child.pid())
        + ")";
  }

  @ParameterizedTest
  @MethodSource("methods")
  void whoUsesTheMountIsNamed(Kernel kernel, MountMethod method) throws Exception {
    use(kernel);
    OsPath merged = lab.stack("web", lab.layer("a", "dir/file=1")).method(method).up();
    OsPath inside = merged.resolve("dir");
    OsPath file = inside.resolve("file");
    Process one = lab.sleeper(Optional.of(inside), "sleep", "600");
    Process two = lab.sleeper(ANYWHERE, "sh", "-c", "exec sleep 600 7<" + file);
    String first = user(one, "cwd", inside);
    String second = user(two, "fd 7", file);
    lab.assertRefused(
        merged
            + " is in use, by "
            + (one.pid() < two.pid() ? first + ", " + second : second + ", " + first)
            + " (EBUSY)",
        () -> lab.down("web"));
    lab.assertUp("web");
    lab.kill(one);
    lab.assertRefused(merged + " is in use, by " + second + " (EBUSY)", () -> lab.down("web"));
    lab.kill(two);

    lab.mountTmpfs(inside);
    lab.assertRefused(
        merged + " is in use, mounted inside it: " + inside + " (EBUSY)", () -> lab.down("web"));
    lab.umount(inside);
    lab.down("web");
    lab.assertDown("web");
  }

  // ---- detached -----------------------------------------------------------------------------

  @ParameterizedTest
  @MethodSource("methods")
  void aDetachedMountIsInTheWayAsLongAsItIsUsed(Kernel kernel, MountMethod method)
      throws Exception {
    use(kernel);
    OsPath merged = lab.stack("web", lab.layer("a", "file=1")).method(method).up();
    OsPath file = merged.resolve("file");
    Process child = lab.sleeper(ANYWHERE, "sh", "-c", "exec sleep 600 7<" + file);

    lab.downLazily("web");

    lab.assertDown("web");
    assertEquals(List.of(), lab.mountsOn(merged));
    OsPath shown = OsPath.of("/file");
    String message =
        "its earlier mount was detached but is still in use by "
            + user(child, "fd 7", shown)
            + " (EBUSY)";
    lab.assertRefused(message, () -> lab.up("web"));
    lab.assertRefused(message, () -> lab.remove("web"));
    // down again changes nothing
    lab.down("web");
    lab.assertRefused(message, () -> lab.up("web"));

    lab.kill(child);
    assertEquals(merged, lab.up("web"));
    lab.downLazily("web");
    assertEquals(merged, lab.up("web"), "without users it is gone at once");
    lab.down("web");
    lab.remove("web");
  }

  // ---- numbers that are given again ---------------------------------------------------------

  /** Makes mounts to which the kernel may give the number of one that is gone. */
  private interface Strangers {
    void come() throws Exception;
  }

  /**
   * Ends the mount by hand, and has its device number given to another. The kernel gives the lowest
   * free one, but somebody else on this machine may be faster, and an overlay's lowers have such
   * numbers without a file system of that number: then it is tried again.
   */
  private void giveNumberAgain(Strangers strangers) throws Exception {
    for (int attempt = 1; ; attempt++) {
      OsPath merged = lab.up("web");
      MountEntry.Device device = lab.state("web").mounted().orElseThrow().device();
      lab.umount(merged);
      strangers.come();
      if (lab.sys.ustat(device.major(), device.minor())) {
        return;
      }
      assertTrue(attempt < ATTEMPTS, "device number " + device + " is not given again");
    }
  }

  private void assertDownAndUpAgain() throws Exception {
    lab.assertDown("web");
    OsPath merged = lab.up("web");
    assertEquals("1", lab.read(merged.resolve("file")));
    lab.down("web");
    lab.remove("web");
    assertFalse(lab.exists(merged));
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void aNumberThatWasGivenAgainHereIsNotTheOldMount(Kernel kernel) throws Exception {
    use(kernel);
    lab.stack("web", lab.layer("a", "file=1")).create();
    OsPath strangers = lab.directory("strangers");
    giveNumberAgain(
        () -> {
          for (int i = 0; i < 8; i++) {
            lab.mountTmpfs(strangers);
          }
        });
    assertDownAndUpAgain();
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void numbersThatWereGivenAgainElsewhereAreNotTheOldMount(Kernel kernel) throws Exception {
    use(kernel);
    lab.stack("web", lab.layer("a", "file=1")).create();
    OsPath strangers = lab.directory("strangers");
    // as a container starts: copies get the free mount ids, new file systems the device numbers
    String script =
        "for i in 1 2 3 4 5 6 7 8; do mount -i -t tmpfs ovl-test \"$1\"; done; exec sleep 600";
    giveNumberAgain(
        () -> {
          Process child =
              lab.sleeper(
                  ANYWHERE,
                  "unshare",
                  "--mount",
                  "--propagation",
                  "private",
                  "sh",
                  "-c",
                  script,
                  "sh",
                  strangers.toString());
          assertTrue(isIn(child, strangers));
        });
    assertDownAndUpAgain();
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void anIdThatWasGivenAgainIsNotTheOldMount(Kernel kernel) throws Exception {
    use(kernel);
    lab.stack("web", lab.layer("a", "file=1")).create();
    OsPath stranger = lab.directory("stranger");
    for (int attempt = 1; ; attempt++) {
      OsPath merged = lab.up("web");
      long id = oldId(merged);
      lab.umount(merged);
      // bind mounts take an id and no device number
      for (int i = 0; i < 8 && oldIdInUse(stranger) != id; i++) {
        lab.bind(lab.path("layers"), stranger);
      }
      if (oldIdInUse(stranger) == id) {
        break;
      }
      assertTrue(attempt < ATTEMPTS, "mount id " + id + " is not given again");
    }
    lab.sleeper(Optional.of(stranger), "sleep", "600");
    assertDownAndUpAgain();
  }

  private long oldIdInUse(OsPath path) throws ErrnoException {
    return lab.sys.statx(Linux.AT_FDCWD, path, 0, Linux.STATX_MNT_ID).mountId();
  }
}
