package dev.ovl.engine.move;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.Optional;

/**
 * What rename(2) would say to two names on one file system, asked before anything is copied: it
 * finds EXDEV out first. And what the removal of the source would say, which comes last.
 *
 * <p>Permissions are found out as far as they can be: an answer of yes may still turn out wrong (a
 * security module, an identity mapping), never destroys anything, and is told then.
 */
final class RenameRules {
  private static final int STICKY = 01000;
  private static final long UNREMOVABLE =
      (long) Linux.STATX_ATTR_IMMUTABLE | Linux.STATX_ATTR_APPEND;

  private final Syscalls sys;
  private final Files files;
  private final boolean root;
  private final int user;

  RenameRules(Syscalls sys) {
    this.sys = sys;
    this.files = new Files(sys);
    this.user = sys.geteuid();
    this.root = user == 0;
  }

  /**
   * Looks at both.
   *
   * @param noReplace whether a target is to be left alone (RENAME_NOREPLACE)
   * @return the source; empty when both are the same file, and so nothing is to be done
   * @throws EngineException with the errno of rename(2)
   */
  Optional<Statx> check(Name from, Name to, boolean noReplace)
      throws EngineException, ErrnoException {
    if (from.isDots()) {
      throw Name.refused(from.path(), Errno.EBUSY);
    }
    if (to.isDots()) {
      throw Name.refused(to.path(), noReplace ? Errno.EEXIST : Errno.EBUSY);
    }
    Optional<Statx> found = from.stat(sys);
    if (found.isEmpty()) {
      throw Name.refused(from.path(), Errno.ENOENT);
    }
    Statx source = found.get();
    Optional<Statx> target = to.stat(sys);
    if (noReplace && target.isPresent()) {
      throw Name.refused(to.path(), Errno.EEXIST);
    }
    if (!source.isDirectory() && (from.slash() || to.slash())) {
      throw Name.refused(from.slash() ? from.path() : to.path(), Errno.ENOTDIR);
    }
    if (target.filter(source::sameFile).isPresent()) {
      return Optional.empty();
    }
    checkRemovable(from, source);
    if (target.isPresent()) {
      checkTarget(source, to, target.get());
    }
    return found;
  }

  private void checkTarget(Statx source, Name to, Statx target)
      throws EngineException, ErrnoException {
    checkRemovable(to, target);
    if (source.isDirectory() != target.isDirectory()) {
      throw Name.refused(to.path(), source.isDirectory() ? Errno.ENOTDIR : Errno.EISDIR);
    }
    if (target.isDirectory()) {
      int flags = Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_NOFOLLOW;
      try (Fd there = new Fd(sys, sys.openat(to.directory().number(), to.name(), flags, 0))) {
        if (!files.nextEntries(there).isEmpty()) {
          throw Name.refused(to.path(), Errno.ENOTEMPTY);
        }
      }
    }
  }

  /** Whether a name can be removed from its directory. */
  private void checkRemovable(Name name, Statx stat) throws EngineException, ErrnoException {
    if ((stat.attributes() & Linux.STATX_ATTR_MOUNT_ROOT) != 0) {
      throw Name.refused(name.path(), Errno.EBUSY);
    }
    Statx directory = stat(name.directory());
    checkWritable(name.directory(), OsPath.DOT, name.path().parent());
    if ((directory.attributes() & UNREMOVABLE) != 0) {
      throw unremovable(name.path().parent());
    }
    if ((stat.attributes() & UNREMOVABLE) != 0) {
      throw unremovable(name.path());
    }
    if (isKeptBySticky(directory, stat)) {
      throw Name.refused(name.path(), Errno.EPERM);
    }
  }

  private Statx stat(Fd directory) throws ErrnoException {
    int mask = Linux.STATX_BASIC_STATS | Linux.STATX_MNT_ID;
    return sys.statx(directory.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, mask);
  }

  private boolean isKeptBySticky(Statx directory, Statx stat) {
    return !root
        && (directory.permissions() & STICKY) != 0
        && directory.uid() != user
        && stat.uid() != user;
  }

  private void checkWritable(Fd directory, OsPath name, OsPath path)
      throws EngineException, ErrnoException {
    try {
      int mode = Linux.W_OK | Linux.X_OK;
      sys.faccessat2(directory.number(), name, mode, Linux.AT_EACCESS);
    } catch (ErrnoException e) {
      switch (e.errno()) {
        case ENOSYS -> {} // Linux before 5.8: the removal finds it out
        case EACCES, EPERM, EROFS -> throw Name.refused(path, e.errno());
        default -> throw e;
      }
    }
  }

  private static EngineException unremovable(OsPath path) {
    return EngineException.failed(
        path.quoted() + ": it is immutable or append-only (chattr(1)), and could not be removed",
        Errno.EPERM);
  }

  /** Refuses a source of which something could not be removed in the end. */
  Survey.Guard ofSource(Name from, Name to) throws ErrnoException {
    Statx destination = stat(to.directory());
    return new Survey.Guard() {
      private Optional<Fd> holder = Optional.empty();
      private Optional<Statx> ofHolder = Optional.empty();

      @Override
      public void check(Survey.Entry entry, Statx stat) throws EngineException, ErrnoException {
        if ((stat.attributes() & UNREMOVABLE) != 0) {
          throw unremovable(from.beneath(entry.path()));
        }
        if (stat.isDirectory() && stat.sameFile(destination)) {
          throw EngineException.failed(
              to.path().quoted() + ": a directory cannot be moved into itself", Errno.EINVAL);
        }
        if (root) {
          return;
        }
        if (stat.isDirectory()) {
          checkWritable(entry.directory(), entry.name(), from.beneath(entry.path()));
        }
        if (!entry.isRoot()) {
          if (holder.filter(entry.directory()::equals).isEmpty()) {
            holder = Optional.of(entry.directory());
            ofHolder = Optional.of(RenameRules.this.stat(entry.directory()));
          }
          if (isKeptBySticky(ofHolder.orElseThrow(), stat)) {
            throw Name.refused(from.beneath(entry.path()), Errno.EPERM);
          }
        }
      }

      @Override
      public void mounted(OsPath path) throws EngineException {
        throw EngineException.failed(
            from.beneath(path).quoted() + ": something is mounted there", Errno.EBUSY);
      }
    };
  }

  /** Whether rename(2) would not even try: two mounts, or two subvolumes. */
  boolean isAcross(Name from, Name to) throws ErrnoException {
    Statx source = stat(from.directory());
    Statx destination = stat(to.directory());
    return !source.sameFileSystem(destination) || source.mountId() != destination.mountId();
  }
}
