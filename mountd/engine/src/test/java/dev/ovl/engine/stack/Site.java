package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.aufs.AufsBranch;
import dev.ovl.engine.aufs.AufsOptions;
import dev.ovl.engine.driver.aufs.AufsHome;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.Propagation;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A root, a run directory and user's directories in one place, with the stack {@link #OTHER} that
 * is up and has nothing to do with what a test does.
 */
final class Site {
  /** The stack that operations are about. */
  static final StackName WEB = new StackName("web");

  /** A bystander. */
  static final StackName OTHER = new StackName("other");

  /** What {@link #WEB} is copied as. */
  static final StackName COPY = new StackName("copy");

  /** A stack whose change did not come to its end. */
  static final StackName CHANGING = new StackName("changing");

  /** As many lowers as need nesting. */
  static final int LOWERS = 501;

  private final OsPath base;
  private final OsPath lowers;
  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);

  /**
   * @param base an existing directory; all but the lowers lie in it
   * @param lowers what {@link #makeLowers} made
   */
  Site(OsPath base, OsPath lowers) {
    this.base = base;
    this.lowers = lowers;
  }

  /** Makes directories 0 to 500 with a file {@code from-N} each, which nobody changes. */
  static void makeLowers(OsPath lowers) throws ErrnoException {
    Files files = new Files(new LinuxSyscalls());
    for (int i = 0; i < LOWERS; i++) {
      OsPath lower = lowers.resolve(String.valueOf(i));
      files.mkdirs(lower, 0755);
      files.mkdir(lower.resolve("from-" + i), 0755);
    }
  }

  OsPath base() {
    return base;
  }

  OsPath root() {
    return base.resolve("root");
  }

  OsPath run() {
    return base.resolve("run");
  }

  OsPath upper() {
    return base.resolve("upper");
  }

  OsPath work() {
    return base.resolve("work");
  }

  OsPath target() {
    return base.resolve("target");
  }

  OsPath lower(int i) {
    return lowers.resolve(String.valueOf(i));
  }

  List<OsPath> lowers(int count) {
    List<OsPath> paths = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      paths.add(lower(i));
    }
    return paths;
  }

  Stacks stacks(Syscalls calls) {
    return new Stacks(calls, root(), run());
  }

  /** The system calls without faults. */
  Syscalls sys() {
    return sys;
  }

  // ---- before -------------------------------------------------------------------------------

  /** Makes the directories, and the bystander. */
  void make() throws EngineException, ErrnoException {
    for (OsPath directory : List.of(upper(), work(), target())) {
      files.mkdir(directory, 0755);
    }
    try (Stacks stacks = stacks(sys)) {
      stacks.create(request(OTHER, List.of(lower(0))));
      stacks.up(OTHER, false);
    }
  }

  StackRequest request(StackName name, List<OsPath> paths) {
    return request(name, paths, MountOptions.NONE, Optional.empty(), Optional.empty());
  }

  StackRequest request(
      StackName name,
      List<OsPath> paths,
      MountOptions options,
      Optional<Propagation> propagation,
      Optional<MountMethod> method) {
    return new StackRequest(
        name, paths, false, Optional.empty(), Optional.empty(), options, propagation, method);
  }

  /** A stack on the user's own upper and target. */
  StackRequest requestWithUpper(StackName name) {
    return new StackRequest(
        name,
        lowers(2),
        false,
        Optional.of(new OverlayMount.Upper(upper(), work())),
        Optional.of(target()),
        MountOptions.NONE,
        Optional.empty(),
        Optional.empty());
  }

  /** A stack of aufs, which need not be mounted. */
  StackRequest requestOfAufs(StackName name, List<AufsBranch> branches) {
    return new StackRequest(
        name,
        lowers(2),
        Optional.empty(),
        false,
        Optional.empty(),
        Optional.empty(),
        new StackRequest.Union.Aufs(branches, AufsOptions.NONE));
  }

  /** All definitions by name. */
  Map<StackName, StackDefinition> definitions() throws EngineException, ErrnoException {
    try (Stacks stacks = stacks(sys)) {
      Map<StackName, StackDefinition> found = new TreeMap<>();
      for (StackName name : stacks.names()) {
        found.put(name, stacks.report(name).definition());
      }
      return found;
    }
  }

  // ---- after --------------------------------------------------------------------------------

  /**
   * Fails unless everything under root and run is accounted for by a definition, every definition
   * by what it needs, and every mount by the state of a stack.
   */
  void assertWhole() throws EngineException, ErrnoException {
    assertWholeAfterCrash();
    assertNoTemporary(root());
    assertNoTemporary(run());
  }

  /**
   * As {@link #assertWhole}, but in a layer and in the run directory a file may be left that was
   * about to replace another: the next replacement takes its name.
   */
  void assertWholeAfterCrash() throws EngineException, ErrnoException {
    Map<StackName, StackDefinition> definitions = definitions();
    Set<OsPath> points = new HashSet<>();
    try (Stacks stacks = stacks(sys)) {
      for (StackName name : definitions.keySet()) {
        stacks.state(name).mounted().map(MountEntry::point).ifPresent(points::add);
      }
      assertInstanceOf(StackState.Up.class, stacks.state(OTHER), "the bystander");
    }
    assertNoStrayMount(points);
    assertLayersAndLinks(definitions);
    assertEquals(List.of(), files.list(root().resolve("journal")), "journal");
    assertNoRubbish(definitions.keySet());
  }

  private void assertNoStrayMount(Set<OsPath> points) throws ErrnoException {
    for (MountEntry mount : new MountTable(sys).all()) {
      if (mount.point().startsWith(base)
          && !mount.point().equals(base)
          && !points.remove(mount.point())) {
        fail("stray mount on " + mount.point() + ": " + mount);
      }
    }
  }

  private void assertLayersAndLinks(Map<StackName, StackDefinition> definitions)
      throws ErrnoException {
    Set<OsPath> layers = new HashSet<>(Set.of(OsPath.of("l")));
    Set<OsPath> branches = new HashSet<>();
    Set<OsPath> links = new HashSet<>();
    for (StackDefinition stack : definitions.values()) {
      Set<OsPath> own = stack.driver().equals(AufsHome.NAME) ? branches : layers;
      stack.layer().ifPresent(layer -> own.add(OsPath.of(layer.id().text())));
      stack.links().map(OsPath::of).forEach(links::add);
    }
    OsPath home = root().resolve(Overlay2Home.NAME);
    assertEquals(
        layers, Set.copyOf(files.list(home)), "layers that definitions name and that exist");
    assertEquals(
        links,
        Set.copyOf(files.list(home.resolve("l"))),
        "links that definitions name and that exist");
    OsPath aufs = root().resolve(AufsHome.NAME);
    for (OsPath id : files.list(aufs.resolve("mnt"))) {
      assertTrue(branches.contains(id), () -> "a mount point of nobody's: " + id);
    }
    for (String kept : List.of("diff", "layers", "owners")) {
      assertEquals(branches, Set.copyOf(files.list(aufs.resolve(kept))), "in aufs/" + kept);
    }
    for (OsPath layer : layers) {
      if (!layer.equals(OsPath.of("l"))) {
        for (String part : List.of("diff", "work", "link")) {
          assertTrue(
              files.lstat(home.resolve(layer).resolve(part)).isPresent(), "layer has no " + part);
        }
      }
    }
  }

  private void assertNoRubbish(Set<StackName> names) throws ErrnoException {
    for (OsPath file : files.list(root().resolve("stacks"))) {
      String name = file.toString().replaceFirst("^\\.", "").replaceFirst("\\.(json|lock)$", "");
      if (!names.contains(new StackName(name))) {
        fail("rubbish: stacks/" + file);
      }
    }
    for (String known : List.of(".", "stacks", "overlay2", "overlay2/l")) {
      assertNoTemporaryIn(files.list(root().resolve(known)), root().resolve(known));
    }
    assertEquals(List.of(), files.list(run().resolve("nested")), "rubbish in run/nested");
    for (OsPath key : files.list(run().resolve("stacks"))) {
      for (OsPath record : files.list(run().resolve("stacks").resolve(key))) {
        boolean known = names.contains(new StackName(record.toString()));
        if (!known && !record.toString().startsWith(Files.TEMPORARY_PREFIX)) {
          fail("rubbish: record of " + record);
        }
      }
    }
  }

  private static void assertNoTemporaryIn(List<OsPath> names, OsPath directory) {
    for (OsPath name : names) {
      if (name.toString().startsWith(Files.TEMPORARY_PREFIX)) {
        fail("rubbish: " + directory.resolve(name));
      }
    }
  }

  /** Does not look into what is mounted. */
  private void assertNoTemporary(OsPath directory) throws ErrnoException {
    List<OsPath> names = files.list(directory);
    assertNoTemporaryIn(names, directory);
    for (OsPath name : names) {
      OsPath path = directory.resolve(name);
      boolean goOn =
          files.lstat(path).filter(Statx::isDirectory).isPresent()
              && !name.equals(OsPath.of("merged"));
      if (goOn) {
        assertNoTemporary(path);
      }
    }
  }

  /** Fails unless the stack is mounted where it should be and shows its first and last lower. */
  void assertUp(Stacks stacks, StackName name, int lowerCount)
      throws EngineException, ErrnoException {
    StackState state = stacks.state(name);
    assertInstanceOf(StackState.Up.class, state, () -> name + " should be up");
    OsPath point = stacks.report(name).target();
    for (int i : List.of(0, lowerCount - 1)) {
      assertTrue(
          files.lstat(point.resolve("from-" + i)).isPresent(), "lower " + i + " does not show");
    }
    assertTrue(files.mkdir(point.resolve("new"), 0755), "cannot write");
    files.rmdir(point.resolve("new"));
  }

  void assertDown(Stacks stacks, StackName name) throws EngineException, ErrnoException {
    assertInstanceOf(StackState.Down.class, stacks.state(name), () -> name + " should be down");
    StackDefinition stack = stacks.report(name).definition();
    if (stack.target().isEmpty()) {
      OsPath merged = stacks.report(name).target();
      assertTrue(files.lstat(merged).isEmpty(), "the driver's mount point stays");
    }
  }
}
