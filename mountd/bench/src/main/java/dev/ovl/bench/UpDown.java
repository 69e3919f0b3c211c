package dev.ovl.bench;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackRequest;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What it costs the engine to mount a stack and to unmount it, beside C programs that make the same
 * system calls: by number of layers and file system, and by number of stacks that are mounted
 * already. Started by {@code mountd/bench/run}, which makes the file systems.
 */
public final class UpDown {
  private static final List<Integer> LOWERS = List.of(1, 10, 50, 100, 400);
  private static final List<Integer> PROFILED = List.of(1, 100, 400);
  private static final List<Integer> OTHERS = List.of(0, 10, 100, 1000);

  private final Duel.Effort effort;
  private final Path scratch;
  private final Floor floor;
  private boolean warm;

  private UpDown(Duel.Effort effort, Path scratch, Floor floor) {
    this.effort = effort;
    this.scratch = scratch;
    this.floor = floor;
  }

  /**
   * @param args the C program; the scratch directory, with {@code tmpfs} and {@code ext4} in it on
   *     such file systems; {@code full} or {@code quick}; some of {@code up-down}, {@code others},
   *     {@code calls}, {@code usage}, {@code changes}, {@code docker-diff}, {@code apply}, {@code
   *     layers}, {@code mv}, {@code merge}, {@code lazy} and {@code fsck}
   */
  public static void main(String[] args) throws Exception {
    Path scratch = Path.of(args[1]);
    Duel.Effort effort = args[2].equals("quick") ? Duel.Effort.QUICK : Duel.Effort.FULL;
    List<String> wanted = List.of(args).subList(3, args.length);
    Machine.describe(
        String.format(
            Locale.ROOT,
            "%d rounds of %d ms each way, after %d times to warm up",
            effort.rounds(),
            effort.roundMillis(),
            effort.warmUp()));
    try (Floor floor = new Floor(Path.of(args[0]), scratch)) {
      UpDown benchmark = new UpDown(effort, scratch, floor);
      if (wanted.contains("up-down")) {
        benchmark.byLowers();
      }
      if (wanted.contains("others")) {
        benchmark.byOthers();
      }
      if (wanted.contains("calls")) {
        benchmark.byCalls();
      }
      if (wanted.contains("usage")) {
        benchmark.usage();
      }
      if (wanted.contains("changes")) {
        benchmark.changes();
      }
      if (wanted.contains("docker-diff")) {
        benchmark.dockerDiff();
      }
      if (wanted.contains("apply")) {
        benchmark.apply();
      }
      if (wanted.contains("layers")) {
        benchmark.layers();
      }
      if (wanted.contains("fsck")) {
        benchmark.fsck();
      }
      if (wanted.contains("mv")) {
        benchmark.moves();
      }
      if (wanted.contains("merge")) {
        benchmark.merges();
      }
      if (wanted.contains("lazy")) {
        benchmark.lazyCopies();
      }
    }
  }

  private void byLowers() throws Exception {
    header("file system | lowers", "---|--:");
    for (String fileSystem : List.of("tmpfs", "ext4")) {
      Path place = scratch.resolve(fileSystem);
      try (Duel duel = new Duel(effort, floor, place.resolve("root"), scratch.resolve("run"))) {
        for (int lowers : LOWERS) {
          StackName name = StackName.of("web" + lowers);
          create(duel.stacks(), name, Layers.make(place, lowers));
          warmUp(duel, name);
          row(fileSystem + " | " + lowers, duel.measure(name));
        }
      }
    }
  }

  private void byOthers() throws Exception {
    header("other stacks up", "--:");
    Path place = scratch.resolve("tmpfs");
    try (Duel duel = new Duel(effort, floor, place.resolve("others"), scratch.resolve("run"))) {
      List<OsPath> lowers = Layers.make(place, 2);
      StackName name = StackName.of("web");
      create(duel.stacks(), name, lowers);
      warmUp(duel, name);
      List<StackName> up = new ArrayList<>();
      try {
        for (int others : OTHERS) {
          while (up.size() < others) {
            StackName other = StackName.of("other" + up.size());
            create(duel.stacks(), other, lowers);
            duel.stacks().up(other, false);
            up.add(other);
          }
          row(String.valueOf(others), duel.measure(name));
        }
      } finally {
        for (StackName other : up) {
          duel.stacks().down(other, false);
        }
      }
    }
  }

  private void usage() throws Exception {
    System.out.println("\n| file system | files | engine ms | du ms | engine ÷ du | quartiles |");
    System.out.println("|---|--:|--:|--:|--:|--:|");
    for (String fileSystem : List.of("tmpfs", "ext4")) {
      new Walk(scratch.resolve(fileSystem), effort.rounds()).run(fileSystem);
    }
  }

  private void changes() throws Exception {
    System.out.println(
        "\n| file system | options | files | changes | changes ms | stream ms | size ms"
            + " | walk ms | walk ÷ changes |");
    System.out.println("|---|---|--:|--:|--:|--:|--:|--:|--:|");
    for (String fileSystem : List.of("tmpfs", "ext4")) {
      new Changes(scratch.resolve(fileSystem), effort.rounds()).run(fileSystem);
    }
  }

