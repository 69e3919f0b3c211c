package dev.ovl.engine.tree;

import dev.ovl.sys.OsPath;

/**
 * A file of a tree, without its data.
 *
 * @param path from the root of the tree, without a leading slash and without {@code .} and {@code
 *     ..} in it; {@link OsPath#DOT} is the root itself
 * @param kind what it is
 * @param attributes of a hard link: those of the file, which it shares
 */
public record Node(OsPath path, Kind kind, Attributes attributes) {

  /** What a file is. */
  public sealed interface Kind {
    /** A directory; what was in one of that name stays. */
    record Directory() implements Kind {}

    /**
     * A regular file.
     *
     * @param size of its data in bytes, holes included
     */
    record Regular(long size) implements Kind {}

    /** A symbolic link, whose target may be anything. */
    record Symlink(OsPath target) implements Kind {}

    /**
     * One more name of a file.
     *
     * @param to the path of that file, in the form of {@link Node#path}; it came before
     */
    record HardLink(OsPath to) implements Kind {}

    /**
     * A device; never the character device 0:0, which is no file but a deletion ({@link
     * TreeSink#delete}).
     *
     * @param block false: a character device
     */
    record Device(boolean block, int major, int minor) implements Kind {}

    /** A FIFO. */
    record Fifo() implements Kind {}

    /** A socket, as its owner's bind(2) left it. */
    record Socket() implements Kind {}
  }

  /** The same file by another name. */
  public Node at(OsPath other) {
    return new Node(other, kind, attributes);
  }
}
