package dev.ovl.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Programs that are run to their end, one of each after the other, again and again. All are started
 * by Java, whose part is the same for all: {@code true} shows it.
 */
final class ShortCommands {
  private final Path program;
  private final Path scratch;
  private final Effort effort;

  /**
   * How often each is run, after once that does not count.
   *
   * @param runs of each
   * @param warmUps runs that do not count of each that the daemon carries out, until its compiler
   *     has little left to do
   */
  record Effort(int runs, int warmUps) {
    static final Effort FULL = new Effort(101, 300);
    static final Effort QUICK = new Effort(15, 100);

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%d runs of each, by turns; before them %d of each that the daemon carries out",
          runs,
          warmUps);
    }
  }

  /**
   * One of them.
   *
   * @param name as the table has it
   */
  private record Run(String name, List<String> words) {
    Run(String name, String... words) {
      this(name, List.of(words));
    }

    double millis() throws IOException, InterruptedException {
      long start = System.nanoTime();
      Command.run(words.toArray(String[]::new));
      return (System.nanoTime() - start) / 1e6;
    }
  }

  ShortCommands(Path program, Path scratch, Effort effort) {
    this.program = program;
    this.scratch = scratch;
    this.effort = effort;
  }

  /** {@code ovlctl version}, which needs no daemon, beside a JVM that prints one line. */
  void inProcess() throws IOException, InterruptedException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classes = oneLine().toString();
    String main = OneLine.class.getName();
    Run jvm = new Run("`java OneLine`", java, "-cp", classes, main);
    Run small =
        new Run(
            "the same with the options of ovlctl: serial collector, C1",
            java,
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            classes,
            main);
    print(
        List.of(
            jvm,
            small,
            new Run("`ovlctl version`", program.toString(), "version"),
            new Run("`ovlctl ls --host none`", program.toString(), "ls", "--host", "none"),
            new Run("`true`", "true")));
  }

  /** {@code ovlctl status} with its daemon running, beside what others need for their version. */
  void status() throws IOException, InterruptedException {
    Path lower = Files.createDirectories(scratch.resolve("status"));
    try (Mountd daemon = daemon()) {
      Command.run(program.toString(), "create", "status", "--lower", lower.toString(), "--up");
      try {
        List<Run> runs = new ArrayList<>();
        runs.add(new Run("`ovlctl status`", program.toString(), "status", "status"));
        runs.add(new Run("`ovlctl ls`", program.toString(), "ls"));
        runs.add(new Run("`ovlctl version`", program.toString(), "version"));
        warmUp(runs);
        for (String other : List.of("docker", "podman", "ctr")) {
          if (isThere(other)) {
            runs.add(new Run("`" + other + " --version`", other, "--version"));
          }
        }
        runs.add(new Run("`true`", "true"));
        print(runs);
      } finally {
        Command.run(program.toString(), "rm", "--force", "status");
      }
    }
  }

  /** {@code run -- true}, beside others that start a program in a tree. */
  void programs() throws IOException, InterruptedException {
    Path tree = Files.createDirectories(scratch.resolve("tree"));
    for (String directory : List.of("bin", "proc", "sys", "dev", "etc", "tmp", "run")) {
      Files.createDirectories(tree.resolve(directory));
    }
    Command.run("cp", busybox(), tree.resolve("bin/busybox").toString());
    try (Mountd daemon = daemon();
        Dockerd docker = new Dockerd(scratch.resolve("docker"))) {
      Path archive = scratch.resolve("tree.tar");
      Command.run("tar", "-C", tree.toString(), "-cf", archive.toString(), ".");
      Command.run("docker", "-H", docker.host(), "import", archive.toString(), "tree");
      Command.run(program.toString(), "create", "run", "--lower", tree.toString());
      try {
        print(runsOfPrograms(tree, docker));
      } finally {
        Command.run(program.toString(), "rm", "run");
      }
    }
  }

  private List<Run> runsOfPrograms(Path tree, Dockerd docker)
      throws IOException, InterruptedException {
    String ovlctl = program.toString();
    String inside = "/bin/busybox";
    List<String> chroot =
        List.of("unshare", "--mount", "--pid", "--fork", "chroot", tree.toString(), inside, "true");
    List<String> contained =
        List.of("docker", "-H", docker.host(), "run", "--rm", "--network", "none", "tree");
    List<Run> runs = new ArrayList<>();
    runs.add(new Run("`unshare --mount --pid --fork chroot`", chroot));
    List<Run> byDaemon =
        List.of(
            new Run("`ovlctl run`, by the daemon", ovlctl, "run", "run", inside, "true"),
            new Run(
                "`ovlctl run --rm`, by the daemon", ovlctl, "run", "--rm", "run", inside, "true"));
    warmUp(byDaemon);
    runs.addAll(byDaemon);
    runs.add(
        new Run("`ovlctl run`, in Java", List.of(ovlctl + "-java", "run", "run", inside, "true")));
    if (isThere("podman")) {
      List<String> rooted =
          List.of(
              "podman",
              "--root",
              scratch.resolve("podman").toString(),
              "--runroot",
              scratch.resolve("podman-run").toString(),
              "run",
              "--rm",
              "--network",
              "none",
              // its own wishes may be above what this process may have
              "--ulimit",
              "nofile=1024:1024",
              "--ulimit",
              "nproc=1024:1024",
              "--rootfs",
              tree.toString());
      runs.add(new Run("`podman run --rootfs`", joined(rooted, inside, "true")));
    }
    runs.add(new Run("`docker run --rm`", joined(contained, inside, "true")));
    return runs;
  }

  /**
   * {@code try}: over the whole system, and a commit of 2 000 new files, beside the plain programs.
   */
  void tries() throws IOException, InterruptedException {
    Path tree = Files.createDirectories(scratch.resolve("tried"));
    String files = "cd $(mktemp -d " + tree + "/XXXXXX) && seq 2000 | xargs touch";
    String ovlctl = program.toString();
    try (Mountd daemon = daemon()) {
      Run triedTrue = new Run("`ovlctl try true`", ovlctl, "try", "true");
      warmUp(List.of(triedTrue));
      print(List.of(new Run("`true`", "true"), triedTrue));
      print(
          List.of(
              new Run("2 000 files", "sh", "-c", files),
              new Run(
                  "`ovlctl try --commit`, 2 000 files",
                  List.of(
                      ovlctl,
                      "-q",
                      "try",
                      "--over",
                      tree.toString(),
                      "--commit",
                      "sh",
                      "-c",
                      files))));
    }
  }

  private void warmUp(List<Run> byDaemon) throws IOException, InterruptedException {
    for (int turn = 0; turn < effort.warmUps(); turn++) {
      for (Run run : byDaemon) {
        run.millis();
      }
    }
  }

  private static List<String> joined(List<String> words, String... more) {
    List<String> all = new ArrayList<>(words);
    all.addAll(List.of(more));
    return all;
  }

  /** With the root and run directory that ovlctl takes from its environment. */
  private Mountd daemon() throws IOException {
    return new Mountd(
        program.resolveSibling("mountd"),
        Path.of(System.getenv("OVL_ROOT")),
        Path.of(System.getenv("OVL_RUN")));
  }

  /** Whether a program is on the PATH; says so if not. */
  private static boolean isThere(String name) {
    boolean there = onPath(name).isPresent();
    if (!there) {
      System.out.println(name + " is not on this machine");
    }
    return there;
  }

  private static String busybox() throws IOException {
    return onPath("busybox")
        .orElseThrow(() -> new IOException("busybox is missing (Debian: busybox-static)"))
        .toString();
  }

  private static Optional<Path> onPath(String name) {
    return Arrays.stream(System.getenv("PATH").split(":"))
        .map(directory -> Path.of(directory, name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** The class of that program, in a directory without others. */
  private Path oneLine() throws IOException {
    String name = OneLine.class.getName().replace('.', '/') + ".class";
    Path directory = scratch.resolve("one-line");
    Path file = directory.resolve(name);
    Files.createDirectories(file.getParent());
    try (InputStream in = OneLine.class.getResourceAsStream("/" + name)) {
      Files.write(file, in.readAllBytes());
    }
    return directory;
  }

  /** Measures, and prints a table; ratios are to the first. */
  private void print(List<Run> runs) throws IOException, InterruptedException {
    double[][] millis = new double[runs.size()][effort.runs()];
    for (int turn = -1; turn < effort.runs(); turn++) {
      for (int i = 0; i < millis.length; i++) {
        double spent = runs.get(i).millis();
        if (turn >= 0) {
          millis[i][turn] = spent;
        }
      }
    }
    String first = runs.get(0).name();
    System.out.printf("| command | ms | quartiles | ÷ %s | quartiles |%n", first);
    System.out.println("|---|--:|--:|--:|--:|");
    for (int i = 0; i < millis.length; i++) {
      double[] ratios = Samples.ratios(millis[i], millis[0]);
      System.out.printf(
          Locale.ROOT,
          "| %s | %.1f | %.1f – %.1f | **%.2f** | %.2f – %.2f |%n",
          runs.get(i).name(),
          Samples.median(millis[i]),
          Samples.quantile(millis[i], 0.25),
          Samples.quantile(millis[i], 0.75),
          Samples.median(ratios),
          Samples.quantile(ratios, 0.25),
          Samples.quantile(ratios, 0.75));
    }
    System.out.println();
  }
}
