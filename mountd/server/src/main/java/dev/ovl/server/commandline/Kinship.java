package dev.ovl.server.commandline;

import dev.ovl.cli.command.Demand;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Peer;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.Optional;

/**
 * Whether this process sees the world as a client does: then what it does for the client is what
 * the client would do itself.
 *
 * @param root this daemon's root directory
 * @param run its run directory
 */
record Kinship(Syscalls sys, OsPath root, OsPath run) {
  private static final List<String> NAMESPACES = List.of("mnt", "user", "pid");

  /** Of the process that looks, whichever that is. */
  private static final List<String> OF_A_PROCESS =
      List.of("/dev/fd", "/dev/std", "/dev/tty", "/proc/self", "/proc/thread-self");

  /**
   * What is different; absent: nothing.
   *
   * @throws ErrnoException the client has ended meanwhile
   */
  Optional<String> difference(Peer peer) throws ErrnoException {
    int uid = sys.geteuid();
    if (peer.uid() != uid) {
      return Optional.of("its user is " + peer.uid() + ", ours " + uid);
    }
    if (peer.pid() == 0) {
      return Optional.of("it has no process id here");
    }
    for (String namespace : NAMESPACES) {
      OsPath theirs = link(Integer.toString(peer.pid()), "ns/" + namespace);
      OsPath ours = link("self", "ns/" + namespace);
      if (!theirs.equals(ours)) {
        return Optional.of("it is in " + theirs + ", we in " + ours);
      }
    }
    OsPath theirs = link(Integer.toString(peer.pid()), "root");
    return theirs.equals(OsPath.ROOT) && link("self", "root").equals(OsPath.ROOT)
        ? Optional.empty()
        : Optional.of("its root directory is " + theirs.quoted());
  }

  private OsPath link(String process, String name) throws ErrnoException {
    return sys.readlinkat(Linux.AT_FDCWD, OsPath.of("/proc/" + process + "/" + name));
  }

  /**
   * Whether a command line is about this daemon's stacks, if about any, and could do without more.
   */
  boolean serves(Demand demand, List<String> arguments) {
    return !demand.ownProcess()
        && arguments.stream().noneMatch(Kinship::namesOwnFile)
        && (demand.target().isEmpty() || isOurs(demand.target().get()));
  }

  private static boolean namesOwnFile(String argument) {
    return OF_A_PROCESS.stream().anyMatch(argument::contains);
  }

  private boolean isOurs(Demand.Target target) {
    return target.host().equals("auto") && same(target.root(), root) && same(target.run(), run);
  }

  private boolean same(OsPath one, OsPath other) {
    return one.equals(other)
        || (identity(one).isPresent() && identity(one).equals(identity(other)));
  }

  private Optional<String> identity(OsPath path) {
    try {
      Statx file = sys.statx(Linux.AT_FDCWD, path, 0, Linux.STATX_INO);
      return Optional.of(file.identity());
    } catch (ErrnoException e) {
      // not there, or not for us: either way nothing that could be compared
      return Optional.empty();
    }
  }
}
