package dev.ovl.engine.stack;

import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Sorts stacks so that each comes after those on whose targets its directories lie. */
final class DependencyOrder {
  private final Map<StackName, OsPath> targets = new HashMap<>();
  private final Map<StackName, List<OsPath>> needs = new HashMap<>();
  private final Set<StackName> visited = new HashSet<>();
  private final List<StackName> sorted = new ArrayList<>();

  private DependencyOrder() {}

  /**
   * How a definition is looked up; empty for one that cannot be read, which then depends on
   * nothing.
   */
  interface Lookup {
    Optional<StackDefinition> find(StackName name) throws ErrnoException;
  }

  static List<StackName> sort(List<StackName> names, Lookup lookup, StackMounts mounts)
      throws ErrnoException {
    DependencyOrder order = new DependencyOrder();
    for (StackName name : names) {
      Optional<StackDefinition> stack = lookup.find(name);
      if (stack.isPresent()) {
        OverlayMount mount = mounts.mount(stack.get());
        order.targets.put(name, mount.target());
        List<OsPath> needed = new ArrayList<>(mount.lowers());
        mount.upper().ifPresent(upper -> needed.add(upper.directory()));
        needed.add(mount.target().parent());
        order.needs.put(name, needed);
      }
    }
    for (StackName name : names) {
      order.visit(name);
    }
    return order.sorted;
  }

  /** Depth first; of stacks that lie on each other the first by name comes first. */
  private void visit(StackName name) {
    if (!visited.add(name)) {
      return;
    }
    for (OsPath needed : needs.getOrDefault(name, List.of())) {
      for (Map.Entry<StackName, OsPath> other : targets.entrySet()) {
        if (!other.getKey().equals(name) && needed.startsWith(other.getValue())) {
          visit(other.getKey());
        }
      }
    }
    sorted.add(name);
  }
}
