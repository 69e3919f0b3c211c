package dev.ovl.engine.move;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.NodeReader;
import dev.ovl.engine.tree.TreeReader;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Renames, and where rename(2) says EXDEV, copies and unlinks: between file systems, and on an
 * overlay for what a lower holds.
 *
 * <p>Who looks on meanwhile sees, in this order:
 *
 * <ol>
 *   <li>the source, and beside the destination names that begin with {@code .ovl-mv-}: the journal
 *       ({@link MoveJournal}), a directory that is the caller's alone, in which the copy grows, and
 *       a list of what was copied;
 *   <li>when all of it is on the disk and the source was found unchanged: the destination, whole,
 *       in one step (renameat2(2)), and the source, still whole;
 *   <li>the destination, whole, and of the source ever less; where the source is one file, it goes
 *       in one step;
 *   <li>the destination alone.
 * </ol>
 *
 * <p>Until the second step every failure, and a wish to stop, ends in the removal of the copy; the
 * source is as it was, but for times of access. From there on the move can only be finished. A
 * process that is killed, and a machine that loses power, leave one of these states; {@link
 * #recover} finishes the move or undoes it by the same rule, which the destination's inode tells.
 *
 * <p>What is kept: all kinds of files, hard links among the files moved, holes, owners,
 * permissions, extended attributes with ACLs and capabilities, times of access and modification.
 * What cannot be: times of change and birth, inode numbers, and flags of chattr(1) that do not
 * forbid the removal; an owner or attribute that the caller may not set is an error, and nothing is
 * moved. Descriptors that others have open stay with the source's inodes.
 *
 * <p>Works on names at the last component and on the directories that paths led to when they were
 * looked up. For any number of threads.
 */
public final class CrossDeviceMove {
  private final Syscalls sys;
  private final Files files;

  /**
   * @param sys what to call
   */
  public CrossDeviceMove(Syscalls sys) {
    this.sys = sys;
    this.files = new Files(sys);
  }

  /**
   * Moves, as renameat2(2) does.
   *
   * @param source a file of any kind, not followed if it is a link
   * @param destination the name that it is to have, not a directory to move it into
   * @param flags of renameat2(2): 0 or RENAME_NOREPLACE; with any other EXDEV is an error, for two
   *     names cannot be exchanged in one step by copying
   * @throws EngineException with the errno of rename(2); EBUSY: something is mounted in the source,
   *     or it was changed while it was copied; EPERM: something in it is immutable or append-only;
   *     ECANCELED; ENOSPC, EIO and others from copying. The source is whole, and nothing is left of
   *     the copy, unless the message says where
   */
  public Moved move(OsPath source, OsPath destination, int flags, MoveWatch watch)
      throws EngineException {
    try {
      sys.renameat2(Linux.AT_FDCWD, source, Linux.AT_FDCWD, destination, flags);
      return new Moved.Renamed();
    } catch (ErrnoException e) {
      if (!e.is(Errno.EXDEV) || (flags & ~Linux.RENAME_NOREPLACE) != 0) {
        throw cannotRename(destination, e);
      }
    }
    boolean noReplace = flags == Linux.RENAME_NOREPLACE;
    try (Name from = name(source);
        Name to = name(destination)) {
      RenameRules rules = new RenameRules(sys);
      Optional<Statx> stat = rules.check(from, to, noReplace);
      if (stat.isEmpty()) {
        return new Moved.Same();
      }
      Survey.Guard guard = rules.ofSource(from, to);
      Survey survey = Survey.of(sys, from, stat.get(), guard, watch::isCancelled);
      return new Work(from, to, flags, survey, watch).run();
    } catch (ErrnoException e) {
      throw EngineException.unexpected(e);
    }
  }

  private static EngineException cannotRename(OsPath destination, ErrnoException e) {
    return EngineException.failed(
        "cannot rename to " + destination.quoted() + ": " + e.errno().message(), e);
  }

  private Name name(OsPath path) throws EngineException {
    try {
      return Name.of(sys, path);
    } catch (ErrnoException e) {
      throw EngineException.failed(path.quoted() + ": " + e.errno().message(), e);
    }
  }

  /**
   * What {@link #move} would do. Changes nothing.
   *
   * @throws EngineException as far as it can be told before, what {@link #move} would throw
   */
  public Moved plan(OsPath source, OsPath destination, int flags, MoveWatch watch)
      throws EngineException {
    try (Name from = name(source);
        Name to = name(destination)) {
      RenameRules rules = new RenameRules(sys);
      Optional<Statx> stat = rules.check(from, to, flags == Linux.RENAME_NOREPLACE);
      if (stat.isEmpty()) {
        return new Moved.Same();
      }
      boolean across = rules.isAcross(from, to);
      long type = sys.fstatfs(from.directory().number()).type();
      boolean overlay = stat.get().isDirectory() && type == Linux.OVERLAYFS_SUPER_MAGIC;
      if (!across && !overlay) {
        return new Moved.Renamed();
      }
      Survey.Guard guard = rules.ofSource(from, to);
      Survey survey = Survey.of(sys, from, stat.get(), guard, watch::isCancelled);
      Moved.Copied copied = copied(survey, Optional.empty());
      return across ? copied : new Moved.RenamedUnlessRefused(copied);
    } catch (ErrnoException e) {
      throw EngineException.unexpected(e);
    }
  }

  private static Moved.Copied copied(Survey survey, Optional<OsPath> left) {
    return new Moved.Copied(survey.files(), survey.bytes(), left);
  }

  /** One move that copies. */
  private final class Work {
    private final Name from;
    private final Name to;
    private final int flags;
    private final Survey survey;
    private final CopiedFiles copied;
    private final MoveWatch watch;

    Work(Name from, Name to, int flags, Survey survey, MoveWatch watch) {
      this.from = from;
      this.to = to;
      this.flags = flags;
      this.survey = survey;
      this.copied = survey.copied();
      this.watch = watch;
    }

    Moved run() throws EngineException, ErrnoException {
      OsPath source = files.pathOf(from.directory()).resolve(from.name());
      MoveJournal.Entry entry = new MoveJournal.Entry(source, inode(from.directory()), to.name());
      try (MoveJournal journal = MoveJournal.begin(sys, to.directory(), entry)) {
        Ending ending = new Ending(to.directory(), journal, to.name());
        try {
          build(journal);
        } catch (EngineException | ErrnoException e) {
          return settled(ending, e);
        }
        return copied(survey, finished(ending));
      }
    }

    /** After a failure, which may have come when all was done. */
    private Moved settled(Ending ending, Exception failure) throws EngineException, ErrnoException {
      try {
        if (ending.isInPlace()) {
          return copied(survey, finished(ending));
        }
        ending.journal.undo();
      } catch (ErrnoException e) {
        failure.addSuppressed(e);
        throw EngineException.failed(
            message(failure)
                + "; the copy begun in "
                + to.path().parent().quoted()
                + " could not be removed ("
                + e.errno().name()
                + "): the next move into it does, or mv --recover",
            errno(failure));
      }
      switch (failure) {
        case EngineException known -> throw known;
        case ErrnoException e -> throw e;
        default -> throw new IllegalStateException(failure);
      }
    }

    private Optional<OsPath> finished(Ending ending) throws EngineException {
      try {
        return ending.finish(from, copied);
      } catch (ErrnoException first) {
        // the source is going already, so that there is no way back: perhaps it was for a moment
        try {
          return ending.finish(from, copied);
        } catch (ErrnoException e) {
          throw EngineException.failed(
              to.path().quoted()
                  + " is complete, but the source could not be removed as a whole: "
                  + e.errno().message()
                  + "; mv --recover "
                  + to.path().parent().quoted()
                  + " tries again",
              e);
        }
      }
    }

    private void build(MoveJournal journal) throws EngineException, ErrnoException {
      int directory = to.directory().number();
      sys.mkdirat(directory, journal.workshop(), 0700);
      int open = Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_NOFOLLOW;
      try (Fd workshop = new Fd(sys, sys.openat(directory, journal.workshop(), open, 0))) {
        try (Writeback writeback = new Writeback(sys, workshop)) {
          copy(workshop, writeback);
        }
        makeDurable(workshop, journal);
        // after the wait for the disk, which may be long
        refuseIfChanged();
        place(workshop);
      }
    }

    private void refuseIfChanged() throws EngineException, ErrnoException {
      Optional<OsPath> change = survey.change(sys, from, watch::isCancelled);
      if (change.isPresent()) {
        throw EngineException.failed(
            from.beneath(change.get()).quoted() + ": it was changed while it was copied",
            Errno.EBUSY);
      }
    }

    private void copy(Fd workshop, Writeback writeback) throws EngineException, ErrnoException {
      Following following = new Following(watch, writeback);
      try (TreeWriter writer =
          new TreeWriter(
              sys,
              Files.procPath(workshop),
              LayerForm.EXACT,
              TreeWriter.Parents.UNKNOWN,
              following::written)) {
        TreeReader reader = new TreeReader(sys, NodeReader.ofEverything(sys));
        TreeSink sink = new Renaming(writer, to.name(), following);
        reader.read(from.directory(), from.name(), sink, watch::isCancelled);
        writer.finish();
      }
    }

    /**
     * Writes the list, and waits until all that there is of the move is on the disk: a single file
     * by itself, the journal before the copy; a tree with all else that its file system has not yet
     * written. Names need not be durable before the removal begins.
     */
    private void makeDurable(Fd workshop, MoveJournal journal) throws ErrnoException {
      Statx made = new NodeReader(sys, NodeReader.XattrFilter.ALL).stat(workshop, to.name());
      try (Fd list = journal.writeList(copied, made.inode())) {
        if (made.isDirectory()) {
          list.closeWritten();
          sys.syncfs(workshop.number());
          return;
        }
        journal.makeDurable();
        sys.fsync(list.number());
        list.closeWritten();
      }
      if (made.isRegularFile()) {
        int flags = Linux.O_RDONLY | Linux.O_NOFOLLOW | Linux.O_NONBLOCK;
        try (Fd copy = new Fd(sys, sys.openat(workshop.number(), to.name(), flags, 0))) {
          sys.fsync(copy.number());
        }
      }
    }

    private void place(Fd workshop) throws EngineException {
      try {
        sys.renameat2(workshop.number(), to.name(), to.directory().number(), to.name(), flags);
      } catch (ErrnoException e) {
        throw cannotRename(to.path(), e);
      }
    }
  }

  private long inode(Fd directory) throws ErrnoException {
    int flags = Linux.AT_EMPTY_PATH;
    return sys.statx(directory.number(), OsPath.EMPTY, flags, Linux.STATX_INO).inode();
  }

  private static String message(Exception failure) {
    return failure.getMessage();
  }

  private static Errno errno(Exception failure) {
    return switch (failure) {
      case ErrnoException e -> e.errno();
      case EngineException e -> e.errno().orElse(Errno.EIO);
      default -> Errno.EIO;
    };
  }

  /** Counts, tells, and asks. */
  private static final class Following {
    private final MoveWatch watch;
    private final Writeback writeback;
    private long files;
    private long bytes;

    Following(MoveWatch watch, Writeback writeback) {
      this.watch = watch;
      this.writeback = writeback;
    }

    void copied() {
      files++;
      watch.at(files, bytes);
    }

    void written(long more) throws EngineException {
      bytes += more;
      writeback.written(more);
      watch.at(files, bytes);
      if (watch.isCancelled()) {
        throw EngineException.failed("cancelled", Errno.ECANCELED);
      }
    }
  }

  /** Gives the root of a tree a name, in a directory that is the root for the writer. */
  private record Renaming(TreeSink to, OsPath name, Following following) implements TreeSink {
    @Override
    public void put(Node node, Content content) throws EngineException, ErrnoException {
      Node.Kind kind =
          node.kind() instanceof Node.Kind.HardLink link
              ? new Node.Kind.HardLink(below(link.to()))
              : node.kind();
      to.put(new Node(below(node.path()), kind, node.attributes()), content);
      following.copied();
    }

    private OsPath below(OsPath path) {
      return path.equals(OsPath.DOT) ? name : name.resolve(path);
    }

    @Override
    public void delete(OsPath path) {
      throw new IllegalStateException("a directory tells no deletions");
    }

    @Override
    public void opaque(OsPath directory) {
      throw new IllegalStateException("a directory tells no opaque directories");
    }

    @Override
    public void finish() {}
  }

  /** The end of a move, by whoever brings it about. */
  private final class Ending {
    private final Fd directory;
    private final MoveJournal journal;
    private final OsPath destination;

    /**
     * @param directory of the destination and the journal
     * @param destination its name there
     */
    Ending(Fd directory, MoveJournal journal, OsPath destination) {
      this.directory = directory;
      this.journal = journal;
      this.destination = destination;
    }

    /** Whether the destination's name has the copy. */
    boolean isInPlace() throws ErrnoException {
      Optional<MoveJournal.Listed> list = journal.readList();
      return list.isPresent() && !isInWorkshop() && isAtDestination(list.get().inode());
    }

    /** Whether the copy is still where it was made, or begun. */
    boolean isInWorkshop() throws ErrnoException {
      OsPath copy = journal.workshop().resolve(destination);
      return journal.stat(copy).isPresent();
    }

    private boolean isAtDestination(long inode) throws ErrnoException {
      return journal.stat(destination).filter(s -> s.inode() == inode).isPresent();
    }

    /**
     * Removes the source, for the copy has its name.
     *
     * @return what is left of it
     */
    Optional<OsPath> finish(Name source, CopiedFiles copied) throws ErrnoException {
      sys.fsync(directory.number());
      Optional<OsPath> left = new SourceRemoval(sys, source, copied).run();
      sys.fsync(source.directory().number());
      journal.end();
      return left;
    }
  }

  // ---- recovery -----------------------------------------------------------------------------

  /**
   * Finishes or undoes the moves into a directory whose processes are no more. Those of other users
   * are left alone.
   *
   * @param directory in which destinations are
   * @return what was done, a move each
   * @throws ErrnoException the directory cannot be read
   */
  public List<Recovery> recover(OsPath directory) throws ErrnoException {
    List<Recovery> recoveries = new ArrayList<>();
    try (Fd open = files.openDirectory(directory)) {
      for (OsPath name : MoveJournal.names(sys, open)) {
        recover(directory, open, name).ifPresent(recoveries::add);
      }
    }
    return recoveries;
  }

  private Optional<Recovery> recover(OsPath directory, Fd open, OsPath name) {
    try {
      Optional<MoveJournal.Found> found = MoveJournal.take(sys, open, name);
      if (found.isEmpty()) {
        return Optional.empty();
      }
      return switch (found.get()) {
        case MoveJournal.Found.Unreadable(OsPath file, String reason) ->
            Optional.of(failed(directory.resolve(file), directory.resolve(file), reason));
        case MoveJournal.Found.Dead(MoveJournal journal, MoveJournal.Entry entry) -> {
          try (journal) {
            yield end(directory, open, journal, entry);
          }
        }
        case MoveJournal.Found.Blank(MoveJournal journal) -> {
          try (journal) {
            journal.undo();
            yield Optional.empty(); // nobody knows of what
          }
        }
      };
    } catch (ErrnoException e) {
      return Optional.of(failed(directory.resolve(name), directory.resolve(name), e.getMessage()));
    }
  }

  private static Recovery failed(OsPath source, OsPath destination, String reason) {
    return new Recovery(source, destination, Recovery.Outcome.FAILED, Optional.of(reason));
  }

  private Optional<Recovery> end(
      OsPath directory, Fd open, MoveJournal journal, MoveJournal.Entry entry) {
    OsPath source = entry.source();
    OsPath destination = directory.resolve(entry.destination());
    Ending ending = new Ending(open, journal, entry.destination());
    try {
      Optional<MoveJournal.Listed> list = journal.readList();
      if (list.isEmpty() || ending.isInWorkshop()) {
        return journal.undo()
            ? Optional.of(recovery(source, destination, Recovery.Outcome.UNDONE))
            : Optional.empty();
      }
      if (!ending.isAtDestination(list.get().inode())) {
        journal.undo();
        return Optional.of(recovery(source, destination, Recovery.Outcome.LEFT));
      }
      return Optional.of(finish(ending, entry, destination, list.get().copied()));
    } catch (EngineException | ErrnoException e) {
      return Optional.of(failed(source, destination, e.getMessage()));
    }
  }

  private static Recovery recovery(OsPath source, OsPath destination, Recovery.Outcome outcome) {
    return new Recovery(source, destination, outcome, Optional.empty());
  }

  private Recovery finish(
      Ending ending, MoveJournal.Entry entry, OsPath destination, CopiedFiles copied)
      throws EngineException, ErrnoException {
    OsPath source = entry.source();
    try (Name from = Name.of(sys, source)) {
      // after a reboot its file system may not be mounted, and what is seen is what lies below
      if (inode(from.directory()) != entry.sourceDirectory()) {
        throw EngineException.failed(
            source.parent().quoted() + " is another directory now: is something not mounted?");
      }
      Optional<OsPath> left = ending.finish(from, copied);
      return new Recovery(
          source,
          destination,
          left.isPresent() ? Recovery.Outcome.FINISHED_WITH_REST : Recovery.Outcome.FINISHED,
          left.map(path -> from.beneath(path).quoted()));
    }
  }
}
