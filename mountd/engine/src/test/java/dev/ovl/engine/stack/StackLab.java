package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.Propagation;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.function.Executable;

/**
 * What a test of stacks works with: a tmpfs of its own with a root, a run directory and layers; the
 * stacks of that root; child processes. When the test ends all of it is taken away, and a
 * descriptor that is still open is an error.
 */
final class StackLab implements BeforeEachCallback, AfterEachCallback {
  private static final long PATIENCE_MILLIS = 10_000;

  final Syscalls sys = new LinuxSyscalls();
  final Files files = new Files(sys);
  private final Scratch scratch = Scratch.tmpfs();
  private final List<Stacks> opened = new ArrayList<>();
  private final List<Process> children = new ArrayList<>();
  private Optional<Stacks> stacks = Optional.empty();
  private Optional<Leaks> leaks = Optional.empty();

  @Override
  public void beforeEach(ExtensionContext context) {
    Requires.overlay();
    scratch.path();
    leaks = Optional.of(Leaks.beneath(scratch.path()));
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    try (scratch) {
      endChildren();
      for (Stacks each : opened) {
        each.close();
      }
      if (context.getExecutionException().isEmpty()) {
        List<String> open =
            leaks.orElseThrow().extra().stream().filter(line -> line.startsWith("fd ")).toList();
        assertEquals(List.of(), open, "descriptors left open");
        assertEquals(List.of(), files.list(run().resolve("nested")), "left in nested");
      }
    }
  }

