package dev.ovl.engine.run;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.jni.CommandPlan;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OpenHow;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** The users and groups of a tree: passwd(5) and group(5) in its /etc. */
final class TreeUsers {
  private static final int NAME = 0;
  private static final int ID = 2;
  private static final int GROUP_OF_USER = 3;
  private static final int MEMBERS = 3;
  private static final int HOME = 5;
  private static final long LARGEST_ID = 0xffff_fffeL;

  private final List<List<String>> users;
  private final List<List<String>> groups;

  /**
   * @param users lines of passwd(5)
   * @param groups lines of group(5)
   */
  TreeUsers(String users, String groups) {
    this.users = fields(users);
    this.groups = fields(groups);
  }

  private static List<List<String>> fields(String file) {
    return file.lines().map(line -> Arrays.asList(line.split(":", -1))).toList();
  }

  /** Reads the files of a tree, which need not have them. */
  static TreeUsers of(Syscalls sys, Fd root) throws ErrnoException {
    return new TreeUsers(read(sys, root, "etc/passwd"), read(sys, root, "etc/group"));
  }

  private static String read(Syscalls sys, Fd root, String name) throws ErrnoException {
    OpenHow how = new OpenHow(Linux.O_RDONLY | Linux.O_CLOEXEC, 0, Linux.RESOLVE_IN_ROOT);
    try (Fd file = new Fd(sys, sys.openat2(root.number(), OsPath.of(name), how))) {
      return OsPath.decode(new Files(sys).read(Files.procPath(file)).orElse(new byte[0]));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
        return "";
      }
      throw e;
    }
  }

  /**
   * A user, and what follows from it.
   *
   * @param home {@code /} where the tree does not say
   */
  record User(CommandPlan.User ids, String home) {}

  /**
   * Who is meant.
   *
   * @param wanted {@code USER} or {@code USER:GROUP}, by name or number; absent: user 0
   * @throws EngineException the tree has no such name; no number of a user
   */
  User find(Optional<String> wanted) throws EngineException {
    String[] words = wanted.orElse("0").split(":", 2);
    Optional<List<String>> known = line(users, words[0]);
    long uid = id(words[0], known, "user");
    long gid = known.flatMap(line -> number(line, GROUP_OF_USER)).orElse(0L);
    List<Integer> others = known.map(line -> groupsOf(line.get(NAME))).orElse(List.of());
    if (words.length > 1) {
      gid = id(words[1], line(groups, words[1]), "group");
      // as docker does: a group that is named stands alone
      others = List.of();
    }
    String home = known.map(line -> field(line, HOME)).filter(h -> !h.isEmpty()).orElse("/");
    return new User(new CommandPlan.User((int) uid, (int) gid, others), home);
  }

  private static long id(String word, Optional<List<String>> known, String kind)
      throws EngineException {
    Optional<Long> id = known.flatMap(line -> number(line, ID)).or(() -> number(word));
    return id.orElseThrow(
        () -> EngineException.failed("there is no " + kind + " " + OsPath.quoted(word) + " in it"));
  }

  /** By name, else by number. */
  private static Optional<List<String>> line(List<List<String>> lines, String word) {
    Optional<List<String>> named = first(lines, line -> line.get(NAME).equals(word));
    return named.or(() -> number(word).flatMap(n -> first(lines, line -> has(line, n))));
  }

  private static boolean has(List<String> line, long id) {
    return number(line, ID).filter(found -> found == id).isPresent();
  }

  private static Optional<List<String>> first(
      List<List<String>> lines, Predicate<List<String>> wanted) {
    return lines.stream().filter(wanted).findFirst();
  }

  private List<Integer> groupsOf(String user) {
    List<Integer> found = new ArrayList<>();
    for (List<String> line : groups) {
      if (Arrays.asList(field(line, MEMBERS).split(",")).contains(user)) {
        number(line, ID).map(Long::intValue).ifPresent(found::add);
      }
    }
    return found;
  }

  private static String field(List<String> line, int index) {
    return index < line.size() ? line.get(index) : "";
  }

  private static Optional<Long> number(List<String> line, int index) {
    return number(field(line, index));
  }

  private static Optional<Long> number(String text) {
    return text.matches("[0-9]{1,10}")
        ? Optional.of(Long.parseLong(text)).filter(id -> id <= LARGEST_ID)
        : Optional.empty();
  }
}
