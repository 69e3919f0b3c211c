package dev.ovl.engine.usage;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.tree.TreeWalk;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Asks how much of trees is in the page cache: cachestat(2) (Linux 6.5) for each regular file.
 *
 * <p>An overlay reads a file that was not copied up through the lower's own inode, so the pages are
 * there once, however many mounts have the lower (Documentation/filesystems/overlayfs.rst). What
 * lies on a tmpfs is in the page cache as a whole.
 *
 * <p>One object makes one inquiry of several trees within common limits. For one thread.
 */
public final class PageCache {
  private final Syscalls sys;
  private final TreeWalk walk;
  private final Limits limits;
  private final BooleanSupplier cancelled;
  private final long start = System.nanoTime();
  private long asked;

  /**
   * Where an inquiry ends although there is more.
   *
   * @param files as many files are asked about
   * @param time since the inquiry began
   */
  public record Limits(long files, Duration time) {}

  /**
   * Begins an inquiry.
   *
   * @param cancelled asked before each file
   */
  public PageCache(Syscalls sys, Limits limits, BooleanSupplier cancelled) {
    this.sys = sys;
    this.walk = new TreeWalk(sys);
    this.limits = limits;
    this.cancelled = cancelled;
  }

  private boolean isAtLimit() {
    return asked >= limits.files() || System.nanoTime() - start >= limits.time().toNanos();
  }

  /** Adds up what the kernel says. */
  private final class Sum implements TreeWalk.Visitor {
    private final Set<Long> linked = new HashSet<>();
    private long bytes;
    private long files;
    private Optional<String> refusal = Optional.empty();

    @Override
    public void visit(Fd directory, OsPath name, Statx stat) throws ErrnoException {
      boolean known = stat.links() > 1 && !linked.add(stat.inode());
      if (!stat.isRegularFile() || stat.size() == 0 || known) {
        return;
      }
      // what has taken the name meanwhile is not to be waited for
      int flags = Linux.O_RDONLY | Linux.O_NOFOLLOW | Linux.O_NONBLOCK;
      asked++;
      try (Fd file = new Fd(sys, sys.openat(directory.number(), name, flags, 0))) {
        bytes += sys.cachestat(file.number(), 0, 0).cachedBytes();
        files++;
      } catch (ErrnoException e) {
        switch (e.errno()) {
          case ENOSYS -> refusal = Optional.of("this kernel has no cachestat(2), Linux 6.5 has");
          case EPERM, EACCES -> refusal = Optional.of("this user is not permitted to ask");
          case EOPNOTSUPP -> refusal = Optional.of("this file system does not tell");
          // another file by now, or none
          case ENOENT, ELOOP, ENXIO, ESTALE -> {
            return;
          }
          default -> throw e;
        }
        refusal = refusal.map(reason -> reason + " (" + e.errno().name() + ")");
      }
    }
  }

  /**
   * The files beneath a directory.
   *
   * @throws EngineException cancelled
   */
  public CachedFiles measure(OsPath directory) throws EngineException, ErrnoException {
    if (isAtLimit()) {
      return new CachedFiles.NotTold("other directories used up the time and files allowed");
    }
    Sum sum = new Sum();
    boolean whole;
    try {
      whole =
          walk.walk(
              directory,
              sum,
              () -> sum.refusal.isPresent() || isAtLimit() || cancelled.getAsBoolean());
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
        return new CachedFiles.NotTold("the directory is missing (" + e.errno().name() + ")");
      }
      throw e;
    }
    if (sum.refusal.isPresent()) {
      return new CachedFiles.NotTold(sum.refusal.get());
    }
    if (!whole && !isAtLimit()) {
      throw EngineException.failed("cancelled", Errno.ECANCELED);
    }
    return new CachedFiles.Told(sum.bytes, sum.files, whole);
  }
}
