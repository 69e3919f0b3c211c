package dev.ovl.engine.driver;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.LinkedCopy;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.Optional;

/**
 * Content for a directory, written into a copy beside it and put in its place by one rename. The
 * copy takes directories only: files in it are the same, since nothing that is there is ever
 * written to.
 */
public final class DirectoryDraft implements Driver.Draft {
  private final Syscalls sys;
  private final Files files;
  private final OsPath place;
  private final OsPath draft;
  private final Fd lock;
  private final TreeWriter writer;
  private Optional<Fd> lockOfOld = Optional.empty();

  private DirectoryDraft(Syscalls sys, OsPath place, OsPath draft, Fd lock, TreeWriter writer) {
    this.sys = sys;
    this.files = new Files(sys);
    this.place = place;
    this.draft = draft;
    this.lock = lock;
    this.writer = writer;
  }

  /**
   * Begins.
   *
   * @param place the directory
   * @param form what deletions become in it
   * @param parents what directories are like that have to be made for what is in them
   */
  public static DirectoryDraft begin(
      Syscalls sys, OsPath place, LayerForm form, TreeWriter.Parents parents)
      throws EngineException, ErrnoException {
    Files files = new Files(sys);
    OsPath draft = draftOf(place);
    PassingNames passing = new PassingNames(sys);
    passing.clear(draft);
    Fd lock = passing.hold(draft, () -> files.mkdir(draft, 0700));
    try {
      new LinkedCopy(sys).copy(place, draft);
      return new DirectoryDraft(sys, place, draft, lock, new TreeWriter(sys, draft, form, parents));
    } catch (EngineException | ErrnoException | RuntimeException failure) {
      try (lock) {
        files.removeTree(draft);
      } catch (ErrnoException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }

  /** Where content for a directory is written; what is there and not locked is of a crash. */
  public static OsPath draftOf(OsPath place) {
    return Files.temporary(place);
  }

  /** Removes such a directory unless somebody is at work on it; returns whether it did. */
  public static boolean sweep(Syscalls sys, OsPath draft) throws ErrnoException {
    return !new PassingNames(sys)
        .ofNobody(draft.parent(), List.of(draft.fileName()), new Files(sys)::removeTree)
        .isEmpty();
  }

  @Override
  public TreeSink sink() {
    return writer;
  }

  @Override
  public void keep() throws ErrnoException {
    files.syncFileSystem(draft);
    // the old content then has the draft's name, and goes with it: nobody may take it for rubbish
    lockOfOld = Optional.of(new PassingNames(sys).hold(place));
    sys.renameat2(Linux.AT_FDCWD, draft, Linux.AT_FDCWD, place, Linux.RENAME_EXCHANGE);
    files.sync(place.parent());
  }

  @Override
  public void close() throws ErrnoException {
    try (lock) {
      writer.close();
      files.removeTree(draft);
    } finally {
      lockOfOld.ifPresent(Fd::close);
    }
  }
}
