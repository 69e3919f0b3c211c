package dev.ovl.bench;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HttpHost;
import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How long the daemons take to answer after their start, and what they have in memory: idle, and
 * after they were asked much about many things. By turns: each starts once, then again.
 */
final class StartAndMemory {
  private static final Duration SETTLED = Duration.ofSeconds(3);
  private static final int LOWERS = 2;
  private static final int LISTINGS = 10;

  private final Path launcher;
  private final Path scratch;
  private final int starts;
  private final int objects;
  private final int requests;

  StartAndMemory(Path launcher, Path scratch, boolean quick) {
    this.launcher = launcher;
    this.scratch = scratch;
    this.starts = quick ? 3 : 11;
    this.objects = quick ? 100 : 1000;
    this.requests = quick ? 1000 : 10_000;
  }

  /** What one daemon's starts gave. */
  private static final class Seen {
    private final String name;
    private final List<Double> millis = new ArrayList<>();
    private final List<Program.Memory> idle = new ArrayList<>();

    Seen(String name) {
      this.name = name;
    }

    void add(double started, Program.Memory memory) {
      millis.add(started);
      idle.add(memory);
    }

    /** All but the first start, which makes directories and fills caches. */
    String row(Program.Memory loaded) {
      return row()
          + String.format(
              Locale.ROOT,
              " %.1f | %.1f |",
              loaded.resident() / 1024.0,
              loaded.proportional() / 1024.0);
    }

    /** As {@link #row(Program.Memory)} without load. */
    String row() {
      double[] times = millis.stream().skip(1).mapToDouble(Double::doubleValue).toArray();
      return String.format(
          Locale.ROOT,
          "| %s | %.0f | %.0f – %.0f | %.1f | %.1f |",
          name,
          Samples.median(times),
          Samples.quantile(times, 0.25),
          Samples.quantile(times, 0.75),
          median(idle.stream().skip(1).mapToLong(Program.Memory::resident).toArray()),
          median(idle.stream().skip(1).mapToLong(Program.Memory::proportional).toArray()));
    }

    private static double median(long[] kibibytes) {
      return Samples.median(kibibytes) / 1024;
    }
  }

  void run() throws Exception {
    Seen mountd = new Seen("mountd");
    Seen containerd = new Seen("containerd");
    Seen withCri = new Seen("containerd with CRI, as Debian has it");
    Seen dockerd = new Seen("dockerd alone");
    Seen both = new Seen("dockerd and its containerd");
    for (int i = 0; i <= starts; i++) {
      try (Mountd daemon = mountd()) {
        mountd.add(daemon.startMillis(), idle(daemon.program()));
      }
      try (Containerd daemon = new Containerd(scratch.resolve("ext4/ck"), true)) {
        withCri.add(daemon.startMillis(), idle(daemon.program()));
      }
      try (Containerd daemon = containerd()) {
        containerd.add(daemon.startMillis(), idle(daemon.program()));
      }
      try (Dockerd daemon = dockerd()) {
        dockerd.add(daemon.startMillis(), idle(daemon.program()));
        both.add(daemon.startMillis(), daemon.program().memoryOfAll());
      }
    }
    System.out.printf(
        "%n| daemon (%d starts; %d objects, %d requests) | first answer ms | quartiles "
            + "| idle RSS MiB | idle PSS MiB | loaded RSS MiB | loaded PSS MiB |%n",
        starts, objects, requests);
    System.out.println("|---|--:|--:|--:|--:|--:|--:|");
    System.out.println(mountd.row(loadedMountd()));
    System.out.println(containerd.row(loadedContainerd()));
    System.out.println(withCri.row() + " | |");
    try (Dockerd daemon = dockerd()) {
      load(daemon);
      System.out.println(dockerd.row(idle(daemon.program())));
      System.out.println(both.row(daemon.program().memoryOfAll()));
    }
  }

  private Mountd mountd() throws IOException {
    return new Mountd(launcher, scratch.resolve("ext4/started"), scratch.resolve("run-start"));
  }

  private Containerd containerd() throws IOException {
    return new Containerd(scratch.resolve("ext4/cs"), false);
  }

  private Dockerd dockerd() throws IOException {
    return new Dockerd(scratch.resolve("ext4/ds"));
  }

  private static Program.Memory idle(Program program) throws IOException, InterruptedException {
    Thread.sleep(SETTLED);
    return program.memory();
  }

  // ---- loaded -------------------------------------------------------------------------------

  /** Stacks that are up; questions about one after the other, and some about all. */
  private Program.Memory loadedMountd() throws Exception {
    List<OsPath> lowers = Layers.make(scratch.resolve("ext4"), LOWERS);
    try (Mountd daemon = mountd();
        HttpHost host = daemon.connect()) {
      for (int i = 0; i < objects; i++) {
        new HostStack(host, "web" + i).create(lowers, true);
      }
      for (int i = 0; i < requests; i++) {
        host.status("web" + i % objects);
      }
      for (int i = 0; i < LISTINGS; i++) {
        host.list();
      }
      Program.Memory memory = idle(daemon.program());
      forget(host);
      return memory;
    }
  }

  private void forget(CommandHost host) throws Exception {
    for (int i = 0; i < objects; i++) {
      new HostStack(host, "web" + i).remove(true);
    }
  }

  /** Snapshots that nobody mounts; questions about one after the other. */
  private Program.Memory loadedContainerd() throws Exception {
    try (Containerd daemon = containerd();
        Snapshotter snapshotter = daemon.connect()) {
      Optional<String> parent = Optional.empty();
      for (int i = 0; i < LOWERS; i++) {
        snapshotter.prepare("layer", parent);
        snapshotter.commit("layer" + i, "layer");
        parent = Optional.of("layer" + i);
      }
      for (int i = 0; i < objects; i++) {
        snapshotter.prepare("web" + i, parent);
      }
      for (int i = 0; i < requests; i++) {
        snapshotter.stat("web" + i % objects);
      }
      return idle(daemon.program());
    }
  }

  /** Containers that are not started; questions about one after the other. */
  private void load(Dockerd daemon) throws IOException {
    daemon.importImage();
    for (int i = 0; i < objects; i++) {
      daemon.create("web" + i);
    }
    for (int i = 0; i < requests; i++) {
      daemon.inspect("web" + i % objects);
    }
  }
}
