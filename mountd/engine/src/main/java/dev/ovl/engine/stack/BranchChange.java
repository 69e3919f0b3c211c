package dev.ovl.engine.stack;

import dev.ovl.engine.aufs.AufsBranch;
import dev.ovl.sys.OsPath;
import java.util.Optional;

/** A change of a stack of aufs that is possible while it is mounted. */
public sealed interface BranchChange {
  /**
   * Adds a directory of the user's.
   *
   * @param index where among all branches, 0 for the top; absent: right below the upper
   */
  record Add(AufsBranch branch, Optional<Integer> index) implements BranchChange {}

  /**
   * Takes a directory of the user's away; what is in it stays.
   *
   * @param directory absolute
   */
  record Remove(OsPath directory) implements BranchChange {}

  /** Gives a directory of the user's another permission. */
  record Modify(AufsBranch branch) implements BranchChange {}
}
