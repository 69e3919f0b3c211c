package dev.ovl.engine.usage;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.tree.AufsNames;
import dev.ovl.engine.tree.TreeWalk;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * What an upper and its work directory take of their file system, as it was found in one walk.
 *
 * @param upper what was copied up or made, the directory itself included
 * @param work the work directory: what is being copied, the index, and the file whose links
 *     whiteouts are
 * @param whiteouts names in the upper that hide others; on kernels since 5.8 most of them are one
 *     inode
 */
public record UpperUsage(Tree upper, Tree work, long whiteouts) {
  private static final int BLOCK_BYTES = 512;

  /**
   * One tree. An inode with several names counts once, and in the upper when it has names in both.
   *
   * @param bytes of allocated blocks: less than the files' sizes where they have holes, more where
   *     they are small
   * @param inodes directories, links and devices included
   */
  public record Tree(long bytes, long inodes) {}

  /** Counts while walking. */
  private static final class Count implements TreeWalk.Visitor {
    private final Set<Long> linked;
    private final boolean marks;
    private long blocks;
    private long inodes;
    private long whiteouts;

    /**
     * @param linked the inodes with several names that were met before
     * @param marks whether names have the meaning that they have for aufs
     */
    Count(Set<Long> linked, boolean marks) {
      this.linked = linked;
      this.marks = marks;
    }

    @Override
    public void visit(Fd directory, OsPath name, Statx stat) {
      if (stat.isWhiteout() || (marks && AufsNames.isMark(name) && !AufsNames.isOwn(name))) {
        whiteouts++;
      }
      if (stat.links() < 2 || stat.isDirectory() || linked.add(stat.inode())) {
        blocks += stat.blocks();
        inodes++;
      }
    }

    Tree tree() {
      return new Tree(blocks * BLOCK_BYTES, inodes);
    }
  }

  /**
   * Walks both directories: some microseconds a file. A mount may be writing to them meanwhile.
   *
   * @param work absent on aufs
   * @param cancelled asked before each file
   * @throws EngineException cancelled; there is no such upper
   */
  public static UpperUsage measure(
      Syscalls sys, OsPath upper, Optional<OsPath> work, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    TreeWalk walk = new TreeWalk(sys);
    Set<Long> linked = new HashSet<>();
    Count inUpper = new Count(linked, work.isEmpty());
    try {
      count(walk, upper, inUpper, cancelled);
    } catch (ErrnoException e) {
      if (isMissing(e)) {
        throw EngineException.failed("its upper " + upper.quoted() + " is missing", e);
      }
      throw e;
    }
    Count inWork = new Count(linked, false);
    try {
      if (work.isPresent()) {
        count(walk, work.get(), inWork, cancelled);
      }
    } catch (ErrnoException e) {
      if (!isMissing(e)) {
        throw e;
      }
    }
    return new UpperUsage(inUpper.tree(), inWork.tree(), inUpper.whiteouts);
  }

  /**
   * Walks one directory, as {@link #measure(Syscalls, OsPath, Optional, BooleanSupplier)} does.
   *
   * @throws EngineException cancelled; there is no such directory
   */
  public static Tree measure(Syscalls sys, OsPath directory, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    Count count = new Count(new HashSet<>(), false);
    try {
      count(new TreeWalk(sys), directory, count, cancelled);
    } catch (ErrnoException e) {
      if (isMissing(e)) {
        throw EngineException.failed(directory.quoted() + " is missing", e);
      }
      throw e;
    }
    return count.tree();
  }

  private static void count(TreeWalk walk, OsPath root, Count count, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    if (!walk.walk(root, count, cancelled)) {
      throw EngineException.failed("cancelled", Errno.ECANCELED);
    }
  }

  private static boolean isMissing(ErrnoException e) {
    return e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR);
  }
}
