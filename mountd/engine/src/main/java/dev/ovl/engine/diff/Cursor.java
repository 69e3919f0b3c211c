package dev.ovl.engine.diff;

import dev.ovl.sys.OsPath;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** Goes through what matters of a comparison: a directory, then what is in it, by name. */
final class Cursor {
  private final Deque<Step> waiting = new ArrayDeque<>();
  private Step current;

  /**
   * @param replaced it is beneath a directory that replaces the older tree's
   */
  private record Step(Entry entry, OsPath path, boolean replaced) {
    boolean matters() {
      return replaced || entry.isRelevant();
    }
  }

  Cursor(Entry root) {
    current = new Step(root, OsPath.EMPTY, false);
    if (current.matters()) {
      waiting.push(current);
    }
  }

  /** Goes on; false at the end. */
  boolean next() {
    if (waiting.isEmpty()) {
      return false;
    }
    current = waiting.pop();
    List<Entry> children = current.entry.children();
    boolean inside = current.replaced || current.entry.isReplacing();
    for (Entry child : children.reversed()) {
      Step step = new Step(child, current.path.resolve(child.name()), inside);
      if (step.matters()) {
        waiting.push(step);
      }
    }
    return true;
  }

  /** Leaves out what is in the entry that was just met. */
  void leaveOut() {
    while (!waiting.isEmpty() && isBeneath(waiting.peek().path, current.path)) {
      waiting.pop();
    }
  }

  private static boolean isBeneath(OsPath path, OsPath directory) {
    return directory.isEmpty() || path.startsWith(directory);
  }

  Entry entry() {
    return current.entry;
  }

  /** From the root; {@link OsPath#EMPTY} for the root itself. */
  OsPath path() {
    return current.path;
  }

  /** The entry lies in a directory that is sent with all that is in it. */
  boolean isReplaced() {
    return current.replaced;
  }
}
