package dev.ovl.engine.tree;

import java.util.List;
import java.util.Optional;

/**
 * The extended attributes by which overlayfs keeps its books in a layer, and how a file's own ones
 * of such a name are kept there.
 *
 * <p>From Documentation/filesystems/overlayfs.rst ("Nesting overlayfs mounts"): what a layer has as
 * {@code trusted.overlay.overlay.X} is shown through a mount as {@code trusted.overlay.X} (Linux
 * 6.7; earlier ones show neither), and with {@code userxattr} the same for {@code user.}. Both
 * prefixes are escaped here whichever kind of mount the layer is for: it may be mounted in the
 * other way one day, and what an archive calls {@code user.overlay.redirect} would then be obeyed.
 */
public final class OverlayXattrs {
  /** What overlayfs reads unless it is mounted with {@code userxattr}. */
  public static final String TRUSTED = "trusted.overlay.";

  /** What it reads with {@code userxattr}. */
  public static final String USER = "user.overlay.";

  /** The name, after the prefix, by which a directory is opaque. */
  public static final String OPAQUE = "opaque";

  /** The name, after the prefix, by which an empty file is a whiteout. */
  public static final String WHITEOUT = "whiteout";

  /** The name, after the prefix, by which the layers below have it elsewhere. */
  public static final String REDIRECT = "redirect";

  private static final List<String> PREFIXES = List.of(TRUSTED, USER);
  private static final String ESCAPE = "overlay.";

  private OverlayXattrs() {}

  /** The name under which a layer keeps a file's own attribute. */
  public static String escaped(String name) {
    for (String prefix : PREFIXES) {
      if (name.startsWith(prefix)) {
        return prefix + ESCAPE + name.substring(prefix.length());
      }
    }
    return name;
  }

  /** The name under which a file has what a layer keeps; empty for overlayfs' own. */
  public static Optional<String> unescaped(String name) {
    for (String prefix : PREFIXES) {
      if (name.startsWith(prefix + ESCAPE)) {
        return Optional.of(prefix + name.substring(prefix.length() + ESCAPE.length()));
      }
      if (name.startsWith(prefix)) {
        return Optional.empty();
      }
    }
    return Optional.of(name);
  }

  /** Overlayfs' own attribute's name after its prefix; empty for a file's. */
  public static Optional<String> own(String name) {
    for (String prefix : PREFIXES) {
      if (name.startsWith(prefix) && !name.startsWith(prefix + ESCAPE)) {
        return Optional.of(name.substring(prefix.length()));
      }
    }
    return Optional.empty();
  }
}
