package dev.ovl.engine.tree;

import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Timestamp;
import java.util.Optional;

/**
 * A directory that is being written to.
 *
 * @param path from the root of the tree
 * @param directory open for reading
 * @param inherits it has a default ACL, which the kernel gives to what is made in it
 * @param later what is to be set when no more is written to it
 */
record Place(OsPath path, Fd directory, boolean inherits, Later later) {

  /**
   * What writing into a directory would change, or would be changed by.
   *
   * @param accessed UTIME_OMIT: as it is
   * @param modified empty: as the kernel has it
   * @param defaultAcl the value of {@code system.posix_acl_default}
   * @param passing it was there before, and is only to be as it was
   */
  record Later(
      Timestamp accessed,
      Optional<Timestamp> modified,
      Optional<byte[]> defaultAcl,
      boolean passing) {}

  int number() {
    return directory.number();
  }
}
