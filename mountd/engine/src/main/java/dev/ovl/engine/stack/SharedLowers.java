package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.usage.PageCache;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Which lowers stacks have in common, by inode: paths may differ. */
final class SharedLowers {
  private final Files files;

  SharedLowers(Syscalls sys) {
    this.files = new Files(sys);
  }

  private record Inode(int major, int minor, long number) {}

  private record Group(OsPath directory, List<StackName> stacks) {}

  /**
   * @param stacks sorted by name
   * @param cache asked in the order of the result: most stacks first
   */
  List<SharedLower> among(List<StackDefinition> stacks, int least, PageCache cache)
      throws EngineException, ErrnoException {
    Map<Inode, Group> groups = new LinkedHashMap<>();
    for (StackDefinition stack : stacks) {
      for (Lower lower : stack.lowers()) {
        Optional<Statx> stat = files.stat(lower.path());
        if (stat.isPresent()) {
          Inode inode = new Inode(stat.get().devMajor(), stat.get().devMinor(), stat.get().inode());
          groups
              .computeIfAbsent(inode, i -> new Group(lower.path(), new ArrayList<>()))
              .stacks()
              .add(stack.name());
        }
      }
    }
    List<Group> shared =
        groups.values().stream()
            .filter(group -> group.stacks().size() >= least)
            .sorted(Comparator.comparingInt((Group group) -> group.stacks().size()).reversed())
            .toList();
    List<SharedLower> result = new ArrayList<>();
    for (Group group : shared) {
      result.add(
          new SharedLower(group.directory(), group.stacks(), cache.measure(group.directory())));
    }
    return result;
  }
}
