package dev.ovl.jni;

import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import java.util.List;

/**
 * What is to run, and in what.
 *
 * @param root a mount that is attached nowhere, which becomes the root directory; it stays the
 *     caller's
 * @param volumes what is mounted inside besides
 * @param arguments the command, which is looked for in the PATH of the environment, and its
 *     arguments
 * @param environment {@code NAME=VALUE}
 * @param directory where the command begins, absolute
 * @param user who it runs as
 * @param ownNetwork whether it has a network of its own, with nothing but a loopback device
 * @param terminal whether it gets a terminal of its own, tied to this process's standard input and
 *     output
 */
public record CommandPlan(
    Fd root,
    List<Volume> volumes,
    List<OsPath> arguments,
    List<OsPath> environment,
    OsPath directory,
    User user,
    boolean ownNetwork,
    boolean terminal) {

  /**
   * A mount inside.
   *
   * @param tree a mount that is attached nowhere; it stays the caller's
   * @param target absolute and normalised; it is made if it is missing
   * @param directory whether it is a directory, and the target must be one
   */
  public record Volume(Fd tree, OsPath target, boolean directory, boolean readOnly) {}

  /** Ids as the kernel has them; those above 2³¹ are negative. */
  public record User(int uid, int gid, List<Integer> groups) {}
}
