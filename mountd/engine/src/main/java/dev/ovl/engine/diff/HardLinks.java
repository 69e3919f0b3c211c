package dev.ovl.engine.diff;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finds the names that are otherwise the same and are hard links of others than before.
 *
 * <p>Only names whose real file is another one in the newer tree can be such. One has become a link
 * when it shares its file with another such name that it did not share the older file with. It is
 * no link any more when a name that the older file had is still there and does not share the newer
 * one. Where the older file has more names than were looked at, such a name is taken to be there:
 * to look for it would mean to look at everything.
 */
final class HardLinks {
  private final Map<Identity, List<Name>> older = new HashMap<>();
  private final Map<Identity, List<Name>> newer = new HashMap<>();
  private final List<Name> candidates = new ArrayList<>();

  /**
   * @param older the file it is in the older tree, if any, directories aside
   * @param newer the same in the newer tree
   */
  private record Name(
      Entry entry, Optional<Identity> older, Optional<Identity> newer, int olderLinks) {

    boolean wasLinkedTo(Name other) {
      return older.isPresent() && older.equals(other.older);
    }

    boolean isLinkedTo(Name other) {
      return newer.isPresent() && newer.equals(other.newer);
    }
  }

  /**
   * Takes a name that was looked at in both trees.
   *
   * @return true when the entry may be marked later
   */
  boolean add(Entry entry, Optional<Found> olderFile, Optional<Found> newerFile) {
    Optional<Found> before = olderFile.filter(file -> !file.isDirectory());
    Optional<Found> after = newerFile.filter(file -> !file.isDirectory());
    int links = before.map(file -> file.top().stat().links()).orElse(0);
    if (links < 2 && after.map(file -> file.top().stat().links()).orElse(0) < 2) {
      return false;
    }
    Name name =
        new Name(
            entry,
            before.map(file -> file.top().identity()),
            after.map(file -> file.top().identity()),
            links);
    if (links > 1) {
      older.computeIfAbsent(name.older().orElseThrow(), key -> new ArrayList<>()).add(name);
    }
    if (after.isPresent() && !name.older().equals(name.newer())) {
      newer.computeIfAbsent(name.newer().orElseThrow(), key -> new ArrayList<>()).add(name);
      if (!entry.isChanged()) {
        candidates.add(name);
        return true;
      }
    }
    return false;
  }

  /** Marks the entries, once all names were added. */
  void settle() {
    for (Name name : candidates) {
      if (hasGained(name) || hasLost(name)) {
        name.entry().setRelinked();
      }
    }
  }

  /**
   * Has all names of a file sent of which one is, so that they stay names of one file: one beneath
   * a directory that is sent as a whole is made anew there.
   *
   * @return whether there are more now, by which still others may come to be sent
   */
  boolean complete() {
    boolean more = false;
    for (List<Name> names : newer.values()) {
      if (names.stream().anyMatch(name -> name.entry().isSent())) {
        for (Name name : names) {
          more |= !name.entry().isSent() && !name.entry().isResent();
          name.entry().setResent();
        }
      }
    }
    return more;
  }

  private boolean hasGained(Name name) {
    return newer.get(name.newer().orElseThrow()).stream()
        .anyMatch(other -> !name.wasLinkedTo(other));
  }

  private boolean hasLost(Name name) {
    if (name.olderLinks() < 2) {
      return false;
    }
    List<Name> names = older.get(name.older().orElseThrow());
    return names.size() < name.olderLinks()
        || names.stream().anyMatch(other -> other.newer().isPresent() && !name.isLinkedTo(other));
  }
}
