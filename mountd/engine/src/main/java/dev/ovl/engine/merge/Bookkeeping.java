package dev.ovl.engine.merge;

import dev.ovl.engine.diff.View;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.NodeReader;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.Map;

/** How a union file system keeps books in a layer of what is no more, and is not its users'. */
interface Bookkeeping {
  /** That of layers which keep such books. */
  static Bookkeeping of(Syscalls sys, View.Books books) {
    return books
        .prefix()
        .<Bookkeeping>map(prefix -> new AttributeBooks(sys, prefix))
        .orElseGet(() -> new MarkBooks(sys));
  }

  /** Reads files without it, all other attributes as they are in the layer. */
  NodeReader.XattrFilter without();

  /** What attributes there are of it on an open directory. */
  Map<String, byte[]> of(Fd directory) throws ErrnoException;

  /** Takes all attributes of it from a file, but an opaque directory's where that is to stay. */
  void strip(Fd directory, OsPath name, boolean keepOpaque) throws ErrnoException;

  /** Makes a directory opaque. */
  void hideBelow(Fd directory, OsPath name) throws ErrnoException;

  /**
   * Takes away what hides a name in a layer beside the file that has it, or is about to; a file
   * that hides it itself stays.
   */
  void uncover(Fd directory, OsPath name) throws ErrnoException;

  /** Removes what there is by a name, and what hides it. */
  void removeAll(Fd directory, OsPath name) throws ErrnoException;

  /** The name of the file that hides a name. */
  OsPath whiteout(OsPath name);

  /**
   * A whiteout to be written.
   *
   * @param path that is hidden
   * @param like the one that it takes the place of
   */
  Node whiteout(OsPath path, Statx like);
}
