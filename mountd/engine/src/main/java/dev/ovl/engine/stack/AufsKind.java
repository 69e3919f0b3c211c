package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.aufs.AufsBranch;
import dev.ovl.engine.aufs.AufsChecks;
import dev.ovl.engine.aufs.AufsMount;
import dev.ovl.engine.aufs.AufsMounter;
import dev.ovl.engine.aufs.AufsOptions;
import dev.ovl.engine.aufs.AufsPermission;
import dev.ovl.engine.aufs.AufsState;
import dev.ovl.engine.aufs.AufsTable;
import dev.ovl.engine.driver.LayerHome;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.aufs.AufsHome;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.GivenDirectory;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.stack.StackDefinition.Layer;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.stack.StackDefinition.Union;
import dev.ovl.engine.stack.StackDefinition.Upper;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Stacks of aufs: the upper and the lowers are its branches, each with a permission. */
final class AufsKind implements UnionKind {
  private final Syscalls sys;
  private final Files files;
  private final AufsHome home;
  private final AufsTable table;
  private final StackMounts mounts;
  private final AufsMounter mounter;
  private final AufsChecks checks;

  AufsKind(Syscalls sys, AufsHome home, AufsTable table, StackMounts mounts, AufsMounter mounter) {
    this.sys = sys;
    this.files = new Files(sys);
    this.home = home;
    this.table = table;
    this.mounts = mounts;
    this.mounter = mounter;
    this.checks = new AufsChecks(sys, table);
  }

  @Override
  public LayerHome home() {
    return home;
  }

  private static Union.Aufs union(StackDefinition stack) {
    return (Union.Aufs) stack.union();
  }

  // ---- definitions --------------------------------------------------------------------------

  @Override
  public Parts parts(StackRequest request) throws EngineException, ErrnoException {
    StackRequest.Union.Aufs asked = (StackRequest.Union.Aufs) request.union();
    boolean writable = asked.branches().stream().anyMatch(b -> b.permission().isWritable());
    if (writable && request.readOnly()) {
      throw EngineException.usage("a read-only stack has no branch that can be written to");
    }
    if (writable && !asked.branches().getFirst().permission().isWritable()) {
      throw EngineException.usage(
          "where a branch can be written to, the topmost must be: " + asked.branches().getFirst());
    }
    List<Lower> lowers = new ArrayList<>();
    for (AufsBranch branch : writable ? tail(asked.branches()) : asked.branches()) {
      lowers.add(Lower.branch(branch.directory(), branch.permission(), Optional.empty()));
    }
    for (OsPath directory : request.lowers()) {
      lowers.add(Lower.branch(directory, AufsPermission.RO_WH, Optional.empty()));
    }
    lowers.addAll(chain(request.parent()));
    if (writable) {
      AufsBranch upper = asked.branches().getFirst();
      return new Parts(
          lowers,
          new Upper.Given(upper.directory(), Optional.empty()),
          new Union.Aufs(asked.options(), upper.permission()));
    }
    return new Parts(
        lowers,
        request.readOnly() ? new Upper.None() : new Upper.OfLayer(),
        new Union.Aufs(asked.options(), AufsPermission.RW));
  }

  private static List<AufsBranch> tail(List<AufsBranch> branches) {
    return branches.subList(1, branches.size());
  }

  @Override
  public Parts parts(StackDefinition from, List<Lower> present, StackChange change)
      throws EngineException, ErrnoException {
    if (change.upper().isPresent()) {
      throw EngineException.usage("an aufs has branches: 'ovlctl branch' changes them");
    }
    if (change.method().flatMap(method -> method).isPresent()) {
      throw EngineException.usage("there is one method alone to mount an aufs");
    }
    Map<OsPath, AufsPermission> known = new HashMap<>();
    for (Lower lower : from.plain()) {
      known.put(lower.path(), lower.permission().orElseThrow());
    }
    List<Lower> lowers = new ArrayList<>();
    for (OsPath directory : change.lowers().orElse(from.directories())) {
      lowers.add(
          Lower.branch(
              directory, known.getOrDefault(directory, AufsPermission.RO_WH), Optional.empty()));
    }
    lowers.addAll(chain(change.parent().orElse(from.parent())));
    AufsOptions options =
        change.options().isPresent()
            ? AufsOptions.parse(change.options().get())
            : union(from).options();
    return new Parts(lowers, from.upper(), new Union.Aufs(options, union(from).upper()));
  }

  @Override
  public StackRequest like(StackDefinition stack, StackName as) {
    List<AufsBranch> branches = new ArrayList<>();
    if (stack.upper() instanceof Upper.Given given) {
      branches.add(new AufsBranch(given.directory(), union(stack).upper()));
    }
    stack.plain().forEach(lower -> branches.add(branch(lower)));
    return new StackRequest(
        as,
        List.of(),
        stack.parent(),
        stack.upper() instanceof Upper.None,
        stack.target(),
        stack.propagation(),
        new StackRequest.Union.Aufs(branches, union(stack).options()));
  }

