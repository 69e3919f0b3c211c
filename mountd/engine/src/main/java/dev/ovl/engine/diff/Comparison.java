package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.sys.Errno;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.function.BooleanSupplier;

/**
 * Walks two merged trees side by side.
 *
 * <p>Of two directories the real ones that both are made of at the bottom, in the same order, hold
 * the same names for both: what is found there is the same unless something above it is different.
 * So only the others are listed, the upper as a rule, and their names are looked up in both trees.
 */
final class Comparison {
  private final MergedTree newer;
  private final MergedTree older;

  /** The newer tree is the older one with layers above it. */
  private final boolean onTop;

  private final Progress progress;
  private final BooleanSupplier cancelled;
  private final HardLinks links = new HardLinks();
  private final Deque<Pair> waiting = new ArrayDeque<>();
  private final DataComparison data;

  /** What a directory is made of in both trees; an empty list where a tree does not have it. */
  private record Pair(Entry entry, List<Place> newer, List<Place> older) {}

  Comparison(
      Syscalls sys,
      MergedTree newer,
      MergedTree older,
      boolean onTop,
      Progress progress,
      BooleanSupplier cancelled) {
    this.newer = newer;
    this.older = older;
    this.onTop = onTop;
    this.progress = progress;
    this.cancelled = cancelled;
    this.data = new DataComparison(sys, progress, cancelled);
  }

  /** Compares all, and returns the root with every name beneath it that was looked at. */
  Entry run() throws EngineException {
    Entry root = root();
    while (!waiting.isEmpty()) {
      directory(waiting.pop());
    }
    links.settle();
    List<Entry> leavesFirst = leavesFirst(root);
    do {
      markRelevant(leavesFirst);
      markSent(root);
    } while (links.complete());
    forgetIrrelevant(leavesFirst);
    return root;
  }

  private Entry root() throws EngineException {
    try (OpenStack here = new OpenStack(newer.root(), Linux.O_PATH);
        OpenStack there = new OpenStack(older.root(), Linux.O_PATH)) {
      Optional<Found> root = newer.root(here.directories());
      Entry.State state =
          root.isPresent() ? state(root.get(), older.root(there.directories())) : Entry.State.SAME;
      Entry entry = Entry.root(state, root);
      waiting.push(new Pair(entry, newer.root(), older.root()));
      return entry;
    }
  }

  // ---- directories ----------------------------------------------------------------------------

  private void directory(Pair pair) throws EngineException {
    // what may have to be sent as a whole is listed as a whole
    int common = pair.entry().isWhole() ? 0 : commonBottom(pair.newer(), pair.older());
    int ofNewer = pair.newer().size() - common;
    int ofOlder = pair.older().size() - common;
    try (OpenStack here = new OpenStack(pair.newer().subList(0, ofNewer), Linux.O_RDONLY);
        OpenStack there = new OpenStack(pair.older().subList(0, ofOlder), Linux.O_RDONLY);
        OpenStack shared =
            new OpenStack(pair.newer().subList(ofNewer, pair.newer().size()), Linux.O_PATH)) {
      SortedSet<OsPath> names = here.names();
      names.addAll(there.names());
      List<OpenDirectory> newerStack = above(here, shared);
      List<OpenDirectory> olderStack = above(there, shared);
      List<Pair> below = new ArrayList<>();
      for (OsPath name : names) {
        if (cancelled.getAsBoolean()) {
          throw EngineException.failed("cancelled", Errno.ECANCELED);
        }
        progress.looked();
        name(pair.entry(), name, newerStack, olderStack, below);
      }
      below.forEach(waiting::push);
    }
  }

  private static List<OpenDirectory> above(OpenStack own, OpenStack shared) {
    List<OpenDirectory> all = new ArrayList<>(own.directories());
    all.addAll(shared.directories());
    return all;
  }

  private static int commonBottom(List<Place> some, List<Place> others) {
    int common = 0;
    while (common < some.size()
        && common < others.size()
        && some.get(some.size() - 1 - common)
            .sameDirectory(others.get(others.size() - 1 - common))) {
      common++;
    }
    return common;
  }

