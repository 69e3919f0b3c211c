package dev.ovl.engine.fsck;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Holding;
import dev.ovl.engine.diff.LayerEntry;
import dev.ovl.engine.diff.LayerEntry.Below;
import dev.ovl.engine.diff.LayerWalk;
import dev.ovl.engine.diff.PathSearch;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.fsck.Finding.Kind;
import dev.ovl.engine.fsck.Handles.Found;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Judges what an upper holds. */
final class UpperVisitor implements LayerWalk.Visitor {
  static final String ORIGIN = "origin";
  static final String REDIRECT = "redirect";
  static final String NLINK = "nlink";
  static final String IMPURE = "impure";
  static final String OPAQUE = "opaque";

  /** What {@code ovlctl mv} and libovl-exdev call what they have not finished. */
  private static final Pattern MOVE = Pattern.compile("(\\.ovl-mv-[0-9a-f]{16})(\\.[a-z.]+)?");

  private static final String SECOND = "which of the two is meant only their owner knows";

  private final Syscalls sys;
  private final View.Union view;
  private final String prefix;
  private final OsPath upper;
  private final Handles handles;
  private final boolean onOneFileSystem;
  private final MountedView mounted;
  private final boolean idle;
  private final List<Finding> found;

  /** Directories of lowers that merge into one of the upper, and into which. */
  private final Map<String, OsPath> merged = new HashMap<>();

  private final TreeSet<String> moves = new TreeSet<>();
  private long leading;
  private long leadingNowhere;
  private boolean impure;
  private boolean holdsCopies;

  /**
   * @param handles of the lowers
   * @param onOneFileSystem all layers are
   * @param idle nothing is mounted: nobody is at work
   */
  UpperVisitor(
      Syscalls sys,
      View.Union view,
      Handles handles,
      boolean onOneFileSystem,
      MountedView mounted,
      boolean idle,
      List<Finding> found) {
    this.sys = sys;
    this.view = view;
    this.prefix = view.books().prefix().orElseThrow();
    this.upper = view.layers().getFirst();
    this.handles = handles;
    this.onOneFileSystem = onOneFileSystem;
    this.mounted = mounted;
    this.idle = idle;
    this.found = found;
  }

  /** How many origins lead to a file. */
  long leading() {
    return leading;
  }

  /** How many lead to none. */
  long leadingNowhere() {
    return leadingNowhere;
  }

  private void add(Kind kind, OsPath path, String text, Mend mend) {
    found.add(Finding.of(kind, upper, path, text, mend));
  }

  private void add(Kind kind, OsPath path, String text, String reason) {
    found.add(Finding.of(kind, upper, path, text, reason));
  }

  // ---- directories --------------------------------------------------------------------------

  @Override
  public void enter(OsPath path, Fd directory) throws ErrnoException {
    impure = sys.fgetxattr(directory.number(), prefix + IMPURE).isPresent();
    holdsCopies = false;
    moves.clear();
    mounted.enter(path);
  }

  @Override
  public void leave(OsPath path, Fd directory) {
    mounted.leave();
    // where inode numbers of lowers cannot be kept, the kernel takes the mark away again
    if (holdsCopies && !impure && onOneFileSystem) {
      add(
          Kind.IMPURE_MISSING,
          path,
          "the directory holds what was copied up and is not marked as impure: inode numbers in"
              + " listings may be wrong",
          new Mend.MarkImpure());
    }
    if (idle) {
      leftOfMoves(path);
    }
  }

  private void leftOfMoves(OsPath path) {
    TreeSet<String> stems = new TreeSet<>();
    for (String name : moves) {
      stems.add(name.substring(0, MOVE_STEM));
    }
    for (String stem : stems) {
      boolean journal = moves.contains(stem + ".json") || moves.contains(stem + ".json.new");
      if (journal) {
        OsPath name = OsPath.of(stem + (moves.contains(stem + ".json") ? ".json" : ".json.new"));
        add(Kind.MOVE_LEFTOVER, path.resolve(name), "a move did not end", new Mend.EndMoves());
        continue;
      }
      for (String name : moves.tailSet(stem)) {
        if (name.startsWith(stem)) {
          add(
              Kind.MOVE_LEFTOVER,
              path.resolve(OsPath.of(name)),
              "a copy that a rename across layers did not finish; its source is whole",
              new Mend.Sweep());
        }
      }
    }
  }

