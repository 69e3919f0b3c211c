package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Found.Real;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.Beneath;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;

/**
 * Walks two merged trees side by side.
 *
 * <p>Of two directories the real ones that both are made of at the bottom, in the same order, hold
 * the same names for both: what is found there is the same unless something above it is different.
 * So only the others are listed, the upper as a rule, and their names are looked up in both trees.
 */
final class Comparison {
  private static final int BUFFER_BYTES = 256 * 1024;
  private static final int BLOCK_BYTES = 512;

  private final Syscalls sys;
  private final MergedTree newer;
  private final MergedTree older;

  /** The newer tree is the older one with layers above it. */
  private final boolean onTop;

  private final Progress progress;
  private final BooleanSupplier cancelled;
  private final HardLinks links = new HardLinks();
  private final Deque<Pair> waiting = new ArrayDeque<>();
  private Optional<Buffers> buffers = Optional.empty();

  /** What a directory is made of in both trees; an empty list where a tree does not have it. */
  private record Pair(Entry entry, List<Place> newer, List<Place> older) {}

  private record Buffers(ByteBuffer newer, ByteBuffer older) {
    static Buffers allocate() {
      return new Buffers(
          ByteBuffer.allocateDirect(BUFFER_BYTES), ByteBuffer.allocateDirect(BUFFER_BYTES));
    }
  }

  Comparison(
      Syscalls sys,
      MergedTree newer,
      MergedTree older,
      boolean onTop,
      Progress progress,
      BooleanSupplier cancelled) {
    this.sys = sys;
    this.newer = newer;
    this.older = older;
    this.onTop = onTop;
    this.progress = progress;
    this.cancelled = cancelled;
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
    List<Place> stack = newer.root();
    List<Place> before = older.root();
    List<OpenDirectory> open = new ArrayList<>();
    try {
      Optional<Found> here = found(stack, open);
      Optional<Found> there = found(before, open);
      Entry.State state = here.isPresent() ? state(here.get(), there) : Entry.State.SAME;
      Entry entry = Entry.root(state, here);
      waiting.push(new Pair(entry, stack, before));
      return entry;
    } finally {
      open.forEach(OpenDirectory::close);
    }
  }

  /** The root is all layers' roots, whatever their attributes say; empty in an empty tree. */
  private static Optional<Found> found(List<Place> roots, List<OpenDirectory> open)
      throws EngineException {
    if (roots.isEmpty()) {
      return Optional.empty();
    }
    Layer layer = roots.getFirst().layer();
    OpenDirectory where = new OpenDirectory(layer, OsPath.EMPTY, Linux.O_PATH);
    open.add(where);
    return layer.find(where, OsPath.EMPTY).map(real -> new Found(real, roots, real));
  }

  // ---- directories ----------------------------------------------------------------------------

  private void directory(Pair pair) throws EngineException {
    // what may have to be sent as a whole is listed as a whole
    int common = pair.entry().isWhole() ? 0 : commonBottom(pair.newer(), pair.older());
    List<OpenDirectory> newerStack = new ArrayList<>();
    List<OpenDirectory> olderStack = new ArrayList<>();
    try {
      openOwn(pair.newer(), common, newerStack);
      openOwn(pair.older(), common, olderStack);
      SortedSet<OsPath> names = new TreeSet<>();
      for (OpenDirectory directory : newerStack) {
        directory.layer().list(directory, names);
      }
      for (OpenDirectory directory : olderStack) {
        directory.layer().list(directory, names);
      }
      for (Place place : pair.newer().subList(pair.newer().size() - common, pair.newer().size())) {
        OpenDirectory shared = new OpenDirectory(place.layer(), place.path(), Linux.O_PATH);
        newerStack.add(shared);
        olderStack.add(shared);
      }
      List<Pair> below = new ArrayList<>();
      for (OsPath name : names) {
        if (cancelled.getAsBoolean()) {
          throw EngineException.failed("cancelled", Errno.ECANCELED);
        }
        progress.looked();
        name(pair.entry(), name, newerStack, olderStack, below);
      }
      below.forEach(waiting::push);
    } finally {
      newerStack.forEach(OpenDirectory::close);
      olderStack.forEach(OpenDirectory::close);
    }
  }

