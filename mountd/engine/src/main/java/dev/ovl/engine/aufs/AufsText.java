package dev.ovl.engine.aufs;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.Mountinfo;
import dev.ovl.engine.mount.OptionText;
import dev.ovl.sys.Errno;
import dev.ovl.sys.OsPath;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The option strings of aufs, written and read. Pure functions.
 *
 * <p>aufs knows no escape: a comma ends the option, a colon the branch and the first equals sign
 * its path, and what is left after that is a permission, {@code ro} when it is none. It shows what
 * it has with the kernel's octal escapes for space, tab, newline and backslash.
 */
final class AufsText {
  /**
   * Branches and other options that go into one call. The kernel has a page for what it has parsed,
   * 84 of them, and kernels were seen to crash at the 85th instead of refusing it.
   */
  static final int MAX_IN_ONE_CALL = 64;

  /** A branch's end in a list of branches, found by its permission: a path may hold colons. */
  private static final Pattern PERMISSION = Pattern.compile("=((?:rw|ro|rr)(?:\\+[a-z_]+)*)(:|$)");

  private AufsText() {}

  /**
   * The data arguments of the calls that make a mount: one of mount(2), then one of each remount
   * that appends what the first could not take.
   *
   * @param branches topmost first
   * @param words other options
   * @throws EngineException a path that cannot be said, or is there twice
   */
  static List<byte[]> calls(List<AufsBranch> branches, List<String> words) throws EngineException {
    Set<OsPath> seen = new HashSet<>();
    for (AufsBranch branch : branches) {
      checkName(branch.directory());
      if (!seen.add(branch.directory())) {
        throw EngineException.failed(
            "branch is given twice: " + branch.directory().quoted(), Errno.EEXIST);
      }
    }
    List<byte[]> calls = new ArrayList<>();
    Data data = new Data();
    for (String word : words) {
      data.option(OsPath.encode(word));
    }
    int next = 0;
    for (AufsBranch branch : branches) {
      if (next == 0) {
        data.option(OsPath.encode("br:"), branch);
      } else if (calls.isEmpty() && data.hasRoomFor(branch, 1)) {
        data.more(':', branch);
      } else {
        if (calls.isEmpty() || !data.hasRoomFor(branch, 1 + APPEND.length)) {
          calls.add(data.bytes());
          data = new Data();
        }
        data.option(APPEND, branch);
      }
      if (data.isTooLong()) {
        throw EngineException.failed(
            "branch "
                + branch.directory().quoted()
                + " takes more than the "
                + OptionText.MAX_BYTES
                + " bytes of a call",
            Errno.ENAMETOOLONG);
      }
      next++;
    }
    calls.add(data.bytes());
    return calls;
  }

  private static final byte[] APPEND = OsPath.encode("append:");

  /** One data argument in the making. */
  private static final class Data {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private int items;

    void option(byte[] text) {
      if (bytes.size() > 0) {
        bytes.write(',');
      }
      bytes.writeBytes(text);
      items++;
    }

    void option(byte[] name, AufsBranch branch) {
      option(name);
      write(branch);
    }

    void more(char separator, AufsBranch branch) {
      bytes.write(separator);
      write(branch);
      items++;
    }

    private void write(AufsBranch branch) {
      bytes.writeBytes(text(branch));
    }

    boolean hasRoomFor(AufsBranch branch, int before) {
      return items < MAX_IN_ONE_CALL
          && bytes.size() + before + text(branch).length <= OptionText.MAX_BYTES;
    }

    boolean isTooLong() {
      return bytes.size() > OptionText.MAX_BYTES;
    }

    byte[] bytes() {
      return bytes.toByteArray();
    }
  }