  private static final int MOVE_STEM = ".ovl-mv-".length() + 16;

  // ---- names --------------------------------------------------------------------------------

  @Override
  public void visit(LayerEntry entry) throws EngineException, ErrnoException {
    if (entry.path().isEmpty()) {
      root(entry);
      return;
    }
    if (MOVE.matcher(entry.name().toString()).matches()) {
      moves.add(entry.name().toString());
    }
    Optional<String> differs = mounted.differs(entry);
    if (differs.isPresent()) {
      add(
          Kind.SHOWN_OTHERWISE,
          entry.path(),
          differs.get() + ": somebody changed the upper below the mount",
          "unmounting and mounting again shows what the upper has");
    }
    if (entry.whiteout()) {
      whiteout(entry);
      return;
    }
    Verdict.of(entry).ifPresent(verdict -> add(entry, verdict));
    if (entry.stat().isDirectory() && entry.below().isPresent()) {
      shownTwice(entry, entry.below().get());
    }
    if (hasBook(entry, ORIGIN)) {
      origin(entry);
    }
    if (hasBook(entry, NLINK) && !entry.stat().isDirectory()) {
      links(entry);
    }
  }

  private void add(LayerEntry entry, Verdict verdict) {
    switch (verdict.kind()) {
      case REDIRECT_DANGLING, REDIRECT_MALFORMED ->
          add(verdict.kind(), entry.path(), verdict.text(), new Mend.Seal());
      case REDIRECT_IDLE ->
          add(verdict.kind(), entry.path(), verdict.text(), new Mend.Forget(REDIRECT));
      case DATA_MISSING ->
          add(
              verdict.kind(),
              entry.path(),
              verdict.text(),
              "only who has the data can write the file anew");
      default -> add(verdict.kind(), entry.path(), verdict.text(), "its layer is no upper");
    }
  }

  private boolean hasBook(LayerEntry entry, String name) {
    return entry.xattrs().contains(prefix + name);
  }

  private Optional<byte[]> book(LayerEntry entry, String name) throws ErrnoException {
    OsPath path = Files.procPath(entry.directory()).resolve(entry.name());
    return hasBook(entry, name) ? sys.getxattr(path, prefix + name, false) : Optional.empty();
  }

  private void whiteout(LayerEntry entry) throws ErrnoException {
    if (entry.below().isEmpty()) {
      add(
          Kind.WHITEOUT_USELESS,
          entry.path(),
          entry.merging()
              ? "a whiteout, and no layer below has the name"
              : "a whiteout in a directory that nothing merges with: listings show it",
          new Mend.Unlink());
    } else if (!entry.stat().isWhiteout()
        && sys.fgetxattr(entry.directory().number(), prefix + OPAQUE).isEmpty()) {
      add(
          Kind.WHITEOUT_UNMARKED,
          entry.path(),
          "a whiteout that is a file, in a directory that is not marked to have such: the mount"
              + " shows it",
          new Mend.MarkWhiteouts());
    }
  }

  /**
   * Two directories of the upper, or one and another that the upper has not, that show the same one
   * of a lower.
   */
  private void shownTwice(LayerEntry entry, Below below) throws EngineException {
    OsPath other = merged.putIfAbsent(below.stat().identity(), entry.path());
    // moved away and back again it is redirected to where it is
    boolean away = entry.redirected() && !below.path().equals(entry.path());
    if (other == null && away && isShown(below)) {
      other = below.path();
    }
    if (other != null) {
      add(
          Kind.REDIRECT_TWICE,
          entry.path(),
          "the directory below it is shown by another name, too: "
              + OsPath.ROOT.resolve(other).quoted(),
          SECOND);
    }
  }

