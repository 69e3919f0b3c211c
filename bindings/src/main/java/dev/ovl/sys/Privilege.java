package dev.ovl.sys;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What this process may do to mounts: all, as root; or for an ordinary user what {@code ovl-userns}
 * arranged before Java was started, since a process with threads can enter no user namespace.
 *
 * @param ordinary whether the caller is no root, and so has directories of their own
 * @param passing whether all that is mounted ends with this process
 * @param missing why there is no user namespace in which an ordinary user may mount
 */
public record Privilege(boolean ordinary, boolean passing, Optional<String> missing) {
  /** Root's, on the host or in a namespace that is root's own business. */
  public static final Privilege ROOT = new Privilege(false, false, Optional.empty());

  private static final String PROPERTY = "ovl.namespace";
  private static final String NONE = "none ";

  /** That of this process. */
  public static Privilege ofThisProcess() throws IOException {
    String told = System.getProperty(PROPERTY);
    if (told != null) {
      return told(told);
    }
    // started without ovl-userns
    boolean ordinary = !Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    return new Privilege(ordinary, false, Optional.empty());
  }

  /**
   * As {@code ovl-userns} tells it.
   *
   * @param word {@code own}, {@code daemon}, {@code outside}, or {@code none} and why
   */
  static Privilege told(String word) {
    return new Privilege(
        true,
        word.equals("own"),
        word.startsWith(NONE) ? Optional.of(word.substring(NONE.length())) : Optional.empty());
  }
}
