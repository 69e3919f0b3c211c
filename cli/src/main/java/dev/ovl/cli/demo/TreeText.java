package dev.ovl.cli.demo;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import java.util.ArrayList;
import java.util.List;

/** A directory and all beneath it, drawn as {@code tree -a} does. */
final class TreeText {
  private final Files files;
  private final List<String> lines = new ArrayList<>();
  private int directoryCount;
  private int fileCount;

  private TreeText(Files files) {
    this.files = files;
  }

  /** The drawing; its last line counts what there is, the directory itself left out. */
  static List<String> of(Files files, OsPath directory) throws ErrnoException {
    TreeText tree = new TreeText(files);
    tree.lines.add(".");
    tree.draw(directory, "");
    tree.lines.add("");
    tree.lines.add(
        count(tree.directoryCount, "directory", "directories")
            + ", "
            + count(tree.fileCount, "file", "files"));
    return List.copyOf(tree.lines);
  }

  private void draw(OsPath directory, String margin) throws ErrnoException {
    List<OsPath> names = files.list(directory);
    for (OsPath name : names) {
      boolean last = name.equals(names.getLast());
      lines.add(margin + (last ? "`-- " : "|-- ") + name.quoted());
      OsPath path = directory.resolve(name);
      if (files.lstat(path).filter(Statx::isDirectory).isPresent()) {
        directoryCount++;
        draw(path, margin + (last ? "    " : "|   "));
      } else {
        fileCount++;
      }
    }
  }

  private static String count(int number, String one, String many) {
    return number + " " + (number == 1 ? one : many);
  }
}
