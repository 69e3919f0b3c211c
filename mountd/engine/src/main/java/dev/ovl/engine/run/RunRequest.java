package dev.ovl.engine.run;

import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;

/**
 * What is to run in a tree.
 *
 * @param command its name, looked for in the PATH that it gets unless there is a slash in it, and
 *     its arguments; not empty
 * @param environment {@code NAME=VALUE}, beside PATH and HOME, which it can replace; of two of a
 *     name the later counts
 * @param directory where it begins, in the tree, absolute
 * @param user {@code USER}, {@code USER:GROUP}, by names of the tree or by numbers; absent: root
 * @param volumes mounted in this order
 * @param ownNetwork whether it sees a loopback device alone
 * @param terminal whether it gets a terminal of its own, tied to this process's
 * @param recoversRenames whether libovl-exdev.so is preloaded
 */
public record RunRequest(
    List<OsPath> command,
    List<OsPath> environment,
    OsPath directory,
    Optional<String> user,
    List<Volume> volumes,
    boolean ownNetwork,
    boolean terminal,
    boolean recoversRenames) {}
