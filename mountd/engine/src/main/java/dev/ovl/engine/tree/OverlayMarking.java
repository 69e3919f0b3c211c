package dev.ovl.engine.tree;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.DirectoryEntries;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A layer of overlayfs (Documentation/filesystems/overlayfs.rst, "whiteouts and opaque
 * directories").
 *
 * <p>Each whiteout is a file of its own. The kernel links those that it makes itself, but a layer
 * is also copied, archived and looked at by other programs, and to them a hundred names of one
 * device are one file: where one of them is changed, all are.
 */
final class OverlayMarking implements Marking {
  private static final byte[] OPAQUE = {'y'};
  private static final byte[] HAS_WHITEOUTS = {'x'};
  private static final byte[] WHITEOUT = {'y'};

  private final Syscalls sys;
  private final Files files;
  private final String prefix;
  private final boolean devices;

  /**
   * @param prefix of the attributes
   * @param devices whiteouts are devices; else empty files with an attribute
   */
  OverlayMarking(Syscalls sys, String prefix, boolean devices) {
    this.sys = sys;
    this.files = new Files(sys);
    this.prefix = prefix;
    this.devices = devices;
  }

  @Override
  public boolean marksDeletions() {
    return true;
  }

  @Override
  public boolean isDeletion(Fd directory, OsPath name, Statx stat) throws ErrnoException {
    if (stat.isWhiteout()) {
      return true;
    }
    if (devices || !stat.isRegularFile() || stat.size() > 0) {
      return false;
    }
    OsPath path = OsPath.of("/proc/self/fd/" + directory.number()).resolve(name);
    return attribute(() -> sys.getxattr(path, prefix + OverlayXattrs.WHITEOUT, false)).isPresent();
  }

  @Override
  public boolean isHidden(Place place, OsPath name) {
    return false;
  }

  @Override
  public boolean unhide(Place place, OsPath name) {
    return false;
  }

  @Override
  public void delete(Place place, OsPath name) throws ErrnoException {
    if (devices) {
      sys.mknodat(place.number(), name, Linux.S_IFCHR, 0, 0);
      return;
    }
    if (isOpaque(place.directory())) {
      return; // nothing shows through, and a whiteout would be shown as a file
    }
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_EXCL | Linux.O_NOFOLLOW;
    try (Fd file = new Fd(sys, sys.openat(place.number(), name, flags, 0))) {
      sys.fsetxattr(file.number(), prefix + OverlayXattrs.WHITEOUT, WHITEOUT, 0);
    }
    sys.fsetxattr(place.number(), prefix + OverlayXattrs.OPAQUE, HAS_WHITEOUTS, 0);
  }

  private boolean isOpaque(Fd directory) throws ErrnoException {
    return attribute(() -> sys.fgetxattr(directory.number(), prefix + OverlayXattrs.OPAQUE))
        .filter(value -> Arrays.equals(value, OPAQUE))
        .isPresent();
  }

  /** An extended attribute that is looked for. */
  private interface Question {
    Optional<byte[]> ask() throws ErrnoException;
  }

  private static Optional<byte[]> attribute(Question question) throws ErrnoException {
    try {
      return question.ask();
    } catch (ErrnoException e) {
      if (e.is(Errno.EOPNOTSUPP)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  @Override
  public void opaque(Place directory) throws ErrnoException {
    if (!devices) {
      removeWhiteouts(directory.directory());
    }
    sys.fsetxattr(directory.number(), prefix + OverlayXattrs.OPAQUE, OPAQUE, 0);
  }

  private void removeWhiteouts(Fd directory) throws ErrnoException {
    List<OsPath> whiteouts = new ArrayList<>();
    sys.lseek(directory.number(), 0, Linux.SEEK_SET);
    for (List<DirectoryEntries.Entry> some = files.nextEntries(directory);
        !some.isEmpty();
        some = files.nextEntries(directory)) {
      for (DirectoryEntries.Entry entry : some) {
        Statx stat =
            sys.statx(
                directory.number(),
                entry.name(),
                Linux.AT_SYMLINK_NOFOLLOW,
                Linux.STATX_BASIC_STATS);
        if (isDeletion(directory, entry.name(), stat)) {
          whiteouts.add(entry.name());
        }
      }
    }
    for (OsPath name : whiteouts) {
      sys.unlinkat(directory.number(), name, 0);
    }
  }

  @Override
  public String attribute(String name) {
    return OverlayXattrs.escaped(name);
  }

  @Override
  public boolean isMark(String attribute) {
    return OverlayXattrs.own(attribute).isPresent();
  }

  @Override
  public void check(OsPath name) {}
}
