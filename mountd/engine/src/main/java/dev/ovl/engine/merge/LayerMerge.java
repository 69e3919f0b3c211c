package dev.ovl.engine.merge;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.MergedLayers;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.AufsNames;
import dev.ovl.engine.tree.Beneath;
import dev.ovl.engine.tree.CopyWatch;
import dev.ovl.engine.tree.NodeReader;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * Folds the upper of an overlay, or of an aufs, that nobody has mounted into the layer right below
 * it, and leaves the upper empty. What the overlay shows, with all attributes and modification
 * times, is the same before, after, and wherever in between the process or the machine stops:
 *
 * <ol>
 *   <li>The upper is written out (syncfs(2)), since what it has takes the place of what is
 *       destroyed. Times of directories that will lose something are noted, durably.
 *   <li>{@link Materialisation}: redirects and metadata-only copies are made real, in the upper.
 *       Built aside, written out, then exchanged.
 *   <li>{@link Folding}: the lower gets it all, each name under cover of the upper or by one
 *       rename(2). Nothing of the lower goes before what replaces it is on the disk, in the upper;
 *       that renames of one file system come to the disk in their order is what ext4, XFS and Btrfs
 *       promise.
 *   <li>The lower is written out, then it is noted that all is placed.
 *   <li>The upper is emptied, and the note removed.
 * </ol>
 *
 * <p>A merge that ended before the fourth step is taken back as far as that shows: {@link #recover}
 * gives directories their times again, and another merge goes on where it was. One that ended later
 * is finished by {@link #recover}. Whoever mounts the overlay calls that first.
 *
 * <p>Hard links: names that share a file in the upper do so in the lower. A file that is copied
 * because it lies in another layer, or on another file system, leaves names behind that are not
 * copied with it.
 */
public final class LayerMerge {
  /** In the work directory; overlayfs looks for other names there. */
  private static final OsPath STAGING = OsPath.of("merge");

  /** Where the kernel keeps names of the upper's files by their lowers' handles, with index=on. */
  private static final OsPath INDEX = OsPath.of("index");

  private final Syscalls sys;
  private final Files files;
  private final Beneath beneath;
  private final View.Union view;
  private final Optional<OsPath> work;
  private final MergeJournal journal;
  private final NodeReader reader;

  /**
   * @param view upper, lower and what is below
   * @param work the upper's work directory; absent on aufs, which has none
   * @param journal a file that need not exist, in a directory that does
   */
  public LayerMerge(Syscalls sys, View.Union view, Optional<OsPath> work, OsPath journal) {
    this.sys = sys;
    this.files = new Files(sys);
    this.beneath = new Beneath(sys);
    this.view = view;
    this.work = work;
    this.journal = new MergeJournal(sys, journal);
    this.reader = new NodeReader(sys, NodeReader.XattrFilter.ALL);
  }

  private OsPath upper() {
    return view.layers().get(0);
  }

  private OsPath lower() {
    return view.layers().get(1);
  }

  /** True for aufs. */
  private boolean hasMarks() {
    return view.books() == View.Books.AUFS;
  }

  /** Removes what was built aside. */
  private void removeStaging() throws ErrnoException {
    if (work.isPresent()) {
      files.removeTree(work.get().resolve(STAGING));
    }
  }

  /**
   * Merges.
   *
   * @param progress hears of every name and of data that is copied
   * @param cancelled asked before every name
   * @throws EngineException cancelled (ECANCELED): another merge goes on; a layer cannot be read,
   *     or what it holds makes no sense; a file cannot be written. The view is as it was
   */
  public void run(Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    recover();
    try (MergedLayers layers = MergedLayers.open(sys, view)) {
      Pause pause =
          () -> {
            if (cancelled.getAsBoolean()) {
              throw EngineException.failed(
                  "cancelled: the stack shows what it did, and another merge goes on",
                  Errno.ECANCELED);
            }
            progress.looked();
          };
      UpperSurvey survey = UpperSurvey.of(layers, reader, hasMarks(), pause);
      MergeJournal.Entry entry = new MergeJournal.Entry(identity(), false, survey.times());
      files.syncFileSystem(upper());
      try {
        journal.write(entry);
        place(layers, survey, pause, progress::read);
        files.syncFileSystem(lower());
        journal.write(entry.afterPlacing());
      } catch (EngineException | ErrnoException | RuntimeException failure) {
        takeBack(failure);
        throw failure;
      }
      finish(entry);
    }
  }

  private void place(MergedLayers layers, UpperSurvey survey, Pause pause, CopyWatch watch)
      throws EngineException, ErrnoException {
    Bookkeeping books = Bookkeeping.of(sys, view.books());
    if (books instanceof AttributeBooks attributes) {
      OsPath staging = work.orElseThrow().resolve(STAGING);
      new Materialisation(sys, layers, attributes, staging, pause).run(survey, watch);
    }
    setTimes(survey.times());
    Folding.run(sys, layers, books, lower(), pause, watch);
  }

  private void takeBack(Exception failure) {
    try {
      recover();
    } catch (EngineException | ErrnoException | RuntimeException second) {
      failure.addSuppressed(second);
    }
  }

  private String identity() throws ErrnoException {
    return files.stat(upper()).orElseThrow().identity();
  }

  /** Finishes a merge that was not ended, or gives the upper's directories their times again. */
  public void recover() throws EngineException, ErrnoException {
    Optional<MergeJournal.Entry> found = journal.find();
    if (found.isEmpty()) {
      return;
    }
    MergeJournal.Entry entry = found.get();
    if (!entry.upper().equals(identity())) {
      journal.end(); // of another upper, whose stack is gone
    } else if (entry.placed()) {
      finish(entry);
    } else {
      removeStaging();
      setTimes(entry.times());
      journal.end();
    }
  }

  private void finish(MergeJournal.Entry entry) throws EngineException, ErrnoException {
    // what aufs keeps at the top of a branch it would make anew
    empty(
        upper(), name -> !(hasMarks() && AufsNames.isOwn(name) && !name.equals(AufsNames.OPAQUE)));
    if (work.isPresent()) {
      empty(work.get().resolve(INDEX), name -> true);
    }
    removeStaging();
    setTimes(entry.times());
    files.syncFileSystem(upper());
    journal.end();
  }

  private void empty(OsPath directory, Predicate<OsPath> goes) throws ErrnoException {
    List<OsPath> names = files.list(directory).stream().filter(goes).toList();
    if (names.isEmpty()) {
      return;
    }
    try (Fd fd = files.openDirectory(directory)) {
      for (OsPath name : names) {
        files.removeAny(fd, name);
      }
    }
  }

  /** Of those directories of the upper that are there still. */
  private void setTimes(List<MergeJournal.Time> times) throws ErrnoException {
    try (Fd top = files.openDirectory(upper())) {
      for (MergeJournal.Time time : times) {
        int flags = Linux.O_RDONLY | Linux.O_DIRECTORY;
        Optional<Fd> opened = beneath.open(top, time.path(), flags);
        if (opened.isPresent()) {
          try (Fd directory = opened.get()) {
            sys.utimensat(directory.number(), OsPath.DOT, Attributes.UNKNOWN, time.modified(), 0);
          }
        }
      }
    }
  }
}
