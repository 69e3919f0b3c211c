package dev.ovl.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

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
   */
  record Effort(int runs) {
    static final Effort FULL = new Effort(101);
    static final Effort QUICK = new Effort(15);

    @Override
    public String toString() {
      return runs + " runs of each, by turns";
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
