package dev.ovl.engine.aufs;

import dev.ovl.engine.mount.Propagation;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;

/**
 * An aufs mount before it is made: a value, which {@link AufsMounter} turns into system calls.
 *
 * @param source what mountinfo shows as source, {@code ovl:web}; without a comma
 * @param branches topmost first, at least one
 * @param options what else aufs is told, and the generic flags
 * @param target an existing directory, absolute
 * @param propagation absent: as the kernel decides by the parent mount
 */
public record AufsMount(
    OsPath source,
    List<AufsBranch> branches,
    AufsOptions options,
    OsPath target,
    Optional<Propagation> propagation) {

  /** Copies the branches. */
  public AufsMount {
    branches = List.copyOf(branches);
    if (branches.isEmpty()) {
      throw new IllegalArgumentException("an aufs needs a branch");
    }
  }
}
