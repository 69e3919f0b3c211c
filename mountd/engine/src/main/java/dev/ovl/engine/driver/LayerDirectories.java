package dev.ovl.engine.driver;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Directories named by the ids of layers, which come and go as a whole: one is made beside its
 * place and renamed into it, and renamed out of it before it is removed. While either goes on the
 * directory with the passing name is locked by flock(2), so that one without a lock is rubbish.
 */
public final class LayerDirectories {
  private final Files files;
  private final PassingNames passing;
  private final OsPath directory;

  /**
   * @param directory that holds them
   */
  public LayerDirectories(Syscalls sys, OsPath directory) {
    this.files = new Files(sys);
    this.passing = new PassingNames(sys);
    this.directory = directory;
  }

  /** The directory of a layer, whether it exists or not. */
  public OsPath place(LayerId id) {
    return directory.resolve(id.text());
  }

  private OsPath removing(LayerId id) {
    return directory.resolve(id + LayerId.REMOVING);
  }

  /**
   * The ids of those that there are, sorted. Other files may have such a name too: dockerd makes
   * the device {@code backingFsBlockDev} beside the layers.
   */
  public List<LayerId> list() throws ErrnoException {
    List<LayerId> ids = new ArrayList<>();
    for (OsPath name : files.list(directory)) {
      Optional<LayerId> id = LayerId.parse(name.toString());
      if (id.isPresent() && exists(id.get())) {
        ids.add(id.get());
      }
    }
    return ids;
  }

  /** Whether there is a directory for the layer. */
  public boolean exists(LayerId id) throws ErrnoException {
    return files.lstat(place(id)).filter(Statx::isDirectory).isPresent();
  }

  // ---- making -------------------------------------------------------------------------------

  /** Fills a directory. */
  public interface Filling {
    /**
     * Fills it; what it writes is made durable by it.
     *
     * @param draft where it is while it is being made
     */
    void fill(OsPath draft) throws EngineException, ErrnoException;
  }

  /**
   * Makes a directory and what is in it at one stroke. When that fails nothing is left.
   *
   * @param id that has none
   */
  public void make(LayerId id, int permissions, Filling filling)
      throws EngineException, ErrnoException {
    OsPath draft = Files.temporary(place(id));
    passing.clear(draft);
    try (Fd lock = passing.hold(draft, () -> files.mkdir(draft, permissions))) {
      try {
        filling.fill(draft);
        files.rename(draft, place(id));
      } catch (EngineException | ErrnoException | RuntimeException failure) {
        takeBack(draft, failure);
        throw failure;
      }
    }
    files.sync(directory);
  }

  private void takeBack(OsPath draft, Exception failure) {
    try {
      files.removeTree(draft);
    } catch (ErrnoException second) {
      failure.addSuppressed(second);
    }
  }

  // ---- removing -----------------------------------------------------------------------------

  /**
   * Removes a layer's directory with all that is in it; one that is gone already is fine.
   *
   * @throws ErrnoException EBUSY, EXDEV: something is mounted in it, and stays
   */
  public void remove(LayerId id) throws ErrnoException {
    OsPath removing = removing(id);
    passing.clear(Files.temporary(place(id)));
    passing.clear(removing);
    if (files.lstat(place(id)).isPresent()) {
      try (Fd lock = passing.hold(removing, () -> files.rename(place(id), removing))) {
        files.removeTree(removing);
      }
    }
  }

  /**
   * Removes what crashes left of layers that were being made or removed, and leaves alone those of
   * operations under way.
   *
   * @return what was removed
   */
  public List<OsPath> sweep() throws ErrnoException {
    return ofNobody(files::removeTree);
  }

  /** What {@link #sweep} would remove. */
  public List<OsPath> rubbish() throws ErrnoException {
    return ofNobody(passing -> {});
  }

  private List<OsPath> ofNobody(PassingNames.Work work) throws ErrnoException {
    List<OsPath> names =
        files.list(directory).stream().filter(LayerDirectories::isPassing).toList();
    return passing.ofNobody(directory, names, work);
  }

  private static boolean isPassing(OsPath name) {
    String text = name.toString();
    return text.startsWith(Files.TEMPORARY_PREFIX) || text.endsWith(LayerId.REMOVING);
  }
}
