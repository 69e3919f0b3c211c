package dev.ovl.bench;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HttpHost;
import dev.ovl.service.EngineHost;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Privilege;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What a request costs beyond its work: the same through the daemon's socket and in process. */
final class SocketCost {
  private static final List<Integer> LOWERS = List.of(1, 10, 50, 100);
  private static final String RULE = "--:|--:|--:|--:|";

  private final Path launcher;
  private final Path scratch;
  private final Turns turns;
  private boolean warm;

  SocketCost(Path launcher, Path scratch, Turns turns) {
    this.launcher = launcher;
    this.scratch = scratch;
    this.turns = turns;
  }

  void run() throws Exception {
    List<String> rows = new ArrayList<>();
    System.out.println(
        "\n| file system | lowers | in process µs | socket µs | socket ÷ in process | quartiles |");
    System.out.println("|---|--:|" + RULE);
    for (String fileSystem : List.of("tmpfs", "ext4")) {
      Path place = scratch.resolve(fileSystem);
      try (Mountd mountd = new Mountd(launcher, place.resolve("served"), scratch.resolve("run1"));
          HttpHost socket = mountd.connect();
          CommandHost engine = engine(place.resolve("root"))) {
        for (int lowers : LOWERS) {
          String name = "web" + lowers;
          HostStack here = new HostStack(engine, name);
          HostStack there = new HostStack(socket, name);
          List<OsPath> layers = Layers.make(place, lowers);
          here.create(layers, false);
          there.create(layers, false);
          List<Turns.Way> ways = List.of(there.upAndDown(), here.upAndDown());
          warmUp(ways);
          row(fileSystem + " | " + lowers, turns.measure(ways));
        }
        if (fileSystem.equals("tmpfs")) {
          rows.addAll(questions(engine, socket, "web1"));
        }
      }
    }
    System.out.println(
        "\n| question | in process µs | socket µs | socket ÷ in process | quartiles |");
    System.out.println("|---|" + RULE);
    rows.forEach(System.out::println);
  }

  private CommandHost engine(Path root) {
    return new EngineHost(
        new LinuxSyscalls(),
        Privilege.ROOT,
        OsPath.of(root.toString()),
        OsPath.of(scratch.resolve("run2").toString()),
        System.err::println);
  }

  private void warmUp(List<Turns.Way> ways) throws Exception {
    if (!warm) {
      turns.warmUp(ways);
      warm = true;
    }
  }

  private List<String> questions(CommandHost engine, HttpHost socket, String name)
      throws Exception {
    Turns.Way version = socket::about;
    List<Turns.Way> statuses = List.of(() -> socket.status(name), () -> engine.status(name));
    turns.warmUp(List.of(version));
    turns.warmUp(statuses);
    List<Turns.Outcome> status = turns.measure(statuses);
    double about = turns.measure(List.of(version)).get(0).micros();
    return List.of(
        String.format(Locale.ROOT, "| `version`: the round trip alone | | %.0f | | |", about),
        "| `status`, in a lane | " + columns(status) + " |");
  }

  private static void row(String columns, List<Turns.Outcome> outcomes) {
    System.out.println("| " + columns + " | " + columns(outcomes) + " |");
  }

  private static String columns(List<Turns.Outcome> outcomes) {
    Turns.Outcome socket = outcomes.get(0);
    Turns.Outcome inProcess = outcomes.get(1);
    return String.format(
        Locale.ROOT, "%.0f | %.0f | %s", inProcess.micros(), socket.micros(), inProcess.ratios());
  }
}
