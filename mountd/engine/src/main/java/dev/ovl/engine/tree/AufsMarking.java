package dev.ovl.engine.tree;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;

/** A branch of aufs (aufs(5)). */
final class AufsMarking implements Marking {
  private static final int PERMISSIONS = 0444;

  private final Syscalls sys;

  AufsMarking(Syscalls sys) {
    this.sys = sys;
  }

  @Override
  public boolean marksDeletions() {
    return true;
  }

  @Override
  public boolean isDeletion(Fd directory, OsPath name, Statx stat) {
    return false;
  }

  @Override
  public boolean isHidden(Place place, OsPath name) throws ErrnoException {
    try {
      int flags = Linux.AT_SYMLINK_NOFOLLOW;
      sys.statx(place.number(), AufsNames.whiteout(name), flags, Linux.STATX_TYPE);
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT) || e.is(Errno.ENAMETOOLONG)) {
        return false;
      }
      throw e;
    }
  }

  @Override
  public boolean unhide(Place place, OsPath name) throws ErrnoException {
    try {
      sys.unlinkat(place.number(), AufsNames.whiteout(name), 0);
      return true;
    } catch (ErrnoException e) {
      // no name is so long that it can be hidden
      if (e.is(Errno.ENOENT) || e.is(Errno.ENAMETOOLONG)) {
        return false;
      }
      throw e;
    }
  }

  @Override
  public void delete(Place place, OsPath name) throws ErrnoException {
    mark(place, AufsNames.whiteout(name));
  }

  @Override
  public void opaque(Place directory) throws ErrnoException {
    mark(directory, AufsNames.OPAQUE);
  }

  private void mark(Place place, OsPath name) throws ErrnoException {
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_NOFOLLOW;
    new Fd(sys, sys.openat(place.number(), name, flags, PERMISSIONS)).close();
  }

  @Override
  public String attribute(String name) {
    return name;
  }

  @Override
  public boolean isMark(String attribute) {
    return false;
  }

  @Override
  public void check(OsPath name) throws EngineException {
    if (AufsNames.isMark(name)) {
      throw EngineException.failed(
          "a branch of aufs cannot hold " + name.quoted() + ": the name would hide another");
    }
  }
}
