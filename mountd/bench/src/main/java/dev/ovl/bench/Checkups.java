package dev.ovl.bench;

import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.fsck.Finding;
import dev.ovl.engine.fsck.OverlayCheck;
import dev.ovl.engine.fsck.Subject;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What it costs to look an overlay with a thousand changes over, by the number of files there are,
 * beside the same with a walk through the lower: by turns, of trees whose inodes are in the
 * kernel's memory.
 */
final class Checkups {
  private static final List<String> OPTIONS = List.of("", ",redirect_dir=on,metacopy=on,index=on");
  private static final String ALL = "checkups";
  private static final int WARM_UP = 200;

  private final Syscalls sys = new LinuxSyscalls();
  private final Path place;
  private final int rounds;
  private int made;

  /**
   * @param place where the layers are made
   * @param rounds of each way, at most 15
   */
  Checkups(Path place, int rounds) {
    this.place = place;
    this.rounds = Math.min(rounds, Changes.MOST_ROUNDS);
  }

  /** Prints a row for each number of files, plain and with all that there is to check. */
  void run(String fileSystem) throws Exception {
    for (String options : OPTIONS) {
      for (int files : Changes.FILES) {
        row(fileSystem, options, files);
        new dev.ovl.engine.file.Files(sys).removeTree(path(place.resolve(ALL)));
      }
    }
  }

  private Path directory() throws Exception {
    return Files.createDirectories(place.resolve(ALL).resolve("" + made++));
  }

  private static OsPath path(Path path) {
    return OsPath.of(path.toString());
  }

  private void row(String fileSystem, String options, int files) throws Exception {
    Path lower = directory();
    Changes.fill(lower, files);
    OverlayMount.Upper upper = new OverlayMount.Upper(path(directory()), path(directory()));
    Path mounted = directory();
    String data =
        "lowerdir=" + lower + ",upperdir=" + upper.directory() + ",workdir=" + upper.work();
    byte[] bytes = (data + options).getBytes(StandardCharsets.UTF_8);
    sys.mount(OsPath.of("ovl-bench"), path(mounted), "overlay", 0, bytes);
    try {
      Changes.change(mounted, !options.isEmpty());
    } finally {
      sys.umount2(path(mounted), 0);
    }
    for (int i = 0; i < WARM_UP; i++) {
      check(lower, upper, false);
    }
    check(lower, upper, true);
    double[] quick = new double[rounds];
    double[] whole = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      long start = System.nanoTime();
      check(lower, upper, false);
      long between = System.nanoTime();
      check(lower, upper, true);
      quick[i] = (between - start) / 1e6;
      whole[i] = (System.nanoTime() - between) / 1e6;
    }
    System.out.printf(
        Locale.ROOT,
        "| %s | %s | %d | **%.1f** | %.1f |%n",
        fileSystem,
        options.isEmpty() ? "plain" : "redirect_dir, metacopy, index",
        files,
        Samples.median(quick),
        Samples.median(whole));
  }

  private void check(Path lower, OverlayMount.Upper upper, boolean lowers) throws Exception {
    Subject subject =
        new Subject(
            List.of(path(lower)), Optional.of(upper), View.Books.TRUSTED, Optional.empty(), lowers);
    List<Finding> found = OverlayCheck.run(sys, subject, Progress.NONE, () -> false);
    if (!found.isEmpty()) {
      throw new IllegalStateException("found in what the kernel made: " + found);
    }
  }
}