  private void name(
      Entry parent,
      OsPath name,
      List<OpenDirectory> newerStack,
      List<OpenDirectory> olderStack,
      List<Pair> below)
      throws EngineException {
    Optional<Found> here = newer.lookup(newerStack, name);
    Optional<Found> there = older.lookup(olderStack, name);
    if (here.isEmpty()) {
      if (there.isPresent()) {
        Entry entry = Entry.deleted(name);
        parent.children().add(entry);
        links.add(entry, there, here);
      }
      return;
    }
    Entry entry = Entry.of(name, state(here.get(), there), here.get());
    if (parent.isWhole()) {
      entry.setWhole();
    }
    boolean candidate = links.add(entry, there, here);
    if (entry.isChanged() || entry.isWhole() || candidate || entry.isDirectory()) {
      parent.children().add(entry);
    }
    if (!entry.isDirectory()) {
      return;
    }
    List<Place> stack = here.get().stack();
    List<Place> before = there.map(Found::stack).orElse(List.of());
    int common = commonBottom(stack, before);
    if (onTop && common == 0 && !before.isEmpty()) {
      entry.setReplacing();
      entry.setWhole();
    }
    if (entry.isWhole() || common < stack.size() || common < before.size()) {
      below.add(new Pair(entry, stack, before));
    }
  }

  // ---- files ----------------------------------------------------------------------------------

  private Entry.State state(Found here, Optional<Found> there) throws EngineException {
    if (there.isEmpty()) {
      return Entry.State.ADDED;
    }
    return areAlike(here, there.get()) ? Entry.State.SAME : Entry.State.CHANGED;
  }

  /** By all that can be told without other names; cheap things first, data last. */
  private boolean areAlike(Found here, Found there) throws EngineException {
    if (here.sameFile(there)) {
      return true;
    }
    Statx newStat = here.top().stat();
    Statx oldStat = there.top().stat();
    int type = newStat.mode() & Linux.S_IFMT;
    if (!sameStatus(here, there)
        || (type == Linux.S_IFREG && newStat.size() != oldStat.size())
        || (!newStat.sameFile(oldStat) && !sameAttributes(here, there))) {
      return false;
    }
    if (type == Linux.S_IFLNK) {
      return target(here).equals(target(there));
    }
    return type != Linux.S_IFREG
        || here.data().stat().sameFile(there.data().stat())
        || data.same(here.data(), there.data());
  }

  /** Kind, permissions, owner, time, the numbers of a device. */
  static boolean sameStatus(Found here, Found there) {
    Statx newStat = here.top().stat();
    Statx oldStat = there.top().stat();
    return newStat.mode() == oldStat.mode()
        && newStat.uid() == oldStat.uid()
        && newStat.gid() == oldStat.gid()
        && newStat.modified().equals(oldStat.modified())
        && newStat.rdevMajor() == oldStat.rdevMajor()
        && newStat.rdevMinor() == oldStat.rdevMinor();
  }

  /** Extended attributes, as a mount shows them. */
  static boolean sameAttributes(Found here, Found there) throws EngineException {
    boolean listed = here.isDirectory() || here.top().stat().isRegularFile();
    return (listed && here.top().xattrs().isEmpty() && there.top().xattrs().isEmpty())
        || attributes(here).equals(attributes(there));
  }

  private static Optional<Attributes> attributes(Found found) throws EngineException {
    return found.top().where().layer().attributes(found.top());
  }

  private static Optional<OsPath> target(Found found) throws EngineException {
    return found.top().where().layer().target(found.top());
  }

  // ---- afterwards -----------------------------------------------------------------------------

  /** Without recursion: trees are deep. */
  private static List<Entry> leavesFirst(Entry root) {
    Deque<Entry> unseen = new ArrayDeque<>();
    List<Entry> parentsFirst = new ArrayList<>();
    unseen.push(root);
    while (!unseen.isEmpty()) {
      Entry entry = unseen.pop();
      parentsFirst.add(entry);
      entry.children().forEach(unseen::push);
    }
    return parentsFirst.reversed();
  }

  private static void markRelevant(List<Entry> leavesFirst) {
    for (Entry entry : leavesFirst) {
      if (entry.isChanged() || entry.children().stream().anyMatch(Entry::isTold)) {
        entry.setTold();
      }
      if (entry.isTold()
          || entry.isResent()
          || entry.children().stream().anyMatch(Entry::isRelevant)) {
        entry.setRelevant();
      }
    }
  }

  private static void markSent(Entry root) {
    for (Cursor at = new Cursor(root); at.next(); ) {
      if (at.isReplaced() || at.entry().isChanged() || at.entry().isResent()) {
        at.entry().setSent();
      }
    }
  }

  private static void forgetIrrelevant(List<Entry> leavesFirst) {
    for (Entry entry : leavesFirst) {
      if (!entry.isWhole()) {
        entry.children().removeIf(child -> !child.isRelevant());
      }
    }
  }
}
