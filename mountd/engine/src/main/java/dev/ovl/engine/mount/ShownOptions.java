package dev.ovl.engine.mount;

import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The options of a mounted overlay as the kernel shows them: comma-separated, in its octal escapes.
 *
 * @param text as in mountinfo after the source, or as statmount(2) gives it
 */
record ShownOptions(OsPath text) {
  private static final OsPath THROUGH_PROC = OsPath.of("/proc");

  /**
   * The path that an option names, {@code upperdir}; empty when it is not shown, or shown as a
   * descriptor number or a way through /proc, which says nothing about the directory.
   *
   * <p>What was given by mount(2) is shown as given, with the backslashes of the option string;
   * what was given by fsconfig(2), where lowers are {@code lowerdir+}, as it is.
   */
  Optional<OsPath> path(String option) {
    Optional<OsPath> shown = value(option);
    if (value("lowerdir").isPresent()) {
      shown = shown.map(OptionText::unescape);
    }
    return shown.filter(ShownOptions::isTelling);
  }

  /**
   * The lowers that are shown by paths which say something, topmost first.
   *
   * <p>What was given by mount(2) is one string with colons; by fsconfig(2), one option each.
   */
  List<OsPath> lowers() {
    List<OsPath> lowers = new ArrayList<>();
    for (String option : text.toString().split(",")) {
      int equals = option.indexOf('=');
      String name = equals < 0 ? option : option.substring(0, equals);
      if (name.equals("lowerdir") || name.equals("lowerdir+") || name.equals("datadir+")) {
        OsPath value = unescaped(option.substring(equals + 1));
        if (name.equals("lowerdir")) {
          lowers.addAll(OptionText.splitLowers(value));
        } else {
          lowers.add(value);
        }
      }
    }
    return lowers.stream().filter(ShownOptions::isTelling).toList();
  }

  private static OsPath unescaped(String shown) {
    return OsPath.of(Mountinfo.unescape(OsPath.encode(shown)));
  }

  /** True when there is an upper of which only its mounter knows where it is. */
  boolean hidesUpper() {
    return value("upperdir").isPresent() && path("upperdir").filter(OsPath::isAbsolute).isEmpty();
  }

  private Optional<OsPath> value(String name) {
    for (String option : text.toString().split(",")) {
      if (option.startsWith(name + "=")) {
        return Optional.of(unescaped(option.substring(name.length() + 1)));
      }
    }
    return Optional.empty();
  }

  private static boolean isTelling(OsPath path) {
    return !path.startsWith(THROUGH_PROC)
        && !path.toString().chars().allMatch(c -> c >= '0' && c <= '9');
  }
}
