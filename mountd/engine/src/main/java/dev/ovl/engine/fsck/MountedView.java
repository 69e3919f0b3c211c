package dev.ovl.engine.fsck;

import dev.ovl.engine.diff.LayerEntry;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.Beneath;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.Optional;

/**
 * What a mount shows, beside its upper. While nobody but the kernel writes to an upper, each name
 * in it is shown by the same name; where it is not, someone has been at work below the mount, whose
 * cache still has what was.
 */
final class MountedView implements AutoCloseable {
  private static final int FLAGS = Linux.AT_SYMLINK_NOFOLLOW | Linux.AT_NO_AUTOMOUNT;

  private final Syscalls sys;
  private final Beneath beneath;
  private final Optional<Fd> root;
  private Optional<Fd> directory = Optional.empty();

  private MountedView(Syscalls sys, Optional<Fd> root) {
    this.sys = sys;
    this.beneath = new Beneath(sys);
    this.root = root;
  }

  /**
   * Opens it.
   *
   * @param target empty: nothing is mounted, and nothing is ever shown otherwise
   */
  static MountedView open(Syscalls sys, Optional<OsPath> target) throws ErrnoException {
    return new MountedView(
        sys,
        target.isPresent() ? Optional.of(new Files(sys).openPath(target.get())) : Optional.empty());
  }

  /** The names of this directory are asked for now. */
  void enter(OsPath path) throws ErrnoException {
    leave();
    if (root.isPresent()) {
      OsPath at = path.isEmpty() ? OsPath.DOT : path;
      directory = beneath.open(root.get(), at, Linux.O_PATH | Linux.O_DIRECTORY);
    }
  }

  /** No more are. */
  void leave() {
    directory.ifPresent(Fd::close);
    directory = Optional.empty();
  }

  /**
   * What is wrong with how a name of the upper is shown; empty where nothing is. Who works in the
   * mount meanwhile is no such thing: then the upper has changed, too.
   */
  Optional<String> differs(LayerEntry entry) throws ErrnoException {
    if (directory.isEmpty() || entry.badRedirect().isPresent() || entry.broken().isPresent()) {
      return Optional.empty();
    }
    Optional<Statx> upper = Optional.of(entry.stat());
    Optional<String> first = differs(entry, upper.get());
    if (first.isEmpty()) {
      return first;
    }
    upper = stat(entry.directory(), entry.name());
    boolean same =
        upper.isPresent()
            && upper.get().sameFile(entry.stat())
            && upper.get().changed().equals(entry.stat().changed());
    return same ? differs(entry, upper.get()) : Optional.empty();
  }

  private Optional<String> differs(LayerEntry entry, Statx upper) throws ErrnoException {
    Optional<Statx> shown = stat(directory.get(), entry.name());
    if (shown.filter(s -> (s.attributes() & Linux.STATX_ATTR_MOUNT_ROOT) != 0).isPresent()) {
      return Optional.empty();
    }
    if (entry.whiteout()) {
      return shown.map(s -> "the upper has a whiteout, and the mount shows a file");
    }
    if (shown.isEmpty()) {
      return Optional.of("the upper has it, and the mount does not show it");
    }
    boolean kind = (shown.get().mode() & Linux.S_IFMT) == (upper.mode() & Linux.S_IFMT);
    boolean same =
        kind
            && shown.get().mode() == upper.mode()
            && shown.get().uid() == upper.uid()
            && shown.get().gid() == upper.gid()
            && shown.get().modified().equals(upper.modified())
            && (upper.isDirectory() || shown.get().size() == upper.size());
    return same ? Optional.empty() : Optional.of("the mount shows another file than the upper has");
  }

  private Optional<Statx> stat(Fd where, OsPath name) throws ErrnoException {
    try {
      return Optional.of(sys.statx(where.number(), name, FLAGS, Linux.STATX_BASIC_STATS));
    } catch (ErrnoException e) {
      if (Beneath.isGone(e)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  @Override
  public void close() {
    leave();
    root.ifPresent(Fd::close);
  }
}
