package dev.ovl.bench;

import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Directories to lay over each other. */
final class Layers {
  private Layers() {}

  /** With names as long as those of image layers, each with a file. */
  static List<OsPath> make(Path place, int count) throws IOException {
    List<OsPath> layers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Path diff = place.resolve(String.format(Locale.ROOT, "layers/%064x/diff", i));
      if (!Files.exists(diff)) {
        Files.createDirectories(diff);
        Files.writeString(diff.resolve("file" + i), "layer " + i + "\n");
      }
      layers.add(OsPath.of(diff.toString()));
    }
    return layers;
  }
}
