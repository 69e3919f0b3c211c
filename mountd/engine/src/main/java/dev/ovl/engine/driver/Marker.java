package dev.ovl.engine.driver;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;

/** An empty file that says something by being there. */
public final class Marker {
  private static final byte[] NOTHING = {};

  private final Files files;
  private final OsPath file;

  /**
   * @param file whose directory exists when it is set
   */
  public Marker(Syscalls sys, OsPath file) {
    this.files = new Files(sys);
    this.file = file;
  }

  /** Whether it is there. */
  public boolean isSet() throws ErrnoException {
    return files.lstat(file).isPresent();
  }

  /** Makes it, durably; one that is there is fine. When that fails it is not there. */
  public void set() throws ErrnoException {
    if (isSet()) {
      return;
    }
    try {
      files.create(file, NOTHING, 0600, true);
      files.sync(file.parent());
    } catch (ErrnoException failure) {
      try {
        clear();
      } catch (ErrnoException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }

  /** Removes it; none is fine. */
  public void clear() throws ErrnoException {
    files.remove(file);
  }
}
