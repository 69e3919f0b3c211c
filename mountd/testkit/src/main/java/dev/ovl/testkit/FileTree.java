package dev.ovl.testkit;

import dev.ovl.sys.DirectoryEntries;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OpenHow;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Directories by byte names. */
final class FileTree {
  private static final int BUFFER_BYTES = 64 * 1024;

  private FileTree() {}

  /** The names in a directory, sorted by bytes. */
  static List<OsPath> list(Syscalls sys, OsPath directory) throws ErrnoException {
    int flags = Linux.O_RDONLY | Linux.O_DIRECTORY;
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, directory, flags, 0))) {
      return list(sys, fd);
    }
  }

  /** The names in an open directory, sorted by bytes. */
  static List<OsPath> list(Syscalls sys, Fd directory) throws ErrnoException {
    List<OsPath> names = new ArrayList<>();
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    while (sys.getdents64(directory.number(), buffer.clear()) > 0) {
      for (DirectoryEntries.Entry entry : new DirectoryEntries(buffer)) {
        names.add(entry.name());
      }
    }
    Collections.sort(names);
    return names;
  }

  /** Removes a directory with all beneath it; fails at a mount point. */
  static void remove(Syscalls sys, OsPath directory) throws ErrnoException {
    int flags = Linux.O_RDONLY | Linux.O_DIRECTORY;
    try (Fd parent = new Fd(sys, sys.openat(Linux.AT_FDCWD, directory.parent(), flags, 0))) {
      remove(sys, parent, directory.fileName());
    }
  }

  /** Removes whatever has this name. */
  static void removeAny(Syscalls sys, OsPath path) throws ErrnoException {
    try {
      sys.unlinkat(Linux.AT_FDCWD, path, 0);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EISDIR)) {
        throw e;
      }
      remove(sys, path);
    }
  }

  private static void remove(Syscalls sys, Fd parent, OsPath name) throws ErrnoException {
    OpenHow how =
        new OpenHow(
            (long) Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_NOFOLLOW,
            0,
            Linux.RESOLVE_BENEATH | Linux.RESOLVE_NO_XDEV);
    try (Fd directory = new Fd(sys, sys.openat2(parent.number(), name, how))) {
      for (OsPath entry : list(sys, directory)) {
        try {
          sys.unlinkat(directory.number(), entry, 0);
        } catch (ErrnoException e) {
          if (!e.is(Errno.EISDIR)) {
            throw e;
          }
          remove(sys, directory, entry);
        }
      }
    }
    sys.unlinkat(parent.number(), name, Linux.AT_REMOVEDIR);
  }
}