  /** An overlay looked over, with and without its lower. */
  private void fsck() throws Exception {
    System.out.println("\n| file system | options | files | fsck ms | fsck --lowers ms |");
    System.out.println("|---|---|--:|--:|--:|");
    for (String fileSystem : List.of("tmpfs", "ext4")) {
      new Checkups(scratch.resolve(fileSystem), effort.rounds()).run(fileSystem);
    }
  }

  private void dockerDiff() throws Exception {
    System.out.println("\n| file system | files | changes | changes ms | docker diff ms | times |");
    System.out.println("|---|--:|--:|--:|--:|--:|");
    for (String fileSystem : List.of("tmpfs", "ext4")) {
      new DockerChanges(scratch.resolve(fileSystem), effort.rounds()).run(fileSystem);
    }
  }

  /** Archives unpacked, against tar. */
  private void apply() throws Exception {
    System.out.println(
        "\n| file system | archive | MB | engine ms | tar ms | engine ÷ tar | quartiles |");
    System.out.println("|---|---|--:|--:|--:|--:|--:|");
    for (String fileSystem : List.of("tmpfs", "ext4")) {
      new Unpacking(scratch.resolve(fileSystem), Math.min(effort.rounds(), 31)).run(fileSystem);
    }
  }

  /** Layers that come and go, against their directories and files made by hand. */
  private void layers() throws Exception {
    System.out.println(
        "\n| file system | other layers | C µs | C, durable µs | engine µs | engine ÷ C, durable"
            + " | quartiles |");
    System.out.println("|---|--:|--:|--:|--:|--:|--:|");
    for (String fileSystem : List.of("tmpfs", "ext4")) {
      new LayerLife(floor, scratch.resolve(fileSystem), effort.rounds()).run(fileSystem);
    }
  }

  /** Directories of a lower moved, against mv. */
  private void moves() throws Exception {
    System.out.println(
        "\n| overlay on | directory | engine ms | mv, durable ms | engine, hasty ms | mv ms"
            + " | durable ÷ durable | hasty ÷ mv | engine ÷ mv |");
    System.out.println("|---|---|--:|--:|--:|--:|--:|--:|--:|");
    int rounds = effort.rounds() < 20 ? 3 : 9;
    for (String fileSystem : List.of("ext4", "xfs")) {
      new Moving(scratch.resolve(fileSystem), rounds).run(fileSystem);
    }
  }

  /** Uppers folded into their lowers, against rsync. */
  private void merges() throws Exception {
    System.out.println("\n| overlay on | options | engine ms | rsync ms | engine ÷ rsync |");
    System.out.println("|---|---|--:|--:|--:|");
    int rounds = effort.rounds() < 20 ? 3 : 9;
    for (String fileSystem : List.of("ext4", "xfs")) {
      new Merging(scratch.resolve(fileSystem), rounds).run(fileSystem);
    }
  }

  private void lazyCopies() throws Exception {
    System.out.println(
        "\n| root on | command | --compat ms | --compat MiB in the upper | ms | MiB in the upper |");
    System.out.println("|---|---|--:|--:|--:|--:|");
    int rounds = effort.rounds() < 20 ? 3 : 9;
    new LazyCopies(scratch.resolve("ext4"), scratch.resolve("run"), rounds).run("ext4");
  }

  /** Which calls the time goes to, in C. */
  private void byCalls() throws Exception {
    Path place = scratch.resolve("tmpfs");
    try (Duel duel = new Duel(effort, floor, place.resolve("calls"), scratch.resolve("run"))) {
      for (int lowers : PROFILED) {
        StackName name = StackName.of("web" + lowers);
        create(duel.stacks(), name, Layers.make(place, lowers));
        System.out.println("\n| call (lowers: " + lowers + ") | times | µs in all |");
        System.out.println("|---|--:|--:|");
        for (Duel.Share share : duel.profile(name)) {
          System.out.printf(
              Locale.ROOT, "| %s | %d | %.1f |%n", share.call(), share.times(), share.micros());
        }
      }
    }
  }

  private void warmUp(Duel duel, StackName name)
      throws EngineException, IOException, InterruptedException {
    if (!warm) {
      duel.warmUp(name);
      warm = true;
    }
  }

  private static void header(String columns, String rule) {
    System.out.println("\n| " + columns + " | " + Duel.Outcome.HEADER);
    System.out.println("|" + rule + "|" + Duel.Outcome.RULE);
  }

  private static void row(String columns, Duel.Outcome outcome) {
    System.out.println("| " + columns + " | " + outcome);
  }

  private static void create(Stacks stacks, StackName name, List<OsPath> lowers)
      throws EngineException, ErrnoException {
    stacks.create(
        new StackRequest(
            name,
            lowers,
            false,
            Optional.empty(),
            Optional.empty(),
            MountOptions.NONE,
            Optional.empty(),
            Optional.empty()));
  }
}
