package dev.ovl.engine.mount;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.OverlayCensus.Found;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which overlay mounts, anywhere on this machine, write into an upper or work directory.
 *
 * <p>Goes by the options that the kernel shows: by their text, and by what they lead to. An upper that was
 * given relative to a directory or as a descriptor shows too little; whoever mounted it must know.
 */
public final class UpperUsers {
  private static final OsPath THROUGH_PROC = OsPath.of("/proc");

  private final Files files;
  /**
   * @param sys what to call
   */
  public UpperUsers(Syscalls sys) {
    this.files = new Files(sys);
  }

  /** Those of the overlay mounts that have one of the two as their upper or work. */
  public List<Found> of(OverlayMount.Upper upper, OverlayCensus.Snapshot overlays)
      throws ErrnoException {
    List<Found> all = overlays.find(entry -> true);
    if (all.isEmpty()) {
      return List.of();
    }
    Set<OsPath> paths = new HashSet<>();
    List<Statx> inodes = new ArrayList<>();
    for (OsPath path : List.of(upper.directory(), upper.work())) {
      paths.add(path);
      files.resolve(path).ifPresent(paths::add);
      files.stat(path).ifPresent(inodes::add);
    }
    List<Found> users = new ArrayList<>();
    for (Found found : all) {
      if (uses(found.mount(), paths, inodes)) {
        users.add(found);
      }
    }
    return users;
  }

  private boolean uses(MountEntry entry, Set<OsPath> paths, List<Statx> inodes)
      throws ErrnoException {
    for (String option : List.of("upperdir", "workdir")) {
      Optional<OsPath> shown = entry.path(option);
      if (shown.isPresent()) {
        if (paths.contains(shown.get())) {
          return true;
        }
        if (isTelling(shown.get()) && shown.get().isAbsolute()) {
          Optional<Statx> stat = files.stat(shown.get());
          if (stat.filter(s -> inodes.stream().anyMatch(s::sameFile)).isPresent()) {
            return true;
          }
        }
      }
    }
    return false;
  }

  /** Descriptor numbers, and paths through /proc, say nothing about the directory. */
  public static boolean isTelling(OsPath shown) {
    return !shown.startsWith(THROUGH_PROC)
        && !shown.toString().chars().allMatch(c -> c >= '0' && c <= '9');
  }
}
