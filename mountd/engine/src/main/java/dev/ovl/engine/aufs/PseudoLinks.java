package dev.ovl.engine.aufs;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Uninterrupted;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.sys.DirectoryEntries;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.FutureTask;

/**
 * Makes the pseudo-links of an aufs real.
 *
 * <p>When one name of a hard-linked file is copied up, aufs keeps the others together with it in
 * memory, and a link in the branch's {@value #DIRECTORY}: after an unmount or a change of branches
 * they would show the old file again. Real links come about by copying up each such name, which
 * chown(2) to nobody new does. As auplink(8) of aufs-tools does it, but a file is recognised by
 * more than its inode number: what earlier mounts left in that directory names numbers that mean
 * other files now.
 *
 * <p>Meanwhile aufs is in pseudo-link maintenance, in which it serves the one thread that asked for
 * it and tells others EAGAIN, so all of it is one thread's work. Where there are no pseudo-links,
 * which is the rule, nothing happens but a look at an empty directory for each writable branch.
 */
final class PseudoLinks {
  /** Where a writable branch keeps links to the files: {@code <inode in aufs>.<in the branch>}. */
  static final String DIRECTORY = ".wh..wh.plnk";

  private static final OsPath MAINTENANCE = OsPath.of("/proc/fs/aufs/plink_maint");

  private final Syscalls sys;
  private final Files files;

  PseudoLinks(Syscalls sys) {
    this.sys = sys;
    this.files = new Files(sys);
  }

  /**
   * Makes them real and takes them out of memory and branches.
   *
   * @throws ErrnoException EBUSY: another process is at it; EINVAL: the aufs is gone; ENOSPC: a
   *     directory could not be copied up; or another: the pseudo-links then stand as before
   */
  void flush(MountEntry mount, AufsState state) throws ErrnoException {
    if (state.options().contains("noplink")) {
      return;
    }
    Map<Long, List<Link>> links = links(state);
    if (links.isEmpty()) {
      return;
    }
    FutureTask<Void> task =
        new FutureTask<>(
            () -> {
              flush(mount, state, links);
              return null;
            });
    Thread.ofPlatform().daemon().name("ovl-aufs").start(task);
    Uninterrupted.await(task);
  }

  /** A file in a branch's directory of pseudo-links. */
  private record Link(OsPath path, Statx stat) {
    /** True when this is the file that aufs shows so; linking it changes its ctime. */
    boolean isShownAs(Statx shown) {
      return stat.size() == shown.size()
          && stat.mode() == shown.mode()
          && stat.uid() == shown.uid()
          && stat.gid() == shown.gid()
          && stat.modified().equals(shown.modified());
    }
  }

  /** By their inode numbers in aufs. */
  private Map<Long, List<Link>> links(AufsState state) throws ErrnoException {
    Map<Long, List<Link>> links = new HashMap<>();
    for (AufsBranch branch : state.writable()) {
      OsPath directory = branch.directory().resolve(DIRECTORY);
      for (OsPath name : files.list(directory)) {
        String inode = name.toString().replaceFirst("\\..*", "");
        OsPath path = directory.resolve(name);
        Optional<Statx> stat = files.lstat(path);
        if (inode.matches("[0-9]{1,19}") && stat.isPresent()) {
          links
              .computeIfAbsent(Long.parseUnsignedLong(inode), n -> new ArrayList<>())
              .add(new Link(path, stat.get()));
        }
      }
    }
    return links;
  }

  private void flush(MountEntry mount, AufsState state, Map<Long, List<Link>> links)
      throws ErrnoException {
    try (Fd maintenance =
            new Fd(
                sys, sys.openat(Linux.AT_FDCWD, MAINTENANCE, Linux.O_WRONLY | Linux.O_CLOEXEC, 0));
        Fd root = files.openDirectory(mount.point())) {
      write(maintenance, "si=" + state.id());
      copyUp(root, links, statOf(root));
      write(maintenance, "clean");
      for (List<Link> same : links.values()) {
        for (Link link : same) {
          files.remove(link.path());
        }
      }
    }
  }

  /** In one call: each is a command. */
  private void write(Fd file, String command) throws ErrnoException {
    byte[] bytes = OsPath.encode(command);
    sys.write(file.number(), ByteBuffer.allocateDirect(bytes.length).put(bytes).flip());
  }

  private Statx statOf(Fd fd) throws ErrnoException {
    return sys.statx(fd.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_BASIC_STATS);
  }

  private void copyUp(Fd directory, Map<Long, List<Link>> links, Statx root) throws ErrnoException {
    for (List<DirectoryEntries.Entry> some = files.nextEntries(directory);
        !some.isEmpty();
        some = files.nextEntries(directory)) {
      for (DirectoryEntries.Entry entry : some) {
        if (entry.type() == Linux.DT_DIR) {
          descend(directory, entry.name(), links, root);
        } else if (links.containsKey(entry.inode())) {
          copyUp(directory, entry.name(), links);
        }
      }
    }
  }

  private void descend(Fd parent, OsPath name, Map<Long, List<Link>> links, Statx root)
      throws ErrnoException {
    try (Fd fd =
        new Fd(
            sys,
            sys.openat(
                parent.number(), name, Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_NOFOLLOW, 0))) {
      if (statOf(fd).sameFileSystem(root)) {
        copyUp(fd, links, root);
      }
    } catch (ErrnoException e) {
      if (!isGone(e)) {
        throw e;
      }
    }
  }

  private void copyUp(Fd directory, OsPath name, Map<Long, List<Link>> links)
      throws ErrnoException {
    try {
      Statx shown =
          sys.statx(directory.number(), name, Linux.AT_SYMLINK_NOFOLLOW, Linux.STATX_BASIC_STATS);
      if (links.getOrDefault(shown.inode(), List.of()).stream()
          .anyMatch(link -> link.isShownAs(shown))) {
        sys.fchownat(directory.number(), name, -1, -1, Linux.AT_SYMLINK_NOFOLLOW);
      }
    } catch (ErrnoException e) {
      if (!isGone(e)) {
        throw e;
      }
    }
  }

  /** What was listed may be removed or replaced before it is looked at. */
  private static boolean isGone(ErrnoException e) {
    return e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR) || e.is(Errno.ELOOP);
  }
}
