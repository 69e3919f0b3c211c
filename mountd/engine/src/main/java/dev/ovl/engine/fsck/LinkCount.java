package dev.ovl.engine.fsck;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The number of names that a hard-linked file has in an overlay with index=on, as it is kept beside
 * the file: {@code U+1} is one more than the links of the file in the upper, {@code L-2} two less
 * than those of the one in the lower (ovl_get_nlink() in the kernel's fs/overlayfs/util.c). Pure
 * functions.
 */
final class LinkCount {
  private static final Pattern FORM = Pattern.compile("([UL])([+-][0-9]{1,9})");

  private LinkCount() {}

  /** The number; empty when it is none. */
  static Optional<Integer> read(String value, int upperLinks, int lowerLinks) {
    Matcher matcher = FORM.matcher(value);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    int links = matcher.group(1).equals("U") ? upperLinks : lowerLinks;
    return Optional.of(links + Integer.parseInt(matcher.group(2)));
  }

  /** A value by which no name is lost: as many as the file that has more of them. */
  static String atLeast(int upperLinks, int lowerLinks) {
    int difference = Math.max(lowerLinks, upperLinks - 1) - upperLinks;
    return "U" + (difference < 0 ? "" : "+") + difference;
  }
}
