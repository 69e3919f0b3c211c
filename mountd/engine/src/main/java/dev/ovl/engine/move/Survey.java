package dev.ovl.engine.move;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.tree.TreeWalk;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * A tree, or a single file, at one moment: enough to see whether anything has changed in it since,
 * in sixteen bytes a file.
 */
final class Survey {
  private static final int FIRST_CAPACITY = 256;

  private final Set<String> linked = new HashSet<>();
  private long[] states = new long[FIRST_CAPACITY];
  private long[] removable = new long[FIRST_CAPACITY];
  private int files;
  private long bytes;

  private Survey() {}

  /** Looks at each file while a survey is made, and may refuse the whole. */
  interface Guard {
    /** A file; a directory comes before what is in it. */
    void check(Entry entry, Statx stat) throws EngineException, ErrnoException;

    /**
     * Something is mounted there.
     *
     * @param path from the root of the tree
     */
    void mounted(OsPath path) throws EngineException;
  }

  /**
   * A file that is met.
   *
   * @param directory that holds it, open; the root of a tree is {@code .} in itself
   * @param at the path of that directory from the root of the tree, the root's being empty
   * @param name in that directory
   * @param fingerprint of its path
   */
  record Entry(Fd directory, OsPath at, OsPath name, long fingerprint) {
    /** From the root of the tree, which is {@code .}. */
    OsPath path() {
      return isRoot() ? OsPath.DOT : at.resolve(name);
    }

    boolean isRoot() {
      return fingerprint == Fingerprint.ROOT;
    }
  }

  /**
   * Looks at all of it.
   *
   * @param cancelled asked before each file
   * @throws EngineException what the guard says; cancelled
   */
  static Survey of(Syscalls sys, Name name, Statx stat, Guard guard, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    Survey survey = new Survey();
    Guard recording =
        new Guard() {
          @Override
          public void check(Entry entry, Statx seen) throws EngineException, ErrnoException {
            guard.check(entry, seen);
            survey.add(entry.fingerprint(), seen);
          }

          @Override
          public void mounted(OsPath path) throws EngineException {
            guard.mounted(path);
          }
        };
    walk(sys, name, stat, recording, cancelled);
    survey.sort();
    return survey;
  }

  private static void walk(
      Syscalls sys, Name name, Statx stat, Guard guard, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    if (!stat.isDirectory()) {
      guard.check(new Entry(name.directory(), OsPath.EMPTY, name.name(), Fingerprint.ROOT), stat);
      return;
    }
    TreeWalk.Visitor visitor =
        new TreeWalk.Visitor() {
          private OsPath at = OsPath.EMPTY;
          private long fingerprint;

          @Override
          public void enter(Fd directory, OsPath path) {
            at = path.equals(OsPath.DOT) ? OsPath.EMPTY : path;
            fingerprint = Fingerprint.path(path);
          }

          @Override
          public void visit(Fd directory, OsPath name, Statx stat)
              throws EngineException, ErrnoException {
            boolean root = name.equals(OsPath.DOT);
            long path = root ? Fingerprint.ROOT : Fingerprint.name(fingerprint, name);
            guard.check(new Entry(directory, at, name, path), stat);
          }

          @Override
          public void mounted(OsPath path) throws EngineException {
            guard.mounted(path);
          }
        };
    if (!new TreeWalk(sys).walk(name.inProc(), visitor, cancelled)) {
      throw EngineException.failed("cancelled", Errno.ECANCELED);
    }
  }

  private void add(long path, Statx stat) {
    if (files == states.length) {
      states = Arrays.copyOf(states, 2 * files);
      removable = Arrays.copyOf(removable, 2 * files);
    }
    states[files] = Fingerprint.state(path, stat);
    removable[files] = Fingerprint.removable(path, stat, stat.links() < 2);
    files++;
    if (stat.isRegularFile() && (stat.links() < 2 || linked.add(stat.identity()))) {
      bytes += stat.size();
    }
  }

  private void sort() {
    states = Arrays.copyOf(states, files);
    removable = Arrays.copyOf(removable, files);
    Arrays.sort(states);
    Arrays.sort(removable);
  }

  /**
   * Looks at it once more.
   *
   * @return what has changed, been added or lost a name, by its path from the root; empty when all
   *     is as it was
   */
  Optional<OsPath> change(Syscalls sys, Name name, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    Optional<Statx> stat = name.stat(sys);
    if (stat.isEmpty()) {
      return Optional.of(OsPath.DOT);
    }
    Comparison comparison = new Comparison();
    try {
      walk(sys, name, stat.get(), comparison, cancelled);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
        return Optional.of(OsPath.DOT);
      }
      throw e;
    }
    return comparison.first.isEmpty() && comparison.seen != files
        ? Optional.of(OsPath.DOT)
        : comparison.first;
  }

  private final class Comparison implements Guard {
    private Optional<OsPath> first = Optional.empty();
    private int seen;

    @Override
    public void check(Entry entry, Statx stat) {
      seen++;
      boolean known =
          Arrays.binarySearch(states, Fingerprint.state(entry.fingerprint(), stat)) >= 0;
      // a directory changes with what is in it, which says more
      if (!known && (first.isEmpty() || isRoot(first.get()) || entry.at().equals(first.get()))) {
        first = Optional.of(entry.path());
      }
    }

    private static boolean isRoot(OsPath path) {
      return path.equals(OsPath.DOT);
    }

    @Override
    public void mounted(OsPath path) {
      first = Optional.of(path);
    }
  }

  /** Files in it, directories and links included. */
  long files() {
    return files;
  }

  /** Bytes of data in its regular files, holes included. */
  long bytes() {
    return bytes;
  }

  /** The fingerprints of what may be removed of it. */
  CopiedFiles copied() {
    return new CopiedFiles(removable);
  }
}