  private static AufsBranch branch(Lower lower) {
    return new AufsBranch(lower.path(), lower.permission().orElseThrow());
  }

  /** The layer and its ancestors as lowers, nearest first. */
  private List<Lower> chain(Optional<LayerId> parent) throws EngineException, ErrnoException {
    List<Lower> chain = new ArrayList<>();
    if (parent.isPresent()) {
      chain.add(ofLayer(parent.get()));
      home.ancestors(parent.get()).forEach(ancestor -> chain.add(ofLayer(ancestor)));
    }
    return chain;
  }

  private Lower ofLayer(LayerId id) {
    return Lower.branch(home.diff(id), AufsPermission.RO_WH, Optional.of(id));
  }

  @Override
  public Layer unusedLayer() throws ErrnoException {
    return new Layer(home.unusedId(), Optional.empty());
  }

  @Override
  public Lower frozen(Layer own) {
    return ofLayer(own.id());
  }

  @Override
  public void check(Parts parts) throws EngineException, ErrnoException {
    List<AufsBranch> branches = new ArrayList<>();
    if (parts.upper() instanceof Upper.Given given) {
      branches.add(new AufsBranch(given.directory(), ((Union.Aufs) parts.union()).upper()));
    }
    parts.lowers().forEach(lower -> branches.add(branch(lower)));
    checks.check(branches);
    if (parts.upper() instanceof Upper.OfLayer) {
      checks.checkBacking(home.directory());
    }
  }

  @Override
  public void refuseUnmountable(StackDefinition stack) {
    // the branches are all there is to refuse
  }

  @Override
  public boolean make(StackDefinition stack, Optional<StackDefinition> before, Set<String> made)
      throws EngineException, ErrnoException {
    Optional<Layer> layer = stack.layer();
    if (layer.isPresent() && !before.flatMap(StackDefinition::layer).equals(layer)) {
      Statx rootOf = files.stat(stack.lowers().getFirst().path()).orElseThrow();
      home.createOwned(layer.get().id(), stack.parent(), rootOf, OsPath.of(stack.name().text()));
    }
    return true;
  }

  // ---- mounts -------------------------------------------------------------------------------

  @Override
  public void forget(StackName name) {
    // nothing is kept
  }

  @Override
  public Map<String, OsPath> links(StackDefinition stack) {
    return Map.of();
  }

  @Override
  public void refuseUsed(List<OsPath> written) throws EngineException, ErrnoException {
    for (OsPath directory : written) {
      if (table.isWritten(directory)) {
        throw EngineException.failed(
            "another aufs writes to branch " + directory.quoted(), Errno.EBUSY);
      }
    }
  }

  @Override
  public void refuseShown(List<OsPath> directories) throws EngineException, ErrnoException {
    for (OsPath directory : directories) {
      if (table.isBranch(directory)) {
        throw EngineException.failed(
            "it is a branch of another aufs: " + directory.quoted(), Errno.EBUSY);
      }
    }
  }

  private AufsMount mount(StackDefinition stack) {
    Optional<Upper.Given> upper = mounts.upper(stack);
    List<AufsBranch> branches = new ArrayList<>();
    upper.ifPresent(given -> branches.add(new AufsBranch(given.directory(), union(stack).upper())));
    stack.lowers().forEach(lower -> branches.add(branch(lower)));
    AufsOptions options = union(stack).options();
    return new AufsMount(
        stack.name().mountSource(),
        branches,
        upper.isEmpty() ? options.readOnly() : options,
        mounts.target(stack),
        stack.propagation());
  }

  @Override
  public void mount(StackDefinition stack, boolean acceptVolatile)
      throws EngineException, ErrnoException {
    mounter.mount(mount(stack));
  }

  @Override
  public Optional<Fd> mountDetached(StackDefinition stack, boolean acceptVolatile) {
    // pseudo-links must be made real before an aufs ends
    return Optional.empty();
  }

  @Override
  public void checkTarget(OsPath target) throws EngineException, ErrnoException {
    GivenDirectory.look(sys, "target", target);
  }

  @Override
  public void unmount(MountEntry mount, int flags) throws EngineException, ErrnoException {
    mounter.unmount(mount, flags);
  }

  @Override
  public void ended(StackDefinition stack) {
    // an aufs leaves nothing in its branches that the next one minds
  }

  @Override
  public Manner manner(StackDefinition stack) {
    return new Manner(mount(stack).options().words(), MountMethod.CLASSIC, false);
  }

  // ---- changes of branches ------------------------------------------------------------------

  /** The stack with what a change makes of its branches; nothing is made. */
  StackDefinition changed(StackDefinition stack, BranchChange change) throws EngineException {
    return switch (change) {
      case BranchChange.Add add -> with(stack, add);
      case BranchChange.Remove remove -> without(stack, remove.directory());
      case BranchChange.Modify modify -> withPermission(stack, modify.branch());
    };
  }