  private static byte[] text(AufsBranch branch) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    text.writeBytes(branch.directory().bytes());
    text.write('=');
    text.writeBytes(OsPath.encode(branch.permission().text()));
    return text.toByteArray();
  }

  /**
   * The data argument of a remount that changes one branch.
   *
   * @param change {@code add:1:}, {@code mod:}
   * @throws EngineException the path cannot be said
   */
  static byte[] change(String change, AufsBranch branch) throws EngineException {
    checkName(branch.directory());
    return checked(OsPath.encode(change), text(branch));
  }

  /**
   * The data argument of a remount that removes a branch.
   *
   * @throws EngineException the path cannot be said
   */
  static byte[] removal(OsPath directory) throws EngineException {
    checkName(directory);
    return checked(OsPath.encode("del:"), directory.bytes());
  }

  private static byte[] checked(byte[] change, byte[] what) throws EngineException {
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    data.writeBytes(change);
    data.writeBytes(what);
    if (data.size() > OptionText.MAX_BYTES) {
      throw EngineException.failed(
          "a branch's name takes more than the " + OptionText.MAX_BYTES + " bytes of a call",
          Errno.ENAMETOOLONG);
    }
    return data.toByteArray();
  }

  /**
   * Refuses a directory whose path cannot be said in an option.
   *
   * @throws EngineException it has a comma, a colon or an equals sign, or is relative
   */
  static void checkName(OsPath directory) throws EngineException {
    if (!directory.isAbsolute()) {
      throw EngineException.failed(
          "branch is not an absolute path: " + directory.quoted(), Errno.EINVAL);
    }
    for (char c : new char[] {',', ':', '='}) {
      if (directory.contains(c)) {
        throw EngineException.failed(
            "aufs takes no path with '"
                + c
                + "' in it, and knows no escape; a symbolic link can lead to branch "
                + directory.quoted(),
            Errno.EINVAL);
      }
    }
  }

  // ---- reading ------------------------------------------------------------------------------

  /**
   * A branch as /sys/fs/aufs/si_…/br… shows it.
   *
   * @throws IllegalArgumentException the text is not of that form
   */
  static AufsBranch branch(byte[] text) {
    List<AufsBranch> branches = branches(OsPath.decode(text).replaceFirst("\n$", ""));
    if (branches.size() != 1) {
      throw new IllegalArgumentException("not a branch of aufs: " + OsPath.decode(text));
    }
    return branches.getFirst();
  }

  /** Branches separated by colons. */
  private static List<AufsBranch> branches(String list) {
    List<AufsBranch> branches = new ArrayList<>();
    Matcher end = PERMISSION.matcher(list);
    int start = 0;
    while (end.find()) {
      String path = list.substring(start, end.start());
      branches.add(new AufsBranch(unescaped(path), permission(end.group(1))));
      start = end.end();
    }
    if (start < list.length()) {
      throw new IllegalArgumentException("not branches of aufs: " + list);
    }
    return branches;
  }

  private static AufsPermission permission(String shown) {
    try {
      return AufsPermission.parse(shown);
    } catch (EngineException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** A path on a line of its own, as xi_path has it; empty when there is none. */
  static Optional<OsPath> path(byte[] text) {
    String line = OsPath.decode(text).replaceFirst("\n$", "");
    return line.isEmpty() ? Optional.empty() : Optional.of(unescaped(line));
  }

  private static OsPath unescaped(String shown) {
    return OsPath.of(Mountinfo.unescape(OsPath.encode(shown)));
  }

  /**
   * What the options of a mounted aufs tell.
   *
   * @param id {@code si=}
   * @param branches what stands there with the module's parameter {@code brs=0}; none with 1
   * @param xino where it is shown
   * @param others the rest, as shown
   */
  record Shown(String id, List<AufsBranch> branches, Optional<OsPath> xino, List<String> others) {}

  /**
   * Reads the superblock's options as mountinfo shows them, {@code rw,si=…,dio}.
   *
   * @return empty when they are not those of an aufs
   */
  static Optional<Shown> shown(OsPath options) {
    String text = options.toString();
    List<AufsBranch> branches = List.of();
    // the branches come last, and their paths may hold commas
    int list = text.indexOf(",br:");
    if (list >= 0) {
      branches = branches(text.substring(list + ",br:".length()));
      text = text.substring(0, list);
    }
    Optional<String> id = Optional.empty();
    Optional<OsPath> xino = Optional.empty();
    List<String> others = new ArrayList<>();
    for (String option : text.split(",")) {
      if (option.startsWith("si=")) {
        id = Optional.of(option.substring("si=".length()));
      } else if (option.startsWith("xino=")) {
        xino = Optional.of(unescaped(option.substring("xino=".length())));
      } else if (!option.isEmpty() && !option.equals("rw") && !option.equals("ro")) {
        others.add(option);
      }
    }
    List<AufsBranch> found = branches;
    Optional<OsPath> file = xino;
    return id.map(si -> new Shown(si, found, file, others));
  }
}
