package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Found.Real;
import dev.ovl.engine.tree.OverlayXattrs;
import dev.ovl.sys.OsPath;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * Under which name the layers below have a directory that was renamed, or the data of a
 * metadata-only copy.
 *
 * @param isAbsolute from the roots of these layers; else one name in the same directory
 * @param components at least one
 */
record Redirect(boolean isAbsolute, List<OsPath> components) {
  private static final OsPath DOTS = OsPath.of("..");

  /**
   * The redirect of a file that was found; empty when it has none.
   *
   * @throws EngineException it makes no sense
   */
  static Optional<Redirect> of(Real real) throws EngineException {
    Layer layer = real.where().layer();
    Optional<byte[]> value = layer.book(real, OverlayXattrs.REDIRECT);
    if (value.isEmpty()) {
      return Optional.empty();
    }
    if (!layer.follows()) {
      throw layer.broken(real.place(), "has a redirect, which userxattr does not follow");
    }
    String text = new String(value.get(), StandardCharsets.ISO_8859_1);
    OsPath to = text.indexOf('\0') >= 0 ? OsPath.EMPTY : OsPath.of(value.get());
    List<OsPath> components = to.components();
    // a path from the root without empty parts, or one name
    boolean well =
        to.isAbsolute()
            ? !text.contains("//") && !text.endsWith("/")
            : components.size() == 1 && !to.contains('/');
    if (!well || components.contains(OsPath.DOT) || components.contains(DOTS)) {
      throw layer.broken(real.place(), "has a redirect that is none: " + to.quoted());
    }
    return Optional.of(new Redirect(to.isAbsolute(), components));
  }
}
