package dev.ovl.engine.probe;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Temporary directories of probes whose process died: a living one holds a lock (flock(2)) on its
 * own, and one that was changed this minute may be about to be locked.
 */
public final class AbandonedProbes {
  private static final Duration YOUNG = Duration.ofMinutes(1);
  private static final Pattern NAME =
      Pattern.compile(
          Pattern.quote(RootProbe.TEMPORARY_PREFIX) + "[0-9a-f]{" + RootProbe.NAME_DIGITS + "}");

  private final Syscalls sys;
  private final Files files;
  private final OsPath root;

  /**
   * @param root the root directory, which need not exist
   */
  public AbandonedProbes(Syscalls sys, OsPath root) {
    this.sys = sys;
    this.files = new Files(sys);
    this.root = root;
  }

  /** Those in the root, or in the nearest directory above it that exists. */
  public List<OsPath> find() throws ErrnoException {
    OsPath place = new RootProbe(sys, root).place();
    List<OsPath> found = new ArrayList<>();
    for (OsPath name : files.list(place)) {
      if (NAME.matcher(name.toString()).matches()) {
        OsPath path = place.resolve(name);
        Optional<Fd> abandoned = lock(path);
        if (abandoned.isPresent()) {
          abandoned.get().close();
          found.add(path);
        }
      }
    }
    return found;
  }

  /** Removes one with all that is in it. Returns false when it is gone or somebody's. */
  public boolean remove(OsPath path) throws ErrnoException {
    Optional<Fd> abandoned = lock(path);
    if (abandoned.isEmpty()) {
      return false;
    }
    try (Fd held = abandoned.get()) {
      files.removeTree(path);
      return true;
    }
  }

  /** The directory, locked; empty when it is in use, young, another user's or gone. */
  private Optional<Fd> lock(OsPath path) throws ErrnoException {
    Optional<Statx> stat = files.lstat(path);
    long newest = Instant.now().minus(YOUNG).getEpochSecond();
    if (stat.filter(Statx::isDirectory).isEmpty()
        || stat.get().uid() != sys.geteuid()
        || stat.get().modified().seconds() > newest) {
      return Optional.empty();
    }
    Fd fd;
    try {
      fd = files.openDirectory(path);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return Optional.empty();
      }
      throw e;
    }
    boolean locked = false;
    try {
      locked = sys.flock(fd.number(), Linux.LOCK_EX | Linux.LOCK_NB);
      return locked ? Optional.of(fd) : Optional.empty();
    } finally {
      if (!locked) {
        fd.close();
      }
    }
  }
}
