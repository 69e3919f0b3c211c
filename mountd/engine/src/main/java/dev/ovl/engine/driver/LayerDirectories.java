package dev.ovl.engine.driver;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Directories named by the ids of layers, which come and go as a whole: one is made beside its
 * place and renamed into it, and renamed out of it before it is removed. While either goes on the
 * directory with the passing name is locked by flock(2), so that one without a lock is rubbish.
 */
public final class LayerDirectories {
  private final Syscalls sys;
  private final Files files;
  private final OsPath directory;

  /**
   * @param directory that holds them
   */
  public LayerDirectories(Syscalls sys, OsPath directory) {
    this.sys = sys;
    this.files = new Files(sys);
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
    files.removeTree(draft);
    try (Fd lock = locked(draft, () -> files.mkdir(draft, permissions))) {
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

  /** What gives a directory a passing name. */
  private interface Naming {
    void run() throws ErrnoException;
  }

  /**
   * Gives a directory a passing name and holds it, so that nobody takes it for rubbish. Who looks
   * for rubbish has the whole for itself for a moment, so that it never sees the one without the
   * other.
   */
  private Fd locked(OsPath passing, Naming naming) throws ErrnoException {
    try (Fd whole = files.openDirectory(directory)) {
      sys.flock(whole.number(), Linux.LOCK_SH);
      naming.run();
      Fd fd = files.openDirectory(passing);
      try {
        sys.flock(fd.number(), Linux.LOCK_EX | Linux.LOCK_NB);
        return fd;
      } catch (ErrnoException e) {
        fd.close();
        throw e;
      }
    }
  }

  /** Whether {@link #make} is at work on it, or was when its process ended. */
  public boolean isBeingMade(LayerId id) throws ErrnoException {
    return files.lstat(Files.temporary(place(id))).isPresent();
  }

  // ---- removing -----------------------------------------------------------------------------

  /**
   * Removes a layer's directory with all that is in it; one that is gone already is fine.
   *
   * @throws ErrnoException EBUSY, EXDEV: something is mounted in it, and stays
   */
  public void remove(LayerId id) throws ErrnoException {
    OsPath removing = removing(id);
    files.removeTree(Files.temporary(place(id)));
    boolean present = files.lstat(place(id)).isPresent();
    if (!present && files.lstat(removing).isEmpty()) {
      return;
    }
    if (present) {
      files.removeTree(removing);
    }
    Naming naming = present ? () -> files.rename(place(id), removing) : () -> {};
    try (Fd lock = locked(removing, naming)) {
      files.removeTree(removing);
    }
  }

  /**
   * Removes what crashes left of layers that were being made or removed, and leaves alone those of
   * operations under way.
   *
   * @return what was removed
   */
  public List<OsPath> sweep() throws ErrnoException {
    return rubbish(files::removeTree);
  }

  /** What {@link #sweep} would remove. */
  public List<OsPath> rubbish() throws ErrnoException {
    return rubbish(passing -> {});
  }

  /** What is done with a directory that is held. */
  private interface Work {
    void on(OsPath passing) throws ErrnoException;
  }

  private List<OsPath> rubbish(Work work) throws ErrnoException {
    List<OsPath> found = new ArrayList<>();
    Map<OsPath, Fd> held = abandoned();
    try {
      for (OsPath passing : held.keySet()) {
        work.on(passing);
        found.add(passing);
      }
    } finally {
      held.values().forEach(Fd::close);
    }
    return found;
  }

  /** The directories with a passing name that nobody holds; held from now on. */
  private Map<OsPath, Fd> abandoned() throws ErrnoException {
    Map<OsPath, Fd> held = new TreeMap<>();
    List<OsPath> names =
        files.list(directory).stream().filter(LayerDirectories::isPassing).toList();
    if (names.isEmpty()) {
      return held;
    }
    try (Fd whole = files.openDirectory(directory)) {
      sys.flock(whole.number(), Linux.LOCK_EX);
      for (OsPath name : names) {
        hold(directory.resolve(name), held);
      }
      return held;
    } catch (ErrnoException | RuntimeException e) {
      held.values().forEach(Fd::close);
      throw e;
    }
  }

  private static boolean isPassing(OsPath name) {
    String text = name.toString();
    return text.startsWith(Files.TEMPORARY_PREFIX) || text.endsWith(LayerId.REMOVING);
  }

  private void hold(OsPath passing, Map<OsPath, Fd> held) throws ErrnoException {
    Fd fd;
    try {
      fd = files.openDirectory(passing);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
        return;
      }
      throw e;
    }
    try {
      if (sys.flock(fd.number(), Linux.LOCK_EX | Linux.LOCK_NB) && isAt(passing, fd)) {
        held.put(passing, fd);
        return;
      }
    } catch (ErrnoException e) {
      fd.close();
      throw e;
    }
    fd.close();
  }

  /** Not any more where its operation ended between opening and locking. */
  private boolean isAt(OsPath passing, Fd fd) throws ErrnoException {
    Statx opened = sys.statx(fd.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_INO);
    return files.lstat(passing).filter(now -> now.identity().equals(opened.identity())).isPresent();
  }
}
