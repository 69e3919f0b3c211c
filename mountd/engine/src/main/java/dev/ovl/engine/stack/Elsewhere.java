package dev.ovl.engine.stack;

import dev.ovl.sys.OsPath;
import java.util.Optional;

/**
 * A mount of a stack in another mount namespace, which unmounting it here leaves alive.
 *
 * @param namespace inode number of that
 * @param point where, seen from the root directory of the namespace
 * @param pid of a process that lives there; absent: none shows itself
 */
public record Elsewhere(long namespace, OsPath point, Optional<Integer> pid) {
  /** As /proc names it: {@code mnt:[4026531841]}. */
  public String namespaceName() {
    return "mnt:[" + namespace + "]";
  }

  /** One phrase: {@code /mnt in mnt:[4026531841] of pid 12}. */
  @Override
  public String toString() {
    return point.quoted() + " in " + namespaceName() + pid.map(p -> " of pid " + p).orElse("");
  }
}
