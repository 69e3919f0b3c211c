package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Lookout;
import dev.ovl.engine.file.Lookout.Seen;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which stack an upper or work of the user's belongs to. Directories are compared by inode, since
 * one has many names; those of other stacks by name alone where they cannot be looked at.
 */
final class UpperOwners {
  private final Files files;
  private final StackStore store;
  private final Lookout lookout;

  UpperOwners(Syscalls sys, StackStore store, Lookout lookout) {
    this.files = new Files(sys);
    this.store = store;
    this.lookout = lookout;
  }

  /** A stack's wish for an upper. For one operation and one thread. */
  final class Claim {
    private final StackName name;
    private final Set<OsPath> paths = new HashSet<>();
    private final List<Statx> stats = new ArrayList<>();
    private final Map<StackName, List<OsPath>> compared = new HashMap<>();

    private Claim(StackName name) {
      this.name = name;
    }

    /**
     * Refuses what another stack has already. A second time only what was defined since is looked
     * at, so that this goes fast while others wait for a lock.
     */
    void refuseOwned() throws EngineException, ErrnoException {
      for (StackName other : store.names()) {
        Optional<StackDefinition> stack =
            other.equals(name) ? Optional.empty() : store.findReadable(other);
        if (stack.isPresent() && !stack.get().written().equals(compared.get(other))) {
          List<OsPath> theirs = stack.get().written();
          for (OsPath path : theirs) {
            refuse(other, path);
          }
          compared.put(other, theirs);
        }
      }
    }

    private void refuse(StackName owner, OsPath path) throws EngineException {
      boolean same =
          switch (lookout.look(path, Linux.STATX_INO)) {
            case Seen.Found found -> stats.stream().anyMatch(found.stat()::sameFile);
            case Seen.Nothing nothing -> false;
            case Seen.Untold untold -> paths.contains(path);
          };
      if (same) {
        throw EngineException.failed(
            "upper or work belongs to stack " + owner + " already: " + path.quoted(), Errno.EBUSY);
      }
    }
  }

  /** What a stack asks to write to. Waits for the file systems that it is on. */
  Claim claim(StackDefinition stack) throws ErrnoException {
    Claim claim = new Claim(stack.name());
    for (OsPath path : stack.written()) {
      claim.paths.add(path);
      files.resolve(path).ifPresent(claim.paths::add);
      files.stat(path).ifPresent(claim.stats::add);
    }
    return claim;
  }
}