  /** Whether the directory of the lower is also seen by its own name. */
  private boolean isShown(Below below) throws EngineException {
    try {
      for (Holding holding : PathSearch.find(sys, view, below.path())) {
        if (holding.layer() == below.layer() && holding.path().equals(below.path())) {
          return holding.role() == Holding.Role.SERVES || holding.role() == Holding.Role.MERGES;
        }
      }
      return false;
    } catch (EngineException e) {
      if (e.errno().isPresent()) {
        throw e;
      }
      return false; // something on the way is broken, and told
    }
  }

  // ---- origins ------------------------------------------------------------------------------

  private void origin(LayerEntry entry) throws ErrnoException {
    Optional<byte[]> value = book(entry, ORIGIN);
    if (value.isEmpty()) {
      return;
    }
    Mend forget = new Mend.Forget(ORIGIN);
    switch (OriginHandle.read(value.get())) {
      case OriginHandle.Silent silent -> {}
      case OriginHandle.Malformed malformed ->
          add(
              Kind.ORIGIN_MALFORMED,
              entry.path(),
              "what should say from which file it was copied up is no file handle",
              forget);
      case OriginHandle.Handle handle -> {
        switch (handles.find(handle)) {
          case Found.Untold untold -> {}
          case Found.Nothing nothing -> {
            leadingNowhere++;
            add(
                Kind.ORIGIN_STALE,
                entry.path(),
                "the file that it was copied up from is no more; its inode number is another"
                    + " after the next mount",
                forget);
          }
          case Found.File(Statx file) -> {
            leading++;
            holdsCopies |= file.isDirectory() || file.links() == 1;
            if (entry.stat().isDirectory()
                && entry.below().filter(below -> !below.stat().sameFile(file)).isPresent()) {
              add(
                  Kind.ORIGIN_WRONG,
                  entry.path(),
                  "the directory was copied up from another one than it merges with",
                  forget);
            }
          }
        }
      }
    }
  }

  /** The kernel sets the root's origin with index=on, and then mounts above no other lower. */
  private void root(LayerEntry entry) throws ErrnoException {
    Optional<byte[]> value = book(entry, ORIGIN);
    if (value.isEmpty()
        || entry.below().isEmpty()
        || !(OriginHandle.read(value.get()) instanceof OriginHandle.Handle handle)) {
      return;
    }
    Statx lower = entry.below().get().stat();
    boolean changed =
        switch (handles.find(handle)) {
          case Found.Untold untold -> false;
          case Found.Nothing nothing -> true;
          case Found.File(Statx file) -> !file.sameFile(lower);
        };
    if (changed) {
      add(
          Kind.LOWER_CHANGED,
          OsPath.EMPTY,
          "the upper was made above another lower than "
              + view.layers().get(1).quoted()
              + ": with index=on or nfs_export=on the kernel does not mount it (ESTALE)",
          new Mend.Forget(ORIGIN));
    }
  }

  // ---- links --------------------------------------------------------------------------------

  private void links(LayerEntry entry) throws ErrnoException {
    Optional<byte[]> value = book(entry, NLINK);
    Optional<byte[]> origin = book(entry, ORIGIN);
    if (value.isEmpty()
        || origin.isEmpty()
        || !(OriginHandle.read(origin.get()) instanceof OriginHandle.Handle handle)
        || !(handles.find(handle) instanceof Found.File(Statx lower))) {
      return;
    }
    int upperLinks = entry.stat().links();
    Optional<Integer> count = LinkCount.read(text(value.get()), upperLinks, lower.links());
    // one of the links may be the index's
    int least = Math.max(1, upperLinks - 1);
    int most = upperLinks + lower.links();
    if (count.isEmpty() || count.get() < least || count.get() > most) {
      add(
          Kind.LINKS_WRONG,
          entry.path(),
          "its number of links cannot be: " + OsPath.quoted(text(value.get())),
          new Mend.CountLinks(LinkCount.atLeast(upperLinks, lower.links())));
    }
  }

  private static String text(byte[] value) {
    return new String(value, StandardCharsets.ISO_8859_1);
  }
}
