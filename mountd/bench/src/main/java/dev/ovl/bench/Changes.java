package dev.ovl.bench;

import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.TreeDiff;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;

/**
 * What it costs to tell what a thousand changes changed, by the number of files there are, beside a
 * walk over both trees: by turns, of trees whose inodes are in the kernel's memory. The walk
 * compares two mounts, which are made before the clock starts.
 */
final class Changes {
  static final List<Integer> FILES = List.of(1_000, 10_000, 100_000);
  private static final List<String> OPTIONS = List.of("", ",redirect_dir=on,metacopy=on");
  private static final int PER_DIRECTORY = 100;
  private static final int CHANGED_DIRECTORIES = 10;
  private static final int RENAMED_DIRECTORIES = 5;
  private static final int WARM_UP = 200;
  static final int MOST_ROUNDS = 15;
  private static final String ALL = "changes";
  private static final String CONTENT = "x".repeat(200);

  private final Syscalls sys = new LinuxSyscalls();
  private final Path place;
  private final int rounds;
  private int made;

  /**
   * @param place where the layers are made
   * @param rounds of each way, at most 15: a walk takes seconds
   */
  Changes(Path place, int rounds) {
    this.place = place;
    this.rounds = Math.min(rounds, MOST_ROUNDS);
  }

  /** Milliseconds. */
  private record Times(double list, double stream, double size, double walk) {}

  /** Prints a row for each number of files, plain and with redirects and metadata-only copies. */
  void run(String fileSystem) throws Exception {
    for (String options : OPTIONS) {
      for (int files : FILES) {
        row(fileSystem, options, files);
        new dev.ovl.engine.file.Files(sys).removeTree(path(place.resolve(ALL)));
      }
    }
  }

  private void row(String fileSystem, String options, int files) throws Exception {
    Path lower = directory();
    fill(lower, files);
    Path upper = directory();
    Path mounted = directory();
    mount(mounted, "lowerdir=" + lower, ",upperdir=" + upper + ",workdir=" + directory(), options);
    try {
      change(mounted, !options.isEmpty());
    } finally {
      unmount(mounted);
    }
    Path newer = directory();
    Path older = directory();
    String shown = options.isEmpty() ? "" : ",redirect_dir=on,metacopy=on";
    mount(newer, "lowerdir=" + upper + ":" + lower, "", shown);
    try {
      mount(older, "lowerdir=" + lower + ":" + directory(), "", shown);
      try {
        measure(fileSystem, options, files, List.of(upper, lower), newer, older);
      } finally {
        unmount(older);
      }
    } finally {
      unmount(newer);
    }
  }

  /** Makes so many files, a hundred in a directory. */
  static void fill(Path lower, int files) throws IOException {
    for (int i = 0; i < files / PER_DIRECTORY; i++) {
      Path in = Files.createDirectory(lower.resolve("d" + i));
      for (int file = 0; file < PER_DIRECTORY; file++) {
        Files.writeString(in.resolve("f" + file), CONTENT);
      }
    }
  }

  private Path directory() throws Exception {
    return Files.createDirectories(place.resolve(ALL).resolve("" + made++));
  }

  private void mount(Path target, String lowers, String upper, String options) throws Exception {
    byte[] data = (lowers + upper + options).getBytes(StandardCharsets.UTF_8);
    sys.mount(OsPath.of("ovl-bench"), path(target), "overlay", 0, data);
  }

  private void unmount(Path target) throws ErrnoException {
    sys.umount2(path(target), 0);
  }

  private static OsPath path(Path path) {
    return OsPath.of(path.toString());
  }

  /** A hundred changes in each of ten directories, half of which are renamed. */
  static void change(Path mounted, boolean renames) throws IOException {
    for (int i = 0; i < CHANGED_DIRECTORIES; i++) {
      Path in = mounted.resolve("d" + i);
      for (int file = 0; file < PER_DIRECTORY; file += 5) {
        Files.writeString(in.resolve("f" + file), "edited");
        Files.writeString(in.resolve("f" + (file + 1)), "and another one that was edited");
        Files.delete(in.resolve("f" + (file + 2)));
        Files.setPosixFilePermissions(
            in.resolve("f" + (file + 3)), PosixFilePermissions.fromString("rwx------"));
        Files.writeString(in.resolve("new" + file), CONTENT);
      }
      if (renames && i < RENAMED_DIRECTORIES) {
        Files.move(in, mounted.resolve("renamed" + i));
      }
    }
  }

  private void measure(
      String fileSystem, String options, int files, List<Path> layers, Path newer, Path older)
      throws Exception {
    List<OsPath> all = layers.stream().map(Changes::path).toList();
    View here = View.overlay(all);
    View there = View.overlay(all.subList(1, all.size()));
    View shownHere = new View.Plain(path(newer));
    View shownThere = new View.Plain(path(older));
    int changes = 0;
    for (int i = 0; i < WARM_UP; i++) {
      try (TreeDiff diff = compare(here, there)) {
        changes = diff.changes().size();
        diff.stream(new Drain());
      }
    }
    int walked;
    try (TreeDiff diff = compare(shownHere, shownThere)) {
      walked = diff.changes().size();
    }
    if (changes != walked) {
      throw new IllegalStateException(changes + " changes, and the walk found " + walked);
    }
    double[] list = new double[rounds];
    double[] stream = new double[rounds];
    double[] size = new double[rounds];
    double[] walk = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      Times times = once(here, there, shownHere, shownThere);
      list[i] = times.list();
      stream[i] = times.stream();
      size[i] = times.size();
      walk[i] = times.walk();
    }
    System.out.printf(
        Locale.ROOT,
        "| %s | %s | %d | %d | **%.1f** | %.1f | %.1f | %.1f | %.1f × |%n",
        fileSystem,
        options.isEmpty() ? "plain" : "redirect_dir, metacopy",
        files,
        changes,
        Samples.median(list),
        Samples.median(stream),
        Samples.median(size),
        Samples.median(walk),
        Samples.median(walk) / Samples.median(list));
  }

  private Times once(View here, View there, View shownHere, View shownThere) throws Exception {
    long start = System.nanoTime();
    try (TreeDiff diff = compare(here, there)) {
      diff.changes();
    }
    long listed = System.nanoTime();
    try (TreeDiff diff = compare(here, there)) {
      diff.stream(new Drain());
    }
    long streamed = System.nanoTime();
    try (TreeDiff diff = compare(here, there)) {
      diff.size();
    }
    long sized = System.nanoTime();
    try (TreeDiff diff = compare(shownHere, shownThere)) {
      diff.changes();
    }
    long walked = System.nanoTime();
    return new Times(
        (listed - start) / 1e6,
        (streamed - listed) / 1e6,
        (sized - streamed) / 1e6,
        (walked - sized) / 1e6);
  }

  private TreeDiff compare(View newer, View older) throws Exception {
    return TreeDiff.compare(sys, newer, older, Progress.NONE, () -> false);
  }

  /** Reads all data and keeps nothing. */
  private final class Drain implements TreeSink {
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);

    @Override
    public void put(Node node, Content content) throws ErrnoException {
      if (content instanceof Content.OfFile data) {
        int last = 1;
        while (last > 0) {
          last = sys.read(data.file().number(), buffer.clear());
        }
      }
    }

    @Override
    public void delete(OsPath path) {}

    @Override
    public void opaque(OsPath directory) {}

    @Override
    public void finish() {}
  }
}