  private static void openOwn(List<Place> stack, int common, List<OpenDirectory> open) {
    for (Place place : stack.subList(0, stack.size() - common)) {
      open.add(new OpenDirectory(place.layer(), place.path(), Linux.O_RDONLY));
    }
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
    if (newStat.mode() != oldStat.mode()
        || newStat.uid() != oldStat.uid()
        || newStat.gid() != oldStat.gid()
        || !newStat.modified().equals(oldStat.modified())
        || (type == Linux.S_IFREG && newStat.size() != oldStat.size())
        || newStat.rdevMajor() != oldStat.rdevMajor()
        || newStat.rdevMinor() != oldStat.rdevMinor()) {
      return false;
    }
    if (!newStat.sameFile(oldStat) && !sameAttributes(here, there)) {
      return false;
    }
    if (type == Linux.S_IFLNK) {
      return target(here).equals(target(there));
    }
    return type != Linux.S_IFREG
        || here.data().stat().sameFile(there.data().stat())
        || sameData(here, there);
  }

  private static boolean sameAttributes(Found here, Found there) throws EngineException {
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

  /** False when one of them is gone. */
  private boolean sameData(Found here, Found there) throws EngineException {
    if (here.top().stat().size() == 0) {
      return true;
    }
    try (OpenFile some = OpenFile.open(sys, here.data());
        OpenFile other = OpenFile.open(sys, there.data())) {
      if (buffers.isEmpty()) {
        buffers = Optional.of(Buffers.allocate());
      }
      return some.isOpen() && other.isOpen() && sameData(some, other, buffers.get());
    }
  }

  private boolean sameData(OpenFile here, OpenFile there, Buffers into) throws EngineException {
    boolean holes = here.hasHoles() || there.hasHoles();
    long at = 0;
    while (true) {
      if (cancelled.getAsBoolean()) {
        throw EngineException.failed("cancelled", Errno.ECANCELED);
      }
      if (holes) {
        at = Math.min(here.nextData(at), there.nextData(at));
        here.seek(at);
        there.seek(at);
      }
      here.read(into.newer().clear());
      there.read(into.older().clear());
      if (!into.newer().flip().equals(into.older().flip())) {
        return false;
      }
      int length = into.newer().limit();
      if (length == 0) {
        return true;
      }
      at += length;
      progress.read(2L * length);
    }
  }

  /** A file that is being compared, if it is still there. */
  private static final class OpenFile implements AutoCloseable {
    private final Syscalls sys;
    private final Real real;
    private final Optional<Fd> fd;

    private OpenFile(Syscalls sys, Real real, Optional<Fd> fd) {
      this.sys = sys;
      this.real = real;
      this.fd = fd;
    }

    static OpenFile open(Syscalls sys, Real real) throws EngineException {
      return new OpenFile(sys, real, real.where().layer().openData(real.place()));
    }

    boolean isOpen() {
      return fd.isPresent();
    }

    boolean hasHoles() {
      return real.stat().blocks() * BLOCK_BYTES < real.stat().size();
    }

    /** Where there is data at or behind an offset; the end, as it was, where there is none. */
    long nextData(long from) throws EngineException {
      try {
        return sys.lseek(fd.orElseThrow().number(), from, Linux.SEEK_DATA);
      } catch (ErrnoException e) {
        if (e.is(Errno.ENXIO)) {
          return Math.max(from, real.stat().size());
        }
        if (e.is(Errno.EINVAL)) {
          return from;
        }
        throw failed(e);
      }
    }

    void seek(long to) throws EngineException {
      try {
        sys.lseek(fd.orElseThrow().number(), to, Linux.SEEK_SET);
      } catch (ErrnoException e) {
        throw failed(e);
      }
    }

    /** Fills the buffer as far as there is data. */
    void read(ByteBuffer buffer) throws EngineException {
      try {
        int last = 1;
        while (last > 0 && buffer.hasRemaining()) {
          last = sys.read(fd.orElseThrow().number(), buffer);
        }
      } catch (ErrnoException e) {
        if (!Beneath.isGone(e)) {
          throw failed(e);
        }
      }
    }

    private EngineException failed(ErrnoException e) {
      return real.where().layer().unreadable(real.place().path(), e);
    }

    @Override
    public void close() {
      fd.ifPresent(Fd::close);
    }
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
