package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * What changed from one tree to another.
 *
 * <p><b>What counts as a change</b> of a path that both trees have: its kind, permissions, owner,
 * group, modification time (to the nanosecond), extended attributes as a mount shows them, data,
 * the target of a symbolic link, the numbers of a device; and that it is a hard link of other names
 * than before. Of a directory neither size nor number of links count; never access and change
 * times. Two files that look alike are compared to the byte, unless they are the same real file.
 *
 * <p><b>Hard links</b> are told among the names that there is reason to look at. A name whose real
 * file both trees share is the same whatever other names that file has got or lost.
 *
 * <p><b>What happens meanwhile.</b> A stack may be up and written to. Whatever vanishes is told as
 * if it had not been there, or as deleted where the older tree has it; it is never a failure. A
 * file that is moved may be told twice or not at all; of one that is written to, the size is what
 * it was a moment before its data is read. What was not touched while it was looked at is told
 * right.
 *
 * <p>Keeps about 200 bytes of memory for every name that changed. Not for several threads at once.
 */
public final class TreeDiff implements AutoCloseable {
  private final MergedTree newer;
  private final MergedTree older;
  private final Entry root;
  private final Progress progress;
  private final BooleanSupplier cancelled;

  private TreeDiff(
      MergedTree newer,
      MergedTree older,
      Entry root,
      Progress progress,
      BooleanSupplier cancelled) {
    this.newer = newer;
    this.older = older;
    this.root = root;
    this.progress = progress;
    this.cancelled = cancelled;
  }

  /**
   * Compares two trees. The cost grows with what changed, wherever the newer tree is the older one
   * with layers above it; else, and with plain directories, with the trees.
   *
   * @param progress hears of every name, here and in {@link #stream}
   * @param cancelled asked before every name, here and in {@link #stream}
   * @return the result, which keeps the layers open until it is closed
   * @throws EngineException a layer cannot be read, or holds what makes no sense; cancelled
   */
  public static TreeDiff compare(
      Syscalls sys, View newer, View older, Progress progress, BooleanSupplier cancelled)
      throws EngineException {
    MergedTree here = MergedTree.open(sys, newer);
    MergedTree there;
    try {
      there = MergedTree.open(sys, older);
    } catch (EngineException e) {
      here.close();
      throw e;
    }
    try {
      boolean onTop = there.shareBottom(here);
      Entry root = new Comparison(sys, here, there, onTop, progress, cancelled).run();
      return new TreeDiff(here, there, root, progress, cancelled);
    } catch (EngineException | RuntimeException e) {
      there.close();
      here.close();
      throw e;
    }
  }

  /**
   * The changes as {@code docker diff} letters and orders them: by name, compared by bytes, a
   * directory right before what is in it. A directory is told when its attributes changed or
   * something beneath it did; one that is gone is told once, one that became a file is C, and a
   * file that became a directory is C with its content as A. The root is never told.
   *
   * <p>dockerd tells the same, but gives the names of a directory in no order, since it compares
   * two mounts; it takes times in the same second for equal when one of them has no fraction, and
   * does not see an edit that leaves size and time alone, a symbolic link's new target of the same
   * length and time, a directory's new time, extended attributes other than {@code
   * security.capability}, and that a name is a hard link of other names than before. Old ones list
   * overlay2's uppers themselves (OverlayChanges): what was copied up is C there even when nothing
   * changed, and a directory that was deleted and made anew D, what is in it C or A, and nothing of
   * what it hid is told.
   */
  public List<Change> changes() {
    List<Change> changes = new ArrayList<>();
    for (Cursor at = new Cursor(root); at.next(); ) {
      if (at.entry().isTold() && !at.path().isEmpty()) {
        changes.add(new Change(kind(at.entry()), OsPath.ROOT.resolve(at.path())));
      }
    }
    return changes;
  }

  private static Change.Kind kind(Entry entry) {
    return entry.isAdded()
        ? Change.Kind.ADDED
        : entry.isDeleted() ? Change.Kind.DELETED : Change.Kind.CHANGED;
  }

  /**
   * The bytes of the regular files that {@link #stream} sends, holes included, those of a file with
   * several names once. That is what dockerd's DiffSize counts by ChangesSize, but that it adds the
   * length of symbolic links' targets; its overlay2 driver adds up the upper where it can.
   */
  public long size() {
    Set<Identity> counted = new HashSet<>();
    long size = 0;
    for (Cursor at = new Cursor(root); at.next(); ) {
      Entry entry = at.entry();
      if (entry.isSent() && (entry.identity().isEmpty() || counted.add(entry.identity().get()))) {
        size += entry.size();
      }
    }
    return size;
  }

