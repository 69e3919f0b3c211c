package dev.ovl.engine.aufs;

import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;

/**
 * A mounted aufs as the kernel shows it.
 *
 * @param id the kernel's for this superblock, hexadecimal: {@code si=} among the options
 * @param branches topmost first, by their paths without links as seen from this process's root
 * @param xino where the inode numbers were to be kept when it was mounted, a file without a name
 *     since; absent with {@code noxino} and where it is not shown
 * @param options all other options that differ from aufs' defaults, as shown
 */
public record AufsState(
    String id, List<AufsBranch> branches, Optional<OsPath> xino, List<String> options) {

  /** Copies the lists. */
  public AufsState {
    branches = List.copyOf(branches);
    options = List.copyOf(options);
  }

  /** The writable branches, topmost first. */
  public List<AufsBranch> writable() {
    return branches.stream().filter(branch -> branch.permission().isWritable()).toList();
  }
}
