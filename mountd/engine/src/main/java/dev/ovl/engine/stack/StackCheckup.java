package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.driver.overlay2.ShortLinks;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.fsck.Finding;
import dev.ovl.engine.fsck.Finding.Kind;
import dev.ovl.engine.fsck.Mend;
import dev.ovl.engine.fsck.OverlayCheck;
import dev.ovl.engine.fsck.OverlayRepair;
import dev.ovl.engine.fsck.Subject;
import dev.ovl.engine.stack.Examined.Outcome;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.stack.StackDefinition.Union;
import dev.ovl.engine.stack.StackMounts.Sighting;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Looks a stack over, and mends it: its overlay by {@link OverlayCheck}, and what only its
 * definition tells.
 */
final class StackCheckup {
  private static final Mend ANEW = new Mend.OfStack("make it anew");
  private static final Mend AWAY = new Mend.OfStack("remove it");

  private final Syscalls sys;
  private final Files files;
  private final Overlay2Home home;
  private final OverlayKind kind;
  private final StackMounts mounts;
  private final StackUsers users;
  private final UpperOwners owners;
  private final Leftovers leftovers;

  StackCheckup(
      Syscalls sys,
      Overlay2Home home,
      OverlayKind kind,
      StackMounts mounts,
      StackUsers users,
      UpperOwners owners,
      Leftovers leftovers) {
    this.sys = sys;
    this.files = new Files(sys);
    this.home = home;
    this.kind = kind;
    this.mounts = mounts;
    this.users = users;
    this.owners = owners;
    this.leftovers = leftovers;
  }

  /** Refuses stacks that there is no check for. */
  void refuseOther(StackDefinition stack) throws EngineException {
    if (!(stack.union() instanceof Union.Overlay)) {
      throw EngineException.failed(
          "fsck knows overlays alone, and this is a stack of " + stack.driver(), Errno.EOPNOTSUPP);
    }
  }

  /**
   * Looks. The stack may be up; what its mount is at work on is not judged then.
   *
   * @param wholeLowers walk the lowers, too
   */
  List<Finding> find(
      Sighting sighting, boolean wholeLowers, Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    StackDefinition stack = sighting.stack();
    refuseOther(stack);
    Optional<OsPath> mountedOn = sighting.state().mounted().map(mount -> mount.point());
    List<Finding> found = new ArrayList<>();
    links(stack, found);
    sharedUpper(sighting, found);
    Subject subject =
        new Subject(
            stack.lowers().stream().map(Lower::path).toList(),
            mounts.upper(stack).map(OverlayKind::overlayUpper),
            StackContent.books(stack),
            mountedOn,
            wholeLowers);
    found.addAll(OverlayCheck.run(sys, subject, progress, cancelled));
    return found;
  }

  /** Mends what was found in a stack that is down. The caller holds its lock. */
  List<Examined> mend(StackDefinition stack, List<Finding> found) {
    OverlayRepair repair = new OverlayRepair(sys, StackContent.books(stack));
    List<Examined> examined = new ArrayList<>();
    for (Finding finding : found) {
      examined.add(mend(stack, repair, finding));
    }
    return examined;
  }

  private Examined mend(StackDefinition stack, OverlayRepair repair, Finding finding) {
    if (finding.mend().isEmpty()) {
      return new Examined(finding, Outcome.LEFT, Optional.empty());
    }
    try {
      boolean mended =
          switch (finding.kind()) {
            case LINK_LOST -> isLinkRestored(stack, finding);
            case LINK_LEAKED -> isLinkRemoved(finding);
            default -> repair.mend(finding);
          };
      return mended
          ? new Examined(finding, Outcome.MENDED, Optional.empty())
          : new Examined(finding, Outcome.FAILED, Optional.of("it is not as it was found"));
    } catch (EngineException | ErrnoException e) {
      return new Examined(finding, Outcome.FAILED, Optional.of(e.getMessage()));
    }
  }

  // ---- links --------------------------------------------------------------------------------

  private OsPath path(String link) {
    return ShortLinks.relative(link);
  }

  private void links(StackDefinition stack, List<Finding> found)
      throws EngineException, ErrnoException {
    Map<String, OsPath> wanted = kind.links(stack);
    for (Map.Entry<String, OsPath> link : wanted.entrySet()) {
      Optional<OsPath> target = home.links().target(link.getKey());
      if (!target.equals(Optional.of(link.getValue()))) {
        String text =
            "the short name of "
                + link.getValue().quoted()
                + target.map(other -> " leads to " + other.quoted()).orElse(" is missing");
        found.add(Finding.of(Kind.LINK_LOST, home.directory(), path(link.getKey()), text, ANEW));
      }
    }
    if (mayLeak(stack, wanted)) {
      List<OsPath> directories = stack.directories();
      for (Leftover leftover : leftovers.find()) {
        Optional<OsPath> target = files.readLink(leftover.place());
        if (leftover.kind() == Leftover.Kind.LINK
            && target.filter(directories::contains).isPresent()) {
          OsPath name = path(leftover.place().fileName().toString());
          found.add(Finding.of(Kind.LINK_LEAKED, home.directory(), name, leftover.what(), AWAY));
        }
      }
    }
  }

  /** Whether there is a further link to a lower; whose it is takes longer to tell. */
  private boolean mayLeak(StackDefinition stack, Map<String, OsPath> wanted) throws ErrnoException {
    List<OsPath> directories = stack.directories();
    for (ShortLinks.Present link : home.links().present()) {
      if (!wanted.containsKey(link.name())
          && files.readLink(link.path()).filter(directories::contains).isPresent()) {
        return true;
      }
    }
    return false;
  }

  private boolean isLinkRestored(StackDefinition stack, Finding finding) throws ErrnoException {
    String name = finding.path().fileName().toString();
    return home.links().restore(name, kind.links(stack).get(name));
  }

  private boolean isLinkRemoved(Finding finding) throws EngineException, ErrnoException {
    return leftovers.remove(
        new Leftover(Leftover.Kind.LINK, finding.place(), Optional.empty(), finding.text()));
  }

  // ---- the upper ----------------------------------------------------------------------------

  private void sharedUpper(Sighting sighting, List<Finding> found) throws ErrnoException {
    StackDefinition stack = sighting.stack();
    if (mounts.upper(stack).isEmpty()) {
      return;
    }
    OsPath directory = mounts.upper(stack).get().directory();
    String reason = "one of the two must go";
    try {
      owners.claim(stack).refuseOwned();
      if (sighting.state().mounted().isEmpty()) {
        users.refuseUsedUpper(sighting);
      }
    } catch (EngineException e) {
      found.add(Finding.of(Kind.UPPER_SHARED, directory, OsPath.EMPTY, e.getMessage(), reason));
    }
  }
}
