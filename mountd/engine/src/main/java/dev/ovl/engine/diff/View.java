package dev.ovl.engine.diff;

import dev.ovl.engine.tree.OverlayXattrs;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A tree that can be compared: what a mount would show, without the mount. */
public sealed interface View {

  /**
   * What a union mount shows of these layers: overlayfs, redirects and metadata-only copies
   * followed, or aufs.
   *
   * @param layers topmost first, the upper being the first; at least one
   * @param dataOnly layers that only hold the data of metadata-only copies, in the order of the
   *     mount option
   * @param books how the layers tell what is no more
   * @param unmarked those of the layers, branches of aufs, whose marks are neither obeyed nor shown
   */
  record Union(List<OsPath> layers, List<OsPath> dataOnly, Books books, Set<OsPath> unmarked)
      implements View {
    /** Keeps copies of the lists. */
    public Union {
      layers = List.copyOf(layers);
      dataOnly = List.copyOf(dataOnly);
      unmarked = Set.copyOf(unmarked);
      if (layers.isEmpty()) {
        throw new IllegalArgumentException("a union has at least one layer");
      }
    }

    /** Of layers that all tell what is no more. */
    public Union(List<OsPath> layers, List<OsPath> dataOnly, Books books) {
      this(layers, dataOnly, books, Set.of());
    }

    /** How one of the layers tells what is no more. */
    Books booksOf(OsPath layer) {
      return unmarked.contains(layer) ? Books.AUFS_UNMARKED : books;
    }
  }

  /**
   * One directory as it is. Its extended attributes are all its own; but the character device 0:0
   * counts as nothing here too, since no stream could carry it.
   */
  record Plain(OsPath directory) implements View {}

  /** An empty tree, as there is below a base layer. */
  record Nothing() implements View {}

  /** How layers tell of whiteouts, opaque directories and the like. */
  enum Books {
    /**
     * overlayfs: devices 0:0, and extended attributes {@code trusted.overlay.}, which only root
     * sees.
     */
    TRUSTED(Optional.of(OverlayXattrs.TRUSTED)),
    /**
     * overlayfs: devices 0:0, and {@code user.overlay.}, for mounts with {@code userxattr}; such a
     * mount follows neither redirects nor metadata-only copies.
     */
    USER(Optional.of(OverlayXattrs.USER)),
    /** aufs: files {@code .wh.NAME} and {@code .wh..wh..opq}. */
    AUFS(Optional.empty()),
    /** aufs, a branch that is not written to and has no {@code +wh}: such files are not shown. */
    AUFS_UNMARKED(Optional.empty());

    private final Optional<String> prefix;

    Books(Optional<String> prefix) {
      this.prefix = prefix;
    }

    /** The prefix of the extended attributes in which such layers keep their books, if any. */
    public Optional<String> prefix() {
      return prefix;
    }
  }

  /** An overlay without data-only layers and with {@code trusted.} attributes. */
  static Union overlay(List<OsPath> layers) {
    return new Union(layers, List.of(), Books.TRUSTED);
  }

  /** Branches of aufs, all of whose whiteouts count. */
  static Union aufs(List<OsPath> branches) {
    return new Union(branches, List.of(), Books.AUFS);
  }
}