  private void endChildren() throws InterruptedException {
    for (Process child : children) {
      child.destroyForcibly();
    }
    for (Process child : children) {
      assertTrue(child.waitFor(PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "child does not end");
    }
  }

  // ---- places -------------------------------------------------------------------------------

  OsPath path(String name) {
    return scratch.resolve(name);
  }

  /** Whether a path lies beneath the scratch directory. */
  boolean isInside(OsPath path) {
    return path.startsWith(scratch.path());
  }

  OsPath root() {
    return path("root");
  }

  OsPath run() {
    return path("run");
  }

  /** A directory, made with its parents. */
  OsPath directory(String name) throws ErrnoException {
    return directory(path(name));
  }

  OsPath directory(OsPath path) throws ErrnoException {
    files.mkdirs(path, 0755);
    return path;
  }

  /** A directory beneath {@code layers} with some files, each given as {@code path=content}. */
  OsPath layer(String name, String... content) throws ErrnoException {
    OsPath layer = directory("layers/" + name);
    for (String file : content) {
      int equals = file.indexOf('=');
      write(layer.resolve(file.substring(0, equals)), file.substring(equals + 1));
    }
    return layer;
  }

  /** Writes a file from its beginning, making it and its directory where they are missing. */
  void write(OsPath path, String text) throws ErrnoException {
    write(path, text.getBytes(StandardCharsets.UTF_8));
  }

  void write(OsPath path, byte[] content) throws ErrnoException {
    if (files.lstat(path.parent()).isEmpty()) {
      files.mkdirs(path.parent(), 0755);
    }
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_TRUNC;
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, path, flags, 0644))) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(content.length).put(content).flip();
      while (buffer.hasRemaining()) {
        sys.write(fd.number(), buffer);
      }
    }
  }

  void append(OsPath path, String text) throws ErrnoException {
    int flags = Linux.O_WRONLY;
    byte[] content = text.getBytes(StandardCharsets.UTF_8);
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, path, flags, 0))) {
      sys.lseek(fd.number(), 0, Linux.SEEK_END);
      sys.write(fd.number(), ByteBuffer.allocateDirect(content.length).put(content).flip());
    }
  }

  String read(OsPath path) throws ErrnoException {
    return new String(readBytes(path), StandardCharsets.UTF_8);
  }

  byte[] readBytes(OsPath path) throws ErrnoException {
    return files.read(path).orElseThrow(() -> new AssertionError("missing: " + path.quoted()));
  }

  boolean exists(OsPath path) throws ErrnoException {
    return files.lstat(path).isPresent();
  }

  List<String> names(OsPath directory) throws ErrnoException {
    return files.list(directory).stream().map(OsPath::toString).toList();
  }

  Statx stat(OsPath path) throws ErrnoException {
    return files.lstat(path).orElseThrow(() -> new AssertionError("missing: " + path.quoted()));
  }

  void unlink(OsPath path) throws ErrnoException {
    sys.unlinkat(Linux.AT_FDCWD, path, 0);
  }

  void whiteout(OsPath path) throws ErrnoException {
    sys.mknodat(Linux.AT_FDCWD, path, Linux.S_IFCHR | 0644, 0, 0);
  }

  void opaque(OsPath directory) throws ErrnoException {
    sys.setxattr(directory, "trusted.overlay.opaque", new byte[] {'y'}, 0, true);
  }

  Optional<String> attribute(OsPath path, String name) throws ErrnoException {
    return sys.getxattr(path, name, false).map(v -> new String(v, StandardCharsets.UTF_8));
  }

  // ---- stacks -------------------------------------------------------------------------------

  /** The stacks of {@link #root}. */
  Stacks stacks() {
    if (stacks.isEmpty()) {
      stacks = Optional.of(stacks(sys, root(), run()));
    }
    return stacks.get();
  }

  /** From now on the stacks of {@link #root} ask these. */
  void runOn(Syscalls syscalls) {
    stacks = Optional.of(stacks(syscalls, root(), run()));
  }

  /** Stacks that are closed when the test ends. */
  Stacks stacks(Syscalls syscalls, OsPath root, OsPath run) {
    Stacks made = new Stacks(syscalls, root, run);
    opened.add(made);
    return made;
  }

  static StackName name(String text) throws EngineException {
    return StackName.of(text);
  }

  /** A stack to be defined, read-write unless told otherwise. */
  Spec stack(String name, OsPath... lowers) {
    return new Spec(name, List.of(lowers));
  }

  Spec stack(String name, List<OsPath> lowers) {
    return new Spec(name, lowers);
  }

  /** A request in the making. */
  final class Spec {
    private final String name;
    private final List<OsPath> lowers;
    private boolean readOnly;
    private boolean compat;
    private Optional<OverlayMount.Upper> upper = Optional.empty();
    private Optional<OsPath> target = Optional.empty();
    private List<String> options = List.of();
    private Optional<Propagation> propagation = Optional.empty();
    private Optional<MountMethod> method = Optional.empty();

    private Spec(String name, List<OsPath> lowers) {
      this.name = name;
      this.lowers = lowers;
    }

    Spec readOnly() {
      readOnly = true;
      return this;
    }

    /** With Docker's options alone. */
    Spec compat() {
      compat = true;
      return this;
    }

    Spec upper(OsPath directory, OsPath work) {
      upper = Optional.of(new OverlayMount.Upper(directory, work));
      return this;
    }

    Spec at(OsPath directory) {
      target = Optional.of(directory);
      return this;
    }

    Spec options(String... words) {
      options = List.of(words);
      return this;
    }

    Spec propagation(Propagation kind) {
      propagation = Optional.of(kind);
      return this;
    }

    /** Skips the test where this kernel does not have the method at all. */
    Spec method(MountMethod forced) throws ErrnoException {
      require(forced);
      method = Optional.of(forced);
      return this;
    }

    /** As {@link #method}, for more lowers than the kernel takes in one overlay. */
    Spec folding(MountMethod forced) throws ErrnoException {
      method(forced);
      if (!folds(forced)) {
        Requires.that(
            "lowerdir+ by descriptor",
            Optional.of("this kernel takes single layers by path alone"));
      }
      return this;
    }

    StackRequest request() throws EngineException {
      return new StackRequest(
          StackName.of(name),
          lowers,
          Optional.empty(),
          readOnly,
          target,
          propagation,
          new StackRequest.Union.Overlay(upper, MountOptions.parse(options), method, compat));
    }

    StackDefinition create() throws EngineException, ErrnoException {
      return stacks().create(request());
    }

    /** Creates and mounts it; returns the target. */
    OsPath up() throws EngineException, ErrnoException {
      create();
      return StackLab.this.up(name);
    }
  }

  /** Skips the test where this kernel does not have the method at all. */
  void require(MountMethod method) throws ErrnoException {
    if (method == MountMethod.LOWERDIR_PLUS && !takesLayer(true)) {
      Requires.that("lowerdir+", Optional.of("this kernel does not take single layers"));
    }
  }

  /** Whether the kernel has what folding takes by a method that can fold. */
  boolean folds(MountMethod method) throws ErrnoException {
    return method != MountMethod.LOWERDIR_PLUS || takesLayer(false);
  }

  /** Those that this kernel has. */
  List<MountMethod> methods() throws ErrnoException {
    boolean single = takesLayer(true);
    return Arrays.stream(MountMethod.values())
        .filter(method -> single || method != MountMethod.LOWERDIR_PLUS)
        .toList();
  }

  /**
   * Whether fsconfig(2) takes one layer by descriptor, or by path, as before 6.13. Before 6.5 it
   * keeps any text, and says only of a descriptor that it is not supported.
   */
  private boolean takesLayer(boolean byPathToo) throws ErrnoException {
    try (Fd context = new Fd(sys, sys.fsopen("overlay", Linux.FSOPEN_CLOEXEC));
        Fd layer = files.openPath(OsPath.ROOT)) {
      try {
        sys.fsconfig(
            context.number(), Linux.FSCONFIG_SET_FD, "lowerdir+", new byte[0], layer.number());
        return true;
      } catch (ErrnoException e) {
        if (!byPathToo || e.is(Errno.EOPNOTSUPP)) {
          return false;
        }
      }
      sys.fsconfig(context.number(), Linux.FSCONFIG_SET_STRING, "lowerdir+", new byte[] {'/'}, 0);
      return true;
    } catch (ErrnoException e) {
      return false;
    }
  }

  OsPath up(String name) throws EngineException, ErrnoException {
    return stacks().up(name(name), false);
  }

  void down(String name) throws EngineException, ErrnoException {
    stacks().down(name(name), false);
  }

  void downLazily(String name) throws EngineException, ErrnoException {
    stacks().down(name(name), true);
  }

  void remove(String name) throws EngineException, ErrnoException {
    stacks().remove(name(name), false);
  }

  StackState state(String name) throws EngineException, ErrnoException {
    return stacks().state(name(name));
  }

  StackReport report(String name) throws EngineException, ErrnoException {
    return stacks().report(name(name));
  }

  OsPath upperOf(String name) throws EngineException, ErrnoException {
    return report(name).upper().orElseThrow().directory();
  }

  OsPath workOf(String name) throws EngineException, ErrnoException {
    return report(name).upper().orElseThrow().work().orElseThrow();
  }

  void assertUp(String name) throws EngineException, ErrnoException {
    StackState state = state(name);
    assertTrue(state instanceof StackState.Up, () -> name + " is " + state);
  }

  void assertDown(String name) throws EngineException, ErrnoException {
    assertEquals(new StackState.Down(), state(name));
  }

  // ---- refusals -----------------------------------------------------------------------------

  /** The refusal of something that must not change anything: root, run, mounts and descriptors. */
  EngineException refusal(Executable action) throws ErrnoException {
    Leaks before = Leaks.beneath(OsPath.ROOT.resolve("proc/none"));
    List<String> mounts = mountLines();
    Map<String, Trees.Node> tree = tree();
    EngineException refused = assertThrows(EngineException.class, action);
    Map<String, Trees.Node> now = tree();
    if (!tree.equals(now)) {
      SortedMap<String, String> changes = new TreeMap<>();
      tree.forEach((path, node) -> changes.put(path, node + " → " + now.get(path)));
      now.forEach((path, node) -> changes.putIfAbsent(path, "nothing → " + node));
      changes.keySet().removeIf(path -> Objects.equals(tree.get(path), now.get(path)));
      fail("the refusal changed " + changes + "; it said: " + refused.getMessage());
    }
    assertEquals(mounts, mountLines(), "mounts changed by a refusal");
    before.assertNone();
    assertTrue(!refused.getMessage().contains("\n"), "more than one line: " + refused.getMessage());
    return refused;
  }

  /** As {@link #refusal}, and this is what it says. */
  void assertRefused(String message, Executable action) throws ErrnoException {
    assertEquals(message, refusal(action).getMessage());
  }

  /** Root and run; without the file that is only ever locked, and what is mounted in them. */
  private Map<String, Trees.Node> tree() throws ErrnoException {
    Map<String, Trees.Node> all = new TreeMap<>();
    for (OsPath top : List.of(root(), run())) {
      if (exists(top)) {
        Trees.snapshot(top).nodes().forEach((path, node) -> all.put(top.resolve(path) + "", node));
      }
    }
    all.remove(root().resolve("uppers.lock").toString());
    return all;
  }

  // ---- mounts -------------------------------------------------------------------------------

  /** A line of mountinfo, read here independently of the engine. */
  record Line(
      OsPath point,
      List<String> flags,
      List<String> tags,
      String type,
      OsPath source,
      List<String> options) {
    /** The value of a superblock option as the kernel shows it, unescaped. */
    List<String> values(String option) {
      return options.stream()
          .filter(o -> o.startsWith(option + "="))
          .map(o -> unescape(o.substring(option.length() + 1)).toString())
          .toList();
    }
  }

  /** The lines of mountinfo beneath the scratch directory, as they stand. */
  List<String> mountLines() throws ErrnoException {
    String all = OsPath.decode(readBytes(OsPath.of("/proc/self/mountinfo")));
    return Arrays.stream(all.split("\n"))
        .filter(line -> unescape(line.split(" ")[4]).startsWith(scratch.path()))
        .toList();
  }

  /** All mounts on a directory, the topmost last. */
  List<Line> mountsOn(OsPath point) throws ErrnoException {
    return mountLines().stream()
        .map(StackLab::parse)
        .filter(line -> line.point().equals(point))
        .toList();
  }

  /** The only mount on a directory. */
  Line mountOn(OsPath point) throws ErrnoException {
    List<Line> lines = mountsOn(point);
    assertEquals(1, lines.size(), () -> "mounts on " + point.quoted() + ": " + lines);
    return lines.get(0);
  }

  private static Line parse(String line) {
    String[] halves = line.split(" - ", 2);
    List<String> left = List.of(halves[0].split(" "));
    String[] right = halves[1].split(" ");
    return new Line(
        unescape(left.get(4)),
        List.of(left.get(5).split(",")),
        left.subList(6, left.size()),
        right[0],
        unescape(right[1]),
        List.of(right[2].split(",")));
  }

  private static OsPath unescape(String text) {
    byte[] raw = OsPath.encode(text);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < raw.length; i++) {
      if (raw[i] == '\\' && i + 3 < raw.length) {
        out.write(Integer.parseInt(new String(raw, i + 1, 3, StandardCharsets.US_ASCII), 8));
        i += 3;
      } else {
        out.write(raw[i]);
      }
    }
    return OsPath.of(out.toByteArray());
  }

  void mountTmpfs(OsPath target) throws ErrnoException {
    sys.mount(OsPath.of("ovl-test"), target, "tmpfs", 0, new byte[0]);
  }

  void bind(OsPath from, OsPath to) throws ErrnoException {
    sys.mount(from, to, "", Linux.MS_BIND, new byte[0]);
  }

  void propagate(OsPath point, int kind) throws ErrnoException {
    sys.mount(OsPath.of("none"), point, "", kind, new byte[0]);
  }

  void umount(OsPath target) throws ErrnoException {
    sys.umount2(target, Linux.UMOUNT_NOFOLLOW);
  }

  // ---- processes ----------------------------------------------------------------------------

  /** Starts a program without pipes; it is killed when the test ends. */
  Process start(Optional<OsPath> directory, String... command) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(new File("/dev/null"))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD);
    directory.ifPresent(d -> builder.directory(new File(d.toString())));
    Process child = builder.start();
    children.add(child);
    return child;
  }

  /** Starts a program that becomes a sleep(1), and waits until it is one. */
  Process sleeper(Optional<OsPath> directory, String... command)
      throws IOException, InterruptedException {
    Process child = start(directory, command);
    OsPath comm = OsPath.of("/proc/" + child.pid() + "/comm");
    await("child " + child.pid() + " sleeps", () -> read(comm).startsWith("sleep"));
    // exec(2) is over when the loader has mapped the C library
    OsPath maps = OsPath.of("/proc/" + child.pid() + "/maps");
    await("child " + child.pid() + " is loaded", () -> read(maps).contains("libc"));
    return child;
  }

  /** Whether it is one of those that end with the test. */
  boolean isChild(long pid) {
    return children.stream().anyMatch(child -> child.pid() == pid);
  }

  void kill(Process child) throws InterruptedException {
    child.destroyForcibly();
    assertTrue(child.waitFor(PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "child does not end");
  }

  /** Something that becomes true soon. */
  interface Condition {
    boolean holds() throws Exception;
  }

  static void await(String what, Condition condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
    while (true) {
      try {
        if (condition.holds()) {
          return;
        }
      } catch (Exception | AssertionError e) {
        // not yet
        if (System.nanoTime() > end) {
          throw new AssertionError("never: " + what, e);
        }
      }
      if (System.nanoTime() > end) {
        throw new AssertionError("never: " + what);
      }
      TimeUnit.MILLISECONDS.sleep(2);
    }
  }

  /** {@code mnt:[4026531841]} of a process. */
  String mountNamespace(long pid) throws ErrnoException {
    return files.readLink(OsPath.of("/proc/" + pid + "/ns/mnt")).orElseThrow().toString();
  }
}
