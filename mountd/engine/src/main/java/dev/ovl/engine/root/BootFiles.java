package dev.ovl.engine.root;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Where facts about a root are kept that end with the boot: {@code <run>/KIND/<root>/}. A run
 * directory may serve several roots, so that each root has a directory of its own there, named by
 * its device and inode number.
 */
public final class BootFiles {
  private static final OsPath BOOT_ID = OsPath.of("/proc/sys/kernel/random/boot_id");

  private final Files files;
  private final OsPath root;
  private final OsPath directory;
  private volatile OsPath ofRoot;
  private volatile String bootId;

  /**
   * @param root need not exist
   * @param run need not exist
   * @param kind of the facts: the name of a directory
   */
  public BootFiles(Syscalls sys, OsPath root, OsPath run, String kind) {
    this.files = new Files(sys);
    this.root = root;
    this.directory = run.resolve(kind);
  }

  /** Where the root's files of this kind are. */
  public OsPath directory() throws ErrnoException {
    OsPath known = ofRoot;
    if (known == null) {
      Optional<Statx> stat = files.stat(root);
      String key =
          stat.map(s -> s.devMajor() + "-" + s.devMinor() + "-" + s.inode()).orElse("none");
      known = directory.resolve(key);
      if (stat.isPresent()) {
        ofRoot = known;
      }
    }
    return known;
  }

  /** What tells this boot from all others. */
  public String bootId() throws ErrnoException {
    String known = bootId;
    if (known == null) {
      known =
          files
              .read(BOOT_ID)
              .map(text -> new String(text, StandardCharsets.US_ASCII).strip())
              .orElse("");
      bootId = known;
    }
    return known;
  }

  /** Replaces a file in {@link #directory}, which is made where it is missing. */
  public void write(OsPath file, byte[] content) throws ErrnoException {
    try {
      files.replaceVolatile(file, content, 0600);
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
      files.mkdirs(file.parent(), 0700);
      files.replaceVolatile(file, content, 0600);
    }
  }
}
