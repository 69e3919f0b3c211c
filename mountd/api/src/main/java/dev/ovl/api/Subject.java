package dev.ovl.api;

/** What has content: a stack, or a layer. */
public sealed interface Subject {
  /** A stack, whose content is its upper's above its lowers. */
  record Stack(String name) implements Subject {}

  /** A layer, whose content is its own above its parent's. */
  record Layer(LayerName name) implements Subject {}
}
