package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a stack's upper takes of its file system, and what is left there.
 *
 * @param upper copied up or made; absent on a read-only stack
 * @param work of the work directory; absent on a read-only stack
 * @param whiteouts names in the upper that hide others
 * @param room on the file system that holds the upper; absent on a read-only stack
 */
public record StackUsage(
    String name, Optional<Tree> upper, Optional<Tree> work, long whiteouts, Optional<Room> room) {

  /**
   * A tree of files; an inode with several names counts once.
   *
   * @param bytes of allocated blocks
   * @param inodes directories included
   */
  public record Tree(long bytes, long inodes) {
    Map<String, Object> json() {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("bytes", bytes);
      json.put("inodes", inodes);
      return json;
    }

    static Tree of(JsonFields json) throws JsonException {
      return new Tree(json.number("bytes"), json.number("inodes"));
    }
  }

  /**
   * A file system's size and what is free.
   *
   * @param bytes in all
   * @param bytesAvailable what an unprivileged user could still fill
   * @param inodes in all; absent where there is no fixed number
   * @param inodesFree absent where {@code inodes} is
   */
  public record Room(
      long bytes, long bytesAvailable, Optional<Long> inodes, Optional<Long> inodesFree) {
    Map<String, Object> json() {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("bytes", bytes);
      json.put("bytesAvailable", bytesAvailable);
      json.put("inodes", inodes);
      json.put("inodesFree", inodesFree);
      return json;
    }

    static Room of(JsonFields json) throws JsonException {
      return new Room(
          json.number("bytes"),
          json.number("bytesAvailable"),
          json.optionalNumber("inodes"),
          json.optionalNumber("inodesFree"));
    }
  }

  /** An element of {@code stats --json}. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", name);
    json.put("upper", upper.map(Tree::json));
    json.put("work", work.map(Tree::json));
    json.put("whiteouts", whiteouts);
    json.put("room", room.map(Room::json));
    return json;
  }

  /** The reverse of {@link #json}. */
  public static StackUsage of(JsonFields json) throws JsonException {
    Optional<JsonFields> upper = json.object("upper");
    Optional<JsonFields> work = json.object("work");
    Optional<JsonFields> room = json.object("room");
    return new StackUsage(
        json.string("name"),
        upper.isPresent() ? Optional.of(Tree.of(upper.get())) : Optional.empty(),
        work.isPresent() ? Optional.of(Tree.of(work.get())) : Optional.empty(),
        json.number("whiteouts"),
        room.isPresent() ? Optional.of(Room.of(room.get())) : Optional.empty());
  }
}
