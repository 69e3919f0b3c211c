package dev.ovl.engine.fsck;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.LayerWalk;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.fsck.Finding.Kind;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Looks an overlay over, and changes nothing.
 *
 * <p>The upper is walked, the lowers are asked by name only, so that the cost grows with what was
 * changed; unless {@link Subject#wholeLowers} says otherwise. What a mount that nobody tampered
 * with leaves behind is no finding. So these are none, since the kernel makes them:
 *
 * <ul>
 *   <li>an opaque directory in an upper with nothing below: it is set on every new directory;
 *   <li>an impure mark on a directory from which everything that was copied up has gone: the kernel
 *       removes it when it next reads the directory;
 *   <li>whiteouts in the work directory, of which the next ones are made as links;
 *   <li>the redirect of a file that is no metadata-only copy any more.
 * </ul>
 *
 * <p>What cannot be told: that a file of a lower was written to in place, since no time or size of
 * it is kept anywhere; that something was added to a lower; what was removed from an upper by hand.
 */
public final class OverlayCheck {
  /** Findings that would be others if the lowers were. */
  private static final Set<Kind> OF_LOWERS =
      Set.of(Kind.REDIRECT_DANGLING, Kind.ORIGIN_STALE, Kind.ORIGIN_WRONG, Kind.WHITEOUT_USELESS);

  private final Syscalls sys;
  private final Files files;
  private final Subject subject;
  private final Progress progress;
  private final BooleanSupplier cancelled;
  private final List<Finding> found = new ArrayList<>();

  private OverlayCheck(
      Syscalls sys, Subject subject, Progress progress, BooleanSupplier cancelled) {
    this.sys = sys;
    this.files = new Files(sys);
    this.subject = subject;
    this.progress = progress;
    this.cancelled = cancelled;
  }

  /**
   * Looks.
   *
   * @param progress hears of every name
   * @param cancelled asked before every name
   * @throws EngineException a layer cannot be read; cancelled (ECANCELED)
   */
  public static List<Finding> run(
      Syscalls sys, Subject subject, Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    OverlayCheck check = new OverlayCheck(sys, subject, progress, cancelled);
    if (check.hasAllLayers()) {
      check.look();
    }
    return check.sorted();
  }

  /** By directory, topmost first, and by path. */
  private List<Finding> sorted() {
    List<OsPath> order = new ArrayList<>(subject.layers());
    subject.upper().ifPresent(upper -> order.add(1, upper.work()));
    found.sort(
        Comparator.comparingInt((Finding finding) -> order.indexOf(finding.directory()))
            .thenComparing(Finding::directory)
            .thenComparing(Finding::path));
    return List.copyOf(found);
  }

  /** Without one of them nothing else can be judged. */
  private boolean hasAllLayers() throws ErrnoException {
    List<OsPath> directories = new ArrayList<>(subject.layers());
    subject.upper().ifPresent(upper -> directories.add(upper.work()));
    boolean all = true;
    for (OsPath directory : directories) {
      if (files.stat(directory).filter(Statx::isDirectory).isEmpty()) {
        all = false;
        found.add(
            Finding.of(
                Kind.LAYER_MISSING,
                directory,
                OsPath.EMPTY,
                "there is no such directory; is its file system mounted?",
                "what was in it is not known"));
      }
    }
    return all;
  }

  private void look() throws EngineException, ErrnoException {
    if (subject.upper().isPresent()) {
      upper(subject.upper().get());
    }
    if (subject.wholeLowers()) {
      for (int i = 0; i < subject.lowers().size(); i++) {
        List<OsPath> layers = subject.lowers().subList(i, subject.lowers().size());
        View.Union view = new View.Union(layers, List.of(), subject.books());
        walk(view, new LowerVisitor(view, found));
      }
    }
  }

  private void walk(View.Union view, LayerWalk.Visitor visitor)
      throws EngineException, ErrnoException {
    new LayerWalk(sys, view).walk(visitor, progress, cancelled);
  }

  private void upper(OverlayMount.Upper upper) throws EngineException, ErrnoException {
    List<OsPath> layers = subject.layers();
    View.Union view = new View.Union(layers, List.of(), subject.books());
    try (Handles handles = Handles.on(sys, subject.lowers());
        Handles ofUpper = Handles.on(sys, List.of(upper.directory()));
        MountedView mounted = MountedView.open(sys, subject.mountedOn())) {
      UpperVisitor visitor =
          new UpperVisitor(
              sys,
              view,
              handles,
              handles.areOn(ofUpper),
              mounted,
              subject.mountedOn().isEmpty(),
              found);
      walk(view, visitor);
      if (subject.mountedOn().isEmpty()) {
        new WorkDirectory(sys, subject, upper, handles, ofUpper, found).look();
      }
      doubtLowers(visitor, upper);
    }
  }

  /**
   * A lower that is empty because its file system is not mounted, or another tree than the upper
   * was made above, makes everything in the upper look wrong. Repaired, it would be.
   */
  private void doubtLowers(UpperVisitor visitor, OverlayMount.Upper upper) throws ErrnoException {
    boolean needed = found.stream().anyMatch(finding -> OF_LOWERS.contains(finding.kind()));
    Optional<OsPath> empty = Optional.empty();
    if (needed) {
      for (OsPath lower : subject.lowers()) {
        if (empty.isEmpty() && files.list(lower).isEmpty()) {
          empty = Optional.of(lower);
        }
      }
    }
    boolean strange = visitor.leading() == 0 && visitor.leadingNowhere() > 0;
    if (!needed || (empty.isEmpty() && !strange)) {
      return;
    }
    found.replaceAll(
        finding ->
            OF_LOWERS.contains(finding.kind())
                ? finding.withheld("first the lowers must be the right ones")
                : finding);
    found.add(
        Finding.of(
            Kind.LOWER_CHANGED,
            empty.orElse(upper.directory()),
            OsPath.EMPTY,
            empty.isPresent()
                ? "this lower is empty; is its file system mounted?"
                : "nothing in the upper was copied up from these lowers; are they the right ones?",
            "only its owner knows what belongs there"));
  }
}
