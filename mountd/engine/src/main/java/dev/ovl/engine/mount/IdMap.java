package dev.ovl.engine.mount;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How owners on disk are shown by a mount: the value of {@value #OPTION}, as mount(8) has it.
 *
 * @param users of users, at least one range
 * @param groups of groups, at least one range
 */
public record IdMap(List<Range> users, List<Range> groups) {
  /** The option's name. */
  public static final String OPTION = "X-mount.idmap";

  /** The kernel's overflowuid and overflowgid. */
  private static final int NOBODY = 65_534;

  private static final int FIELDS = 4;
  private static final long IDS = 1L << 32;

  /** As many lines a map has at most, since Linux 4.15, and that many bytes: less than a page. */
  private static final int MOST = 340;

  private static final int MOST_BYTES = 4095;

  /**
   * Ids one after the other.
   *
   * @param onDisk the first of them on disk
   * @param shown what that is shown as
   * @param count how many
   */
  public record Range(long onDisk, long shown, long count) {
    @Override
    public String toString() {
      return onDisk + ":" + shown + ":" + count;
    }

    private boolean meets(Range other) {
      return meet(onDisk, count, other.onDisk, other.count)
          || meet(shown, count, other.shown, other.count);
    }

    private static boolean meet(long one, long ones, long other, long others) {
      return one < other + others && other < one + ones;
    }
  }

  /** Copies the lists. */
  public IdMap {
    users = List.copyOf(users);
    groups = List.copyOf(groups);
  }

  /**
   * Reads {@code TYPE:ON-DISK:SHOWN:COUNT} once or more, separated by blanks; the type is {@code
   * u}, {@code g} or {@code b} for both.
   *
   * @throws EngineException USAGE: it is something else; ranges overlap; users or groups are
   *     missing
   */
  public static IdMap parse(String text) throws EngineException {
    List<Range> users = new ArrayList<>();
    List<Range> groups = new ArrayList<>();
    for (String word : text.strip().split(" +")) {
      String[] fields = word.split(":", -1);
      boolean numbers =
          fields.length == FIELDS
              && Stream.of(fields).skip(1).allMatch(f -> f.matches("[0-9]{1,10}"));
      if (!numbers || !fields[0].matches("[ugb]")) {
        throw refusal(word, "is not u|g|b:ON-DISK:SHOWN:COUNT");
      }
      Range range =
          new Range(
              Long.parseLong(fields[1]), Long.parseLong(fields[2]), Long.parseLong(fields[3]));
      boolean fits =
          range.count() > 0
              && range.onDisk() + range.count() < IDS
              && range.shown() + range.count() < IDS;
      if (!fits) {
        throw refusal(word, "has ids that there are not");
      }
      if (!fields[0].equals("g")) {
        add(users, range, word);
      }
      if (!fields[0].equals("u")) {
        add(groups, range, word);
      }
    }
    if (users.isEmpty() || groups.isEmpty()) {
      throw refusal(text, "maps no " + (users.isEmpty() ? "users" : "groups"));
    }
    return new IdMap(users, groups);
  }

  private static void add(List<Range> ranges, Range range, String word) throws EngineException {
    if (ranges.stream().anyMatch(range::meets)) {
      throw refusal(word, "overlaps another range");
    }
    ranges.add(range);
    if (ranges.size() > MOST || lines(ranges).length() > MOST_BYTES) {
      throw refusal(word, "is one range too many for the kernel");
    }
  }

  private static EngineException refusal(String what, String why) {
    return EngineException.usage("id map " + OsPath.quoted(what) + " " + why);
  }

  /** What a user on disk is shown as; {@value #NOBODY} where nothing is said of it. */
  public int user(int onDisk) {
    return shown(users, onDisk);
  }

  /** What a group on disk is shown as; {@value #NOBODY} where nothing is said of it. */
  public int group(int onDisk) {
    return shown(groups, onDisk);
  }

  private static int shown(List<Range> ranges, int onDisk) {
    long id = Integer.toUnsignedLong(onDisk);
    return (int)
        ranges.stream()
            .filter(range -> id >= range.onDisk() && id < range.onDisk() + range.count())
            .mapToLong(range -> range.shown() + id - range.onDisk())
            .findFirst()
            .orElse(NOBODY);
  }

  /** Lines of {@code uid_map} or {@code gid_map} for such ranges: user_namespaces(7). */
  static String lines(List<Range> ranges) {
    return ranges.stream()
        .map(range -> range.onDisk() + " " + range.shown() + " " + range.count() + "\n")
        .collect(Collectors.joining());
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    return Stream.concat(
            users.stream().map(range -> "u:" + range), groups.stream().map(range -> "g:" + range))
        .collect(Collectors.joining(" "));
  }
}
