package dev.ovl.it;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assertions;

/**
 * All that a command could have changed: the files of scratch directories and what is mounted
 * there.
 *
 * @param mounts lines of mountinfo
 */
record World(List<Trees.Snapshot> files, List<String> mounts) {

  /** As it is now. */
  static World of(Scratch... places) {
    try {
      List<OsPath> directories = List.of(places).stream().map(Scratch::path).toList();
      List<Trees.Snapshot> files = new ArrayList<>();
      for (OsPath directory : directories) {
        files.add(Trees.snapshot(directory));
      }
      return new World(files, mountsBeneath(directories));
    } catch (ErrnoException e) {
      throw new AssertionError("cannot list the scratch directory", e);
    }
  }

  /** The lines of mountinfo that lie in a scratch directory. */
  static List<String> mountsBeneath(List<OsPath> directories) {
    try {
      String text = OsPath.decode(Files.readAllBytes(Path.of("/proc/self/mountinfo")));
      return text.lines()
          .filter(line -> directories.stream().anyMatch(d -> line.contains(" " + d + "/")))
          .toList();
    } catch (IOException e) {
      throw new AssertionError("cannot read mountinfo", e);
    }
  }

  /** Fails unless all is as it was. */
  void assertUnchanged(World now, String after) {
    Assertions.assertEquals(mounts, now.mounts, () -> "mounts after " + after);
    for (int i = 0; i < files.size(); i++) {
      List<String> differences = now.files.get(i).differences(files.get(i));
      Assertions.assertTrue(
          differences.isEmpty(),
          () -> "changed by " + after + ": " + String.join("; ", differences));
    }
  }
}