  private static StackDefinition with(StackDefinition stack, BranchChange.Add add)
      throws EngineException {
    AufsBranch branch = add.branch();
    if (isUpper(stack, branch.directory())) {
      throw EngineException.failed(
          "its upper is branch " + branch.directory().quoted() + " already", Errno.EEXIST);
    }
    List<Lower> plain = new ArrayList<>(stack.plain());
    Optional<Integer> present = indexOf(plain, branch.directory());
    if (present.isPresent()) {
      if (plain.get(present.get()).permission().equals(Optional.of(branch.permission()))) {
        return stack;
      }
      throw EngineException.failed(
          "it has branch " + branch.directory().quoted() + " already: 'branch mod' changes it",
          Errno.EEXIST);
    }
    int above = stack.upper() instanceof Upper.None ? 0 : 1;
    int index = add.index().orElse(above);
    if (index < above || index > above + plain.size()) {
      throw EngineException.usage(
          "a branch can be added at "
              + above
              + " to "
              + (above + plain.size())
              + ", between the upper and the layers, not at "
              + index);
    }
    if (stack.upper() instanceof Upper.None && branch.permission().isWritable()) {
      throw EngineException.usage("a read-only stack has no branch that can be written to");
    }
    plain.add(
        index - above, Lower.branch(branch.directory(), branch.permission(), Optional.empty()));
    return withPlain(stack, plain);
  }

  private StackDefinition without(StackDefinition stack, OsPath directory) throws EngineException {
    List<Lower> plain = new ArrayList<>(stack.plain());
    plain.remove(removable(stack, directory));
    if (plain.isEmpty() && stack.parent().isEmpty()) {
      throw EngineException.usage("a stack needs a lower: this branch is the last");
    }
    return withPlain(stack, plain);
  }

  private StackDefinition withPermission(StackDefinition stack, AufsBranch branch)
      throws EngineException {
    boolean writable = branch.permission().isWritable();
    if (stack.upper() instanceof Upper.Given && isUpper(stack, branch.directory())) {
      if (!writable) {
        throw EngineException.usage("the upper must be one that can be written to");
      }
      return stack.withUnion(new Union.Aufs(union(stack).options(), branch.permission()));
    }
    if (stack.upper() instanceof Upper.None && writable) {
      throw EngineException.usage("a read-only stack has no branch that can be written to");
    }
    List<Lower> plain = new ArrayList<>(stack.plain());
    plain.set(
        removable(stack, branch.directory()),
        Lower.branch(branch.directory(), branch.permission(), Optional.empty()));
    return withPlain(stack, plain);
  }

  private static boolean isUpper(StackDefinition stack, OsPath directory) {
    return stack.upper() instanceof Upper.Given given && given.directory().equals(directory);
  }

  private static Optional<Integer> indexOf(List<Lower> lowers, OsPath directory) {
    for (int i = 0; i < lowers.size(); i++) {
      if (lowers.get(i).path().equals(directory)) {
        return Optional.of(i);
      }
    }
    return Optional.empty();
  }

  private int removable(StackDefinition stack, OsPath directory) throws EngineException {
    return indexOf(stack.plain(), directory)
        .orElseThrow(
            () ->
                EngineException.failed(
                    directory.quoted()
                        + (isUpper(stack, directory)
                            ? " is its upper"
                            : " is no branch of it that 'branch add' could have added"),
                    Errno.ENOENT));
  }

  private static StackDefinition withPlain(StackDefinition stack, List<Lower> plain) {
    List<Lower> lowers = new ArrayList<>(plain);
    stack.lowers().stream().filter(lower -> lower.layer().isPresent()).forEach(lowers::add);
    return stack.withLowers(lowers);
  }

  /** Gives a mount the branches that its stack's definition names, each change by itself. */
  void adapt(StackDefinition stack, MountEntry mount) throws EngineException, ErrnoException {
    List<AufsBranch> wanted = new ArrayList<>();
    for (AufsBranch branch : mount(stack).branches()) {
      OsPath resolved = files.resolve(branch.directory()).orElse(branch.directory());
      wanted.add(new AufsBranch(resolved, branch.permission()));
    }
    List<OsPath> names = wanted.stream().map(AufsBranch::directory).toList();
    List<AufsBranch> present = new ArrayList<>(branches(mount));
    for (AufsBranch branch : List.copyOf(present)) {
      if (!names.contains(branch.directory())) {
        mounter.remove(mount, branch.directory());
        present.remove(branch);
      }
    }
    for (int i = 0; i < wanted.size(); i++) {
      AufsBranch branch = wanted.get(i);
      if (present.stream().noneMatch(p -> p.directory().equals(branch.directory()))) {
        mounter.add(mount, i, branch);
        present.add(i, branch);
      } else if (!present.contains(branch)) {
        mounter.modify(mount, branch);
      }
    }
  }

  private List<AufsBranch> branches(MountEntry mount) throws EngineException, ErrnoException {
    return table
        .of(mount)
        .map(AufsState::branches)
        .orElseThrow(
            () -> EngineException.failed("no aufs is mounted on " + mount.point().quoted()));
  }
}
