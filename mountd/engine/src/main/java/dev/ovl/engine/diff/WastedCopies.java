package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.Errno;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Finds the files of an upper whose data a lower has, too: it was copied up for a new owner, mode
 * or time alone, for nothing, or by a move. With metacopy and redirect_dir none of that is copied.
 */
public final class WastedCopies {
  private static final int BLOCK_BYTES = 512;

  private final MergedTree newer;
  private final MergedTree older;
  private final DataComparison data;
  private final BooleanSupplier cancelled;
  private final Layer upper;
  private final Deque<Pair> waiting = new ArrayDeque<>();
  private final Set<Identity> seen = new HashSet<>();
  private final List<Wasted> wasted = new ArrayList<>();

  /** Files of the upper that the lowers do not have by that name; they may have been moved. */
  private final Map<Likeness, List<Arrival>> arrivals = new HashMap<>();

  /** What the lowers have and the mount does not show by that name. */
  private final List<Arrival> gone = new ArrayList<>();

  /**
   * A file that takes room in the upper for data that a lower has.
   *
   * @param path from the root of the tree, with a slash before it; of a file with several names one
   * @param bytes of allocated blocks
   * @param from for a file that was moved: the path by which the lowers have its data
   */
  public record Wasted(OsPath path, long bytes, Reason reason, Optional<OsPath> from) {}

  /** What the copy was made for. */
  public enum Reason {
    /** Owner, group, mode, times or extended attributes are others than below. */
    ATTRIBUTES,
    /** Another name; the data was copied since rename(2) could not move it. */
    MOVED,
    /** Nothing that is left of it: it was opened for writing, or changed and changed back. */
    UNCHANGED
  }

  /** What a directory is made of with the upper, and without it. */
  private record Pair(OsPath path, List<Place> newer, List<Place> older) {}

  private record Arrival(OsPath path, Found found) {}

  /** mv(1) keeps both. */
  private record Likeness(long size, Timestamp modified) {
    static Likeness of(Found found) {
      return new Likeness(found.data().stat().size(), found.top().stat().modified());
    }
  }

  private WastedCopies(
      Syscalls sys, MergedTree newer, MergedTree older, BooleanSupplier cancelled) {
    this.newer = newer;
    this.older = older;
    this.cancelled = cancelled;
    this.data = new DataComparison(sys, Progress.NONE, cancelled);
    this.upper = newer.root().getFirst().layer();
  }

  /**
   * Looks at all that is in the upper and, where something was deleted and something else came, at
   * what was deleted.
   *
   * @param view the upper being its first layer
   * @param lowers the same without the upper
   * @param cancelled asked before every name
   * @return by path
   * @throws EngineException a layer cannot be read; cancelled
   */
  public static List<Wasted> find(
      Syscalls sys, View.Union view, View.Union lowers, BooleanSupplier cancelled)
      throws EngineException {
    try (MergedTree newer = MergedTree.open(sys, view);
        MergedTree older = MergedTree.open(sys, lowers)) {
      older.shareBottom(newer);
      return new WastedCopies(sys, newer, older, cancelled).run();
    }
  }

  private List<Wasted> run() throws EngineException {
    waiting.push(new Pair(OsPath.EMPTY, newer.root(), older.root()));
    while (!waiting.isEmpty()) {
      directory(waiting.pop());
    }
    if (!arrivals.isEmpty()) {
      MergedWalk walk = new MergedWalk(older, cancelled);
      for (Arrival from : gone) {
        walk.walk(from.path(), from.found(), this::departed);
      }
    }
    wasted.sort(Comparator.comparing(Wasted::path));
    return wasted;
  }

  /** Only what the upper has of it; what lies below is asked by the names that are found there. */
  private void directory(Pair pair) throws EngineException {
    try (OpenStack with = new OpenStack(pair.newer(), Linux.O_RDONLY);
        OpenStack own = new OpenStack(pair.newer().subList(0, 1), Linux.O_RDONLY);
        OpenStack without = new OpenStack(pair.older(), Linux.O_PATH)) {
      List<OpenDirectory> below = with.directories().subList(1, with.directories().size());
      for (OsPath name : own.names()) {
        if (cancelled.getAsBoolean()) {
          throw EngineException.failed("cancelled", Errno.ECANCELED);
        }
        Optional<Found> here = newer.lookup(with.directories(), name);
        Optional<Found> there = older.lookup(without.directories(), name);
        Optional<Found> under = newer.lookup(below, name);
        OsPath path = pair.path().resolve(name);
        if (here.isEmpty()) {
          there.ifPresent(found -> gone.add(new Arrival(path, found)));
        } else if (here.get().isDirectory()) {
          enter(path, here.get(), there);
        } else {
          file(path, here.get(), under, there);
        }
      }
    }
  }

  private void enter(OsPath path, Found here, Optional<Found> there) {
    if (here.top().where().layer() != upper) {
      return;
    }
    List<Place> before = there.map(Found::stack).orElse(List.of());
    boolean shinesThrough =
        !before.isEmpty() && here.stack().getLast().sameDirectory(before.getLast());
    if (there.isPresent() && !shinesThrough) {
      gone.add(new Arrival(path, there.get()));
    }
    waiting.push(new Pair(path, here.stack(), before));
  }

  private void file(OsPath path, Found here, Optional<Found> under, Optional<Found> there)
      throws EngineException {
    boolean copied =
        here.data().where().layer() == upper
            && here.data().stat().isRegularFile()
            && here.data().stat().blocks() > 0
            && seen.add(here.data().identity());
    if (copied && under.isPresent() && sameData(here, under.get())) {
      add(path, here, reason(here, under.get()), Optional.empty());
      return;
    }
    if (copied) {
      arrivals
          .computeIfAbsent(Likeness.of(here), any -> new ArrayList<>())
          .add(new Arrival(path, here));
    }
    there.ifPresent(found -> gone.add(new Arrival(path, found)));
  }

  private boolean sameData(Found here, Found there) throws EngineException {
    return there.data().stat().isRegularFile()
        && here.data().stat().size() == there.data().stat().size()
        && data.same(here.data(), there.data());
  }

  private static Reason reason(Found here, Found there) throws EngineException {
    return Comparison.sameStatus(here, there) && Comparison.sameAttributes(here, there)
        ? Reason.UNCHANGED
        : Reason.ATTRIBUTES;
  }

  /** A file that the lowers have: perhaps one of those that came is the same. */
  private void departed(OsPath from, Found found) throws EngineException {
    List<Arrival> alike = arrivals.getOrDefault(Likeness.of(found), List.of());
    for (Arrival arrival : alike) {
      if (sameData(arrival.found(), found)) {
        add(arrival.path(), arrival.found(), Reason.MOVED, Optional.of(rooted(from)));
        alike.remove(arrival);
        return;
      }
    }
  }

  private void add(OsPath path, Found found, Reason reason, Optional<OsPath> from) {
    long bytes = found.data().stat().blocks() * BLOCK_BYTES;
    wasted.add(new Wasted(rooted(path), bytes, reason, from));
  }

  private static OsPath rooted(OsPath path) {
    return OsPath.ROOT.resolve(path);
  }
}
