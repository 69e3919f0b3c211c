package dev.ovl.bench;

import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.TreeDiff;
import dev.ovl.engine.diff.View;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * What it costs to tell what a container changed, of the layers that dockerd has on disk: by
 * dockerd, asked over its socket, and by ovl. By turns, with inodes in the kernel's memory.
 */
final class DockerChanges {
  private static final String CONTAINER = "bench";
  private static final int WARM_UP = 100;

  private final Syscalls sys = new LinuxSyscalls();
  private final Path place;
  private final int rounds;

  /**
   * @param place where the daemons have their data
   * @param rounds of each way, at most 15
   */
  DockerChanges(Path place, int rounds) {
    this.place = place;
    this.rounds = Math.min(rounds, Changes.MOST_ROUNDS);
  }

  /** Prints a row for each number of files. */
  void run(String fileSystem) throws Exception {
    for (int files : Changes.FILES) {
      Path directory = place.resolve("docker-diff");
      try (Dockerd dockerd = new Dockerd(directory)) {
        dockerd.importImage();
        dockerd.create(CONTAINER);
        row(fileSystem, files, dockerd, directory.resolve("data"));
      }
      new dev.ovl.engine.file.Files(sys).removeTree(path(directory));
    }
  }

  /** The files are put into the layers behind dockerd's back, which reads what is there. */
  private void row(String fileSystem, int files, Dockerd dockerd, Path data) throws Exception {
    Path books = data.resolve("image/overlay2/layerdb");
    Path image = diff(data, only(books.resolve("sha256")).resolve("cache-id"));
    Path init = diff(data, only(books.resolve("mounts")).resolve("init-id"));
    Path upper = diff(data, only(books.resolve("mounts")).resolve("mount-id"));
    Changes.fill(image, files);
    Path mounted = Files.createDirectory(place.resolve("mounted"));
    String options =
        "lowerdir="
            + init
            + ":"
            + image
            + ",upperdir="
            + upper
            + ",workdir="
            + upper.resolveSibling("work")
            + ",index=off";
    sys.mount(
        OsPath.of("ovl-bench"),
        path(mounted),
        "overlay",
        0,
        options.getBytes(StandardCharsets.UTF_8));
    try {
      Changes.change(mounted, false);
    } finally {
      sys.umount2(path(mounted), 0);
      Files.delete(mounted);
    }
    View here = View.overlay(List.of(path(upper), path(init), path(image)));
    View there = View.overlay(List.of(path(init), path(image)));
    int changes = 0;
    for (int i = 0; i < WARM_UP; i++) {
      changes = count(here, there);
    }
    int told = dockerd.countChanges(CONTAINER);
    if (changes != told) {
      throw new IllegalStateException(changes + " changes, and dockerd found " + told);
    }
    double[] ours = new double[rounds];
    double[] dockers = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      long start = System.nanoTime();
      count(here, there);
      long counted = System.nanoTime();
      dockerd.countChanges(CONTAINER);
      ours[i] = (counted - start) / 1e6;
      dockers[i] = (System.nanoTime() - counted) / 1e6;
    }
    System.out.printf(
        Locale.ROOT,
        "| %s | %d | %d | **%.1f** | %.1f | %.1f × |%n",
        fileSystem,
        files,
        changes,
        Samples.median(ours),
        Samples.median(dockers),
        Samples.median(dockers) / Samples.median(ours));
  }

  private int count(View newer, View older) throws Exception {
    try (TreeDiff diff = TreeDiff.compare(sys, newer, older, Progress.NONE, () -> false)) {
      return diff.changes().size();
    }
  }

  private static Path diff(Path data, Path idFile) throws IOException {
    return data.resolve("overlay2").resolve(Files.readString(idFile)).resolve("diff");
  }

  private static Path only(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.findFirst().orElseThrow();
    }
  }

  private static OsPath path(Path path) {
    return OsPath.of(path.toString());
  }
}
