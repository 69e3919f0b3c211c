package dev.ovl.engine.driver;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Directories with a passing name: what is being made, or being removed. Whoever is at work on one
 * holds it by flock(2), so that one that nobody holds is rubbish of a process that died.
 *
 * <p>A directory gets its passing name while its parent is locked shared, and rubbish is looked for
 * while the parent is locked exclusively: so nobody ever sees the name without the lock. Where it
 * is exchanged for another one the directory is locked before it has the name.
 */
final class PassingNames {
  private final Syscalls sys;
  private final Files files;

  PassingNames(Syscalls sys) {
    this.sys = sys;
    this.files = new Files(sys);
  }

  /** What gives a directory its passing name. */
  interface Naming {
    void run() throws ErrnoException;
  }

  /**
   * Removes what has the name, once nobody holds it any more; nothing there is fine.
   *
   * @param passing that nobody else gives to a directory meanwhile
   */
  void clear(OsPath passing) throws ErrnoException {
    Optional<Fd> there = open(passing);
    try {
      if (there.isPresent()) {
        sys.flock(there.get().number(), Linux.LOCK_EX);
      }
      files.removeTree(passing);
    } finally {
      there.ifPresent(Fd::close);
    }
  }

  /**
   * Gives a directory a passing name and holds it.
   *
   * @param passing {@link #clear}ed
   * @return to be closed when the work is over and the name is gone
   */
  Fd hold(OsPath passing, Naming naming) throws ErrnoException {
    try (Fd parent = files.openDirectory(passing.parent())) {
      sys.flock(parent.number(), Linux.LOCK_SH);
      naming.run();
      return hold(passing);
    }
  }

  /**
   * Holds a directory that has a passing name already, or may get one then.
   *
   * @return to be closed when the work is over and the name is gone
   */
  Fd hold(OsPath directory) throws ErrnoException {
    Fd fd = files.openDirectory(directory);
    try {
      // nobody is at work on it; who held it may have a forked child that did not exec yet
      sys.flock(fd.number(), Linux.LOCK_EX);
      return fd;
    } catch (ErrnoException e) {
      fd.close();
      throw e;
    }
  }

  /** What is done with rubbish. */
  interface Work {
    void on(OsPath passing) throws ErrnoException;
  }

  /**
   * Does something with those that nobody holds, which are held meanwhile.
   *
   * @param directory their parent
   * @param names passing names in it; ones that are gone are fine
   * @return those that it was done with
   */
  List<OsPath> ofNobody(OsPath directory, List<OsPath> names, Work work) throws ErrnoException {
    if (names.isEmpty()) {
      return List.of();
    }
    Map<OsPath, Fd> held = new TreeMap<>();
    try {
      try (Fd parent = files.openDirectory(directory)) {
        sys.flock(parent.number(), Linux.LOCK_EX);
        for (OsPath name : names) {
          holdIfFree(directory.resolve(name), held);
        }
      }
      for (OsPath passing : held.keySet()) {
        work.on(passing);
      }
      return List.copyOf(held.keySet());
    } finally {
      held.values().forEach(Fd::close);
    }
  }

  private void holdIfFree(OsPath passing, Map<OsPath, Fd> held) throws ErrnoException {
    Optional<Fd> there = open(passing);
    if (there.isEmpty()) {
      return;
    }
    Fd fd = there.get();
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

  /** Empty when there is no such directory. */
  private Optional<Fd> open(OsPath passing) throws ErrnoException {
    try {
      return Optional.of(files.openDirectory(passing));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Not any more where the work ended between opening and locking. */
  private boolean isAt(OsPath passing, Fd fd) throws ErrnoException {
    Statx opened = sys.statx(fd.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_INO);
    return files.lstat(passing).filter(now -> now.identity().equals(opened.identity())).isPresent();
  }
}