  /**
   * Sends the changes. Applied to a copy of the older tree they give the newer one; applied to an
   * empty layer, a mount of it above the older layers shows the newer tree.
   *
   * <p>In the order of {@link #changes}. The parents of what changed are sent with their
   * attributes, the root among them. A directory that nothing of the older one shines through any
   * more, an opaque or a redirected one, is sent opaque and with all that is in it, unless nothing
   * changed there. Redirects and metadata-only copies are no more: files are sent whole, with their
   * own attributes. A further name of a file that was sent is a {@link Node.Kind.HardLink}; so that
   * it can be, a name is sent, too, that did not change and shares its file with one that is sent.
   *
   * @throws EngineException a layer cannot be read; the sink's own; cancelled
   * @throws ErrnoException the sink's own
   */
  public void stream(TreeSink sink) throws EngineException, ErrnoException {
    try (Sending sending = new Sending(sink)) {
      for (Cursor at = new Cursor(root); at.next(); ) {
        if (cancelled.getAsBoolean()) {
          throw EngineException.failed("cancelled", Errno.ECANCELED);
        }
        progress.looked();
        sending.send(at);
      }
    }
    sink.finish();
  }

  /** Looks at the files again, as they are now, and sends them. */
  private static final class Sending implements AutoCloseable {
    private final TreeSink sink;
    private final Map<Identity, OsPath> sent = new HashMap<>();
    private Optional<OpenDirectory> last = Optional.empty();

    Sending(TreeSink sink) {
      this.sink = sink;
    }

    void send(Cursor at) throws EngineException, ErrnoException {
      Entry entry = at.entry();
      if (entry.top().isEmpty()) {
        if (entry.isDeleted() && !at.isReplaced()) {
          sink.delete(at.path());
        }
      } else if (!put(entry, entry.top().get(), at.path())) {
        at.leaveOut();
        if (!entry.isAdded() && !at.isReplaced()) {
          sink.delete(at.path());
        }
      } else if (entry.isReplacing() && !at.isReplaced()) {
        sink.opaque(at.path());
      }
    }

    /** False when the file is gone, or of another kind by now. */
    private boolean put(Entry entry, Place place, OsPath path)
        throws EngineException, ErrnoException {
      Layer layer = place.layer();
      Optional<Found.Real> found = layer.find(directory(place), place.name());
      if (found.isEmpty() || !entry.isStill(found.get().stat())) {
        return false;
      }
      Found.Real real = found.get();
      Optional<Node> read = layer.read(real, path.isEmpty() ? OsPath.DOT : path);
      if (read.isEmpty()) {
        return false;
      }
      Node node = read.get();
      boolean linked = !entry.isDirectory() && real.stat().links() > 1;
      Optional<OsPath> first =
          linked ? Optional.ofNullable(sent.get(real.identity())) : Optional.empty();
      if (first.isPresent()) {
        Node.Kind.HardLink link = new Node.Kind.HardLink(first.get());
        sink.put(new Node(path, link, node.attributes()), new Content.None());
        return true;
      }
      if (real.stat().isRegularFile() && real.stat().size() > 0) {
        boolean elsewhere = MergedTree.isMetadataOnly(real);
        Optional<Fd> data = layer.openData(place);
        if (elsewhere) {
          data.ifPresent(Fd::close);
          Place holder = entry.data().orElse(place);
          data = holder.layer().openData(holder);
        }
        if (data.isEmpty()) {
          return false;
        }
        try (Fd file = data.get()) {
          sink.put(node, new Content.OfFile(file));
        }
      } else {
        sink.put(node, new Content.None());
      }
      if (linked) {
        sent.put(real.identity(), path);
      }
      return true;
    }

    /** What is sent next lies beside what was sent last, as a rule. */
    private OpenDirectory directory(Place place) {
      if (last.isEmpty()
          || last.get().layer() != place.layer()
          || !last.get().path().equals(place.directory())) {
        close();
        last = Optional.of(new OpenDirectory(place.layer(), place.directory(), Linux.O_PATH));
      }
      return last.get();
    }

    @Override
    public void close() {
      last.ifPresent(OpenDirectory::close);
    }
  }

  @Override
  public void close() {
    older.close();
    newer.close();
  }
}
