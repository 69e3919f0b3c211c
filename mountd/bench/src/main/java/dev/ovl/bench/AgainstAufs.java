package dev.ovl.bench;

import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * The kernel's overlay against its aufs, both mounted by the engine: by number of layers what it
 * costs to mount and unmount them and to look names up at their bottom, and what it costs to copy
 * up a large file. Started by {@code mountd/bench/run aufs}, which makes the file systems.
 */
public final class AgainstAufs {
  private static final List<Integer> LAYERS = List.of(1, 10, 50, 100);
  private static final List<String> FILE_SYSTEMS = List.of("tmpfs", "ext4");

  private final Syscalls sys = new LinuxSyscalls();
  private final Path scratch;
  private final Turns turns;
  private final int rounds;
  private final Unions unions;

  private AgainstAufs(Path scratch, Turns.Effort effort, int rounds, Unions unions) {
    this.scratch = scratch;
    this.turns = new Turns(effort);
    this.rounds = rounds;
    this.unions = unions;
  }

  /**
   * @param args the scratch directory, on a tmpfs, with {@code tmpfs} and {@code ext4} in it on
   *     such file systems; {@code full} or {@code quick}; MiB of the file to copy up; some of
   *     {@code up-down}, {@code copy-up} and {@code lookups}
   */
  public static void main(String[] args) throws Exception {
    Path scratch = Path.of(args[0]);
    boolean quick = args[1].equals("quick");
    int mebibytes = Integer.parseInt(args[2]);
    List<String> wanted = List.of(args).subList(3, args.length);
    Turns.Effort effort = quick ? Turns.Effort.QUICK : Turns.Effort.FULL;
    int rounds = quick ? 3 : 15;
    Machine.describe(effort + "; copy-ups and lookups: " + rounds + " rounds");
    try (Unions unions = new Unions(new LinuxSyscalls(), scratch.resolve("run"))) {
      AgainstAufs benchmark = new AgainstAufs(scratch, effort, rounds, unions);
      if (wanted.contains("up-down")) {
        benchmark.upAndDown();
      }
      if (wanted.contains("copy-up")) {
        benchmark.copyUps(mebibytes);
      }
      if (wanted.contains("lookups")) {
        benchmark.lookups();
      }
    }
  }

  /** The lowest of the layers: whatever their number, the last one is the same. */
  private static List<OsPath> lowest(Path place, int count) throws IOException {
    List<OsPath> all = Layers.make(place, LAYERS.getLast());
    return all.subList(all.size() - count, all.size());
  }

  private void upAndDown() throws Exception {
    System.out.println(
        "\n| file system | layers | overlay by | overlay µs | aufs µs | overlay ÷ aufs"
            + " | quartiles |");
    System.out.println("|---|--:|---|--:|--:|--:|--:|");
    boolean warm = false;
    for (String fileSystem : FILE_SYSTEMS) {
      Path place = scratch.resolve(fileSystem);
      for (int layers : LAYERS) {
        Unions.Overlay overlay = unions.overlay(place, lowest(place, layers));
        List<Union> ways = List.of(overlay, unions.aufs(place, lowest(place, layers)));
        if (!warm) {
          turns.warmUp(ways);
          warm = true;
        }
        List<Turns.Outcome> outcomes = turns.measure(ways);
        System.out.printf(
            Locale.ROOT,
            "| %s | %d | %s | %.0f | %.0f | %s |%n",
            fileSystem,
            layers,
            overlay.method(),
            outcomes.get(0).micros(),
            outcomes.get(1).micros(),
            outcomes.get(1).ratios());
      }
    }
  }

  private void copyUps(int mebibytes) throws Exception {
    System.out.println(
        "\n| file system | MiB | overlay ms | aufs ms | overlay ÷ aufs | quartiles"
            + " | overlay, durable ms | aufs, durable ms | overlay ÷ aufs | quartiles |");
    System.out.println("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (String fileSystem : FILE_SYSTEMS) {
      Path place = scratch.resolve(fileSystem);
      List<OsPath> layer = lowest(place, 1);
      new CopyUps(sys, place, mebibytes, rounds)
          .run(
              fileSystem, layer.getLast(), unions.overlay(place, layer), unions.aufs(place, layer));
    }
  }

  private void lookups() throws Exception {
    System.out.println(
        "\n| file system | layers | cold: directly µs | overlay µs | aufs µs | overlay ÷ aufs"
            + " | quartiles | warm: directly µs | overlay µs | aufs µs | overlay ÷ aufs"
            + " | quartiles |");
    System.out.println("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (String fileSystem : FILE_SYSTEMS) {
      Path place = scratch.resolve(fileSystem);
      Lookups.prepare(lowest(place, LAYERS.getLast()));
      for (int count : LAYERS) {
        List<OsPath> layers = lowest(place, count);
        new Lookups(sys, rounds)
            .run(
                fileSystem + " | " + count,
                layers.getLast(),
                unions.overlay(place, layers),
                unions.aufs(place, layers));
      }
    }
  }
}
