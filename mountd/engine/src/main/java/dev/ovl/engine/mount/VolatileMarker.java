package dev.ovl.engine.mount;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;

/**
 * The directory {@code incompat/volatile}, with a file in it, that overlayfs leaves in the work
 * directory of a volatile mount. While it is there the kernel mounts that upper no more, volatile
 * or not: after a crash its content may be anything.
 */
public final class VolatileMarker {
  private final Files files;
  private final OsPath incompat;

  /**
   * @param work the mount's workdir
   */
  public VolatileMarker(Syscalls sys, OsPath work) {
    this.files = new Files(sys);
    this.incompat = work.resolve("work/incompat");
  }

  /** True when a volatile mount has not been ended cleanly. */
  public boolean isPresent() throws ErrnoException {
    return files.lstat(incompat.resolve("volatile")).isPresent();
  }

  /** Removes the marker. Its caller has synced the upper, or was told what may be lost. */
  public void remove() throws ErrnoException {
    files.removeTree(incompat);
  }
}
