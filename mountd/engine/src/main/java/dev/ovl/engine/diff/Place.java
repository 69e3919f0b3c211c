package dev.ovl.engine.diff;

import dev.ovl.sys.OsPath;

/**
 * Where a file really lies.
 *
 * @param directory that holds it, from the root of the layer; {@link OsPath#EMPTY} is that root
 * @param name in it; {@link OsPath#EMPTY} for the root of the layer
 */
record Place(Layer layer, OsPath directory, OsPath name) {

  static Place rootOf(Layer layer) {
    return new Place(layer, OsPath.EMPTY, OsPath.EMPTY);
  }

  /** From the root of the layer. */
  OsPath path() {
    return directory.resolve(name);
  }

  /** The same directory of the same layer; for directories only. */
  boolean sameDirectory(Place other) {
    return layer == other.layer && name.equals(other.name) && directory.equals(other.directory);
  }
}
