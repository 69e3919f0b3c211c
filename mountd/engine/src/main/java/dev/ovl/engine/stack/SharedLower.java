package dev.ovl.engine.stack;

import dev.ovl.engine.usage.CachedFiles;
import dev.ovl.sys.OsPath;
import java.util.List;

/**
 * A directory that is a lower of mounted stacks.
 *
 * @param directory as the first of them names it
 * @param stacks that are mounted with it, sorted
 * @param cached of its files, once for all these stacks; files that they hide or have copied up
 *     count as well
 */
public record SharedLower(OsPath directory, List<StackName> stacks, CachedFiles cached) {
  /** Copies the list. */
  public SharedLower {
    stacks = List.copyOf(stacks);
  }
}
