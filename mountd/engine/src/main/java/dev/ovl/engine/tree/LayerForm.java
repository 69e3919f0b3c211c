package dev.ovl.engine.tree;

/** How a {@link TreeWriter} keeps what is no more: deletions and opaque directories. */
public enum LayerForm {
  /** A layer of overlayfs: character devices 0:0, and {@code trusted.overlay.opaque}. */
  OVERLAY,

  /** A layer of overlayfs mounted with {@code userxattr}: as {@link #OVERLAY}, in {@code user.}. */
  USER_OVERLAY,

  /**
   * A layer of overlayfs where devices cannot be made: empty files with {@code
   * trusted.overlay.whiteout}, in directories whose {@code trusted.overlay.opaque} says {@code x}.
   * Linux 6.7 and later read it.
   */
  OVERLAY_XATTRS,

  /** As {@link #OVERLAY_XATTRS}, in {@code user.}: nobody needs to be root. */
  USER_OVERLAY_XATTRS,

  /** A branch of aufs: files {@code .wh.NAME} and {@code .wh..wh..opq}. */
  AUFS,

  /** A tree on its own: what is deleted is removed. */
  PLAIN,

  /** As {@link #PLAIN}, for a copy of whatever there is: the character device 0:0 is a device. */
  EXACT
}
