package dev.ovl.engine.stack;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Sorts stacks so that each comes after those on whose targets its directories lie. */
final class DependencyOrder {
  private final Map<OsPath, List<StackName>> byTarget = new HashMap<>();
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
        OsPath target = mounts.target(stack.get());
        order.byTarget.computeIfAbsent(target, t -> new ArrayList<>()).add(name);
        List<OsPath> needed = new ArrayList<>();
        stack.get().lowers().forEach(lower -> needed.add(lower.path()));
        mounts.upper(stack.get()).ifPresent(upper -> needed.add(upper.directory()));
        needed.add(target.parent());
        order.needs.put(name, needed);
      }
    }
    for (StackName name : names) {
      order.visit(name);
    }
    return order.sorted;
  }

  /** A stack whose turn comes after that of these. */
  private record Waiting(StackName name, Iterator<StackName> first) {}

  /**
   * Depth first; of stacks that lie on each other the first by name comes first. Without recursion,
   * since thousands may lie on each other.
   */
  private void visit(StackName start) {
    Deque<Waiting> path = new ArrayDeque<>();
    enter(start, path);
    while (!path.isEmpty()) {
      Waiting last = path.getLast();
      if (last.first().hasNext()) {
        enter(last.first().next(), path);
      } else {
        sorted.add(last.name());
        path.removeLast();
      }
    }
  }

  private void enter(StackName name, Deque<Waiting> path) {
    if (visited.add(name)) {
      path.addLast(new Waiting(name, dependencies(name).iterator()));
    }
  }

  /** The stacks on whose targets, or beneath them, the stack's directories lie. */
  private Set<StackName> dependencies(StackName name) {
    Set<StackName> found = new LinkedHashSet<>();
    for (OsPath needed : needs.getOrDefault(name, List.of())) {
      OsPath path = needed;
      OsPath parent = path.parent();
      found.addAll(byTarget.getOrDefault(path, List.of()));
      while (!parent.equals(path)) {
        path = parent;
        parent = path.parent();
        found.addAll(byTarget.getOrDefault(path, List.of()));
      }
    }
    found.remove(name);
    return found;
  }
}
