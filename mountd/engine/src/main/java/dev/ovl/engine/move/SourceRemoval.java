package dev.ovl.engine.move;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.Beneath;
import dev.ovl.sys.DirectoryEntries;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Removes of a source what was copied of it, and nothing else: each name is looked at before it
 * goes. However deep the tree, few descriptors are open and the Java stack stays flat; and nothing
 * is renamed, which a directory of an overlay's lower would not take. For one thread, once.
 */
final class SourceRemoval {
  /** Directories kept open; those above are opened again when they are come back to. */
  private static final int OPEN_DIRECTORIES = 64;

  private final Syscalls sys;
  private final Files files;
  private final Beneath beneath;
  private final Name source;
  private final CopiedFiles copied;
  private final Deque<Level> levels = new ArrayDeque<>();
  private Optional<OsPath> left = Optional.empty();

  SourceRemoval(Syscalls sys, Name source, CopiedFiles copied) {
    this.sys = sys;
    this.files = new Files(sys);
    this.beneath = new Beneath(sys);
    this.source = source;
    this.copied = copied;
  }

  /** A directory that is being emptied. */
  private static final class Level {
    private final OsPath path;
    private final long fingerprint;
    private final Iterator<OsPath> names;
    private Optional<Fd> directory;

    Level(OsPath path, long fingerprint, Iterator<OsPath> names, Fd directory) {
      this.path = path;
      this.fingerprint = fingerprint;
      this.names = names;
      this.directory = Optional.of(directory);
    }

    void close() {
      directory.ifPresent(Fd::close);
      directory = Optional.empty();
    }
  }

  /**
   * Removes; what is gone already was removed before.
   *
   * @return the path of something that was not copied, and so is still there, from the root of the
   *     source, which is {@code .}; empty when all is gone
   */
  Optional<OsPath> run() throws ErrnoException {
    Optional<Statx> stat = source.stat(sys);
    if (stat.isEmpty()) {
      return left;
    }
    if (!copied.contains(Fingerprint.ROOT, stat.get())) {
      return Optional.of(OsPath.DOT);
    }
    if (!stat.get().isDirectory()) {
      unlink(source.directory(), source.name(), 0);
      return left;
    }
    Optional<Fd> top = beneath.open(source.directory(), source.name(), Linux.O_DIRECTORY);
    if (top.isPresent()) {
      try (Fd root = top.get()) {
        empty(root);
      } finally {
        levels.forEach(Level::close);
      }
      removeDirectory(source.directory(), source.name(), OsPath.DOT);
    }
    return left;
  }

  private void empty(Fd root) throws ErrnoException {
    enter(root, OsPath.DOT, Fingerprint.ROOT);
    while (!levels.isEmpty()) {
      Level level = levels.getLast();
      if (level.directory.isEmpty()) {
        level.directory = beneath.open(root, level.path, Linux.O_DIRECTORY);
      }
      if (level.directory.isPresent() && level.names.hasNext()) {
        remove(root, level, level.directory.get(), level.names.next());
        continue;
      }
      level.close();
      levels.removeLast();
      if (!levels.isEmpty()) {
        Level above = levels.getLast();
        if (above.directory.isEmpty()) {
          above.directory = beneath.open(root, above.path, Linux.O_DIRECTORY);
        }
        if (above.directory.isPresent()) {
          removeDirectory(above.directory.get(), level.path.fileName(), level.path);
        }
      }
    }
  }

  private void remove(Fd root, Level level, Fd directory, OsPath name) throws ErrnoException {
    Statx stat;
    try {
      int flags = Linux.AT_SYMLINK_NOFOLLOW | Linux.AT_NO_AUTOMOUNT;
      stat = sys.statx(directory.number(), name, flags, Linux.STATX_BASIC_STATS);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return;
      }
      throw e;
    }
    long fingerprint = Fingerprint.name(level.fingerprint, name);
    if (!copied.contains(fingerprint, stat)) {
      leave(below(level.path, name));
    } else if (stat.isDirectory()) {
      enter(root, below(level.path, name), fingerprint);
    } else {
      unlink(directory, name, 0);
    }
  }

  private static OsPath below(OsPath path, OsPath name) {
    return path.equals(OsPath.DOT) ? name : path.resolve(name);
  }

  private void leave(OsPath path) {
    if (left.isEmpty()) {
      left = Optional.of(path);
    }
  }

  private void enter(Fd root, OsPath path, long fingerprint) throws ErrnoException {
    Optional<Fd> opened = beneath.open(root, path, Linux.O_DIRECTORY);
    if (opened.isEmpty()) {
      return;
    }
    Fd directory = opened.get();
    List<OsPath> names = new ArrayList<>();
    try {
      for (List<DirectoryEntries.Entry> some = files.nextEntries(directory);
          !some.isEmpty();
          some = files.nextEntries(directory)) {
        some.forEach(entry -> names.add(entry.name()));
      }
    } catch (ErrnoException e) {
      directory.close();
      throw e;
    }
    levels.addLast(new Level(path, fingerprint, names.iterator(), directory));
    if (levels.size() > OPEN_DIRECTORIES) {
      levels.stream()
          .filter(level -> level.directory.isPresent())
          .findFirst()
          .ifPresent(Level::close);
    }
  }

  private void removeDirectory(Fd above, OsPath name, OsPath path) throws ErrnoException {
    try {
      unlink(above, name, Linux.AT_REMOVEDIR);
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOTEMPTY) && !e.is(Errno.EEXIST) && !e.is(Errno.ENOTDIR)) {
        throw e;
      }
      leave(path);
    }
  }

  private void unlink(Fd directory, OsPath name, int flags) throws ErrnoException {
    try {
      sys.unlinkat(directory.number(), name, flags);
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
    }
  }
}
