package dev.ovl.engine.archive;

/** How an archive tells what a layer deletes, where tar itself knows only what is there. */
public enum ArchiveFormat {
  /**
   * As in images: an empty file {@code .wh.NAME} deletes, {@code .wh..wh..opq} makes its directory
   * opaque (OCI image specification, layer.md, "Whiteouts").
   */
  OCI,

  /** As a branch of aufs is: by the same names. */
  AUFS,

  /** As a layer of overlayfs is: character devices 0:0, {@code trusted.overlay.opaque}. */
  OVERLAY
}
