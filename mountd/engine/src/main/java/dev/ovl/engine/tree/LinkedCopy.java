package dev.ovl.engine.tree;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.DirectoryEntries;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Copies a tree's directories, byte for byte in all their attributes, and gives its other files one
 * more name each: a copy that takes no room and in which names can be removed and made without harm
 * to the tree.
 */
public final class LinkedCopy {
  private final Syscalls sys;
  private final Files files;
  private final Beneath beneath;

  /**
   * @param sys what to call
   */
  public LinkedCopy(Syscalls sys) {
    this.sys = sys;
    this.files = new Files(sys);
    this.beneath = new Beneath(sys);
  }

  /**
   * Copies.
   *
   * @param from nobody changes it meanwhile
   * @param to an empty directory on the same file system; it gets the attributes, too
   * @throws EngineException something is mounted in the tree
   * @throws ErrnoException EMLINK: a file has as many names as the file system takes
   */
  public void copy(OsPath from, OsPath to) throws EngineException, ErrnoException {
    List<OsPath> directories = new ArrayList<>();
    try (Fd source = files.openDirectory(from);
        Fd target = files.openDirectory(to)) {
      Statx root = beneath.stat(source, OsPath.EMPTY).orElseThrow();
      Deque<OsPath> waiting = new ArrayDeque<>(List.of(OsPath.DOT));
      while (!waiting.isEmpty()) {
        OsPath path = waiting.pop();
        directories.add(path);
        try (Fd in = open(source, path);
            Fd out = open(target, path)) {
          fill(in, out, path, root, waiting);
        }
      }
      // a directory's times change with what is made in it
      for (OsPath path : directories.reversed()) {
        try (Fd in = open(source, path);
            Fd out = open(target, path)) {
          attributes(in, out);
        }
      }
    }
  }

  private Fd open(Fd top, OsPath path) throws EngineException, ErrnoException {
    return beneath
        .open(top, path)
        .orElseThrow(
            () -> EngineException.failed("vanished while it was copied: " + path.quoted()));
  }

  private void fill(Fd in, Fd out, OsPath path, Statx root, Deque<OsPath> waiting)
      throws EngineException, ErrnoException {
    for (List<DirectoryEntries.Entry> some = files.nextEntries(in);
        !some.isEmpty();
        some = files.nextEntries(in)) {
      for (DirectoryEntries.Entry entry : some) {
        OsPath name = entry.name();
        OsPath whole = path.equals(OsPath.DOT) ? name : path.resolve(name);
        Optional<Statx> stat = beneath.stat(in, name);
        if (stat.isEmpty() || Beneath.isMounted(stat.get(), root)) {
          throw EngineException.failed(
              "something is mounted on it, or it vanished: " + whole.quoted(), Errno.EBUSY);
        }
        if (stat.get().isDirectory()) {
          sys.mkdirat(out.number(), name, 0700);
          waiting.push(whole);
        } else {
          link(in, out, name, stat.get());
        }
      }
    }
  }

  private void link(Fd in, Fd out, OsPath name, Statx stat) throws ErrnoException {
    try {
      sys.linkat(in.number(), name, out.number(), name, 0);
    } catch (ErrnoException e) {
      // overlayfs makes as many whiteouts of one inode as the file system takes
      if (!e.is(Errno.EMLINK) || !stat.isWhiteout()) {
        throw e;
      }
      sys.mknodat(out.number(), name, stat.mode(), 0, 0);
    }
  }

  private void attributes(Fd in, Fd out) throws ErrnoException {
    Statx stat = beneath.stat(in, OsPath.EMPTY).orElseThrow();
    sys.fchownat(out.number(), OsPath.EMPTY, stat.uid(), stat.gid(), Linux.AT_EMPTY_PATH);
    for (String name : sys.flistxattr(in.number())) {
      Optional<byte[]> value = sys.fgetxattr(in.number(), name);
      if (value.isPresent()) {
        sys.fsetxattr(out.number(), name, value.get(), 0);
      }
    }
    sys.fchmod(out.number(), stat.permissions());
    Timestamp untouched = new Timestamp(0, Linux.UTIME_OMIT);
    sys.utimensat(out.number(), OsPath.EMPTY, untouched, stat.modified(), Linux.AT_EMPTY_PATH);
  }
}
