package dev.ovl.engine.diff;

import dev.ovl.sys.OsPath;
import java.util.List;

/** A tree that can be compared: what a mount would show, without the mount. */
public sealed interface View {

  /**
   * What overlayfs shows of these layers, redirects and metadata-only copies followed.
   *
   * @param layers topmost first, the upper being the first; at least one
   * @param dataOnly layers that only hold the data of metadata-only copies, in the order of the
   *     mount option
   * @param xattrs by which names the layers keep their books
   */
  record Overlay(List<OsPath> layers, List<OsPath> dataOnly, Books xattrs) implements View {
    /** Keeps copies of the lists. */
    public Overlay {
      layers = List.copyOf(layers);
      dataOnly = List.copyOf(dataOnly);
      if (layers.isEmpty()) {
        throw new IllegalArgumentException("an overlay has at least one layer");
      }
    }
  }

  /**
   * One directory as it is. Its extended attributes are all its own; but the character device 0:0
   * counts as nothing here too, since no stream could carry it.
   */
  record Plain(OsPath directory) implements View {}

  /** An empty tree, as there is below a base layer. */
  record Nothing() implements View {}

  /** Whose extended attributes overlayfs reads and writes. */
  enum Books {
    /** {@code trusted.overlay.}, which only root sees. */
    TRUSTED,
    /**
     * {@code user.overlay.}, for mounts with {@code userxattr}; such a mount follows neither
     * redirects nor metadata-only copies.
     */
    USER
  }

  /** An overlay without data-only layers and with {@code trusted.} attributes. */
  static Overlay overlay(List<OsPath> layers) {
    return new Overlay(layers, List.of(), Books.TRUSTED);
  }
}
