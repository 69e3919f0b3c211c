package dev.ovl.engine.move;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Trees;
import java.util.SortedMap;
import java.util.TreeMap;

/** A directory from which things are moved and one into which they are. */
final class TwoPlaces {
  private final OsPath from;
  private final OsPath to;

  TwoPlaces(OsPath from, OsPath to) throws ErrnoException {
    this.from = from;
    this.to = to;
    Files files = new Files(new LinuxSyscalls());
    files.mkdirs(from, 0755);
    files.mkdirs(to, 0755);
  }

  OsPath from(String name) {
    return from.resolve(name);
  }

  OsPath to(String name) {
    return to.resolve(name);
  }

  OsPath to() {
    return to;
  }

  /** All that is in both, to the byte, with times. */
  record State(Trees.Snapshot from, Trees.Snapshot to) {
    /** Whether what was at the source is at the destination now, and nothing else has changed. */
    boolean isMoved(State before) {
      return from.nodes().isEmpty() && to.differences(before.from).isEmpty();
    }

    boolean isSame(State before) {
      return from.differences(before.from).isEmpty() && to.differences(before.to).isEmpty();
    }

    @Override
    public String toString() {
      return "from:\n" + from + "to:\n" + to;
    }
  }

  State state() throws ErrnoException {
    return new State(content(from), content(to));
  }

  /** Without the directory itself, whose times change. */
  private static Trees.Snapshot content(OsPath directory) throws ErrnoException {
    SortedMap<OsPath, Trees.Node> nodes = new TreeMap<>(Trees.snapshotWithTimes(directory).nodes());
    nodes.remove(OsPath.DOT);
    // XFS shows an ACL by two names
    nodes.values().forEach(node -> node.xattrs().keySet().removeIf(x -> x.contains("SGI_ACL")));
    return new Trees.Snapshot(nodes);
  }

  /** System calls that say EXDEV to the first rename, as between two file systems. */
  static final class Across extends ObservedSyscalls {
    private boolean refused;

    Across(Syscalls sys) {
      super(sys);
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      if (!refused && invocation.name().equals("renameat2")) {
        refused = true;
        throw invocation.failure(Errno.EXDEV);
      }
      return invocation.perform();
    }
  }
}
