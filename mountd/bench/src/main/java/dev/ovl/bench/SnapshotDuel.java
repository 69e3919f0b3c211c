package dev.ovl.bench;

import dev.ovl.api.HostException;
import dev.ovl.api.HttpHost;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Our daemon beside containerd's overlayfs snapshotter: a writable mount over the same lowers comes
 * and goes.
 */
final class SnapshotDuel {
  private static final List<Integer> LOWERS = List.of(1, 10, 50);

  private final Syscalls sys = new LinuxSyscalls();
  private final Path launcher;
  private final Path scratch;
  private final Turns turns;
  private boolean warm;

  SnapshotDuel(Path launcher, Path scratch, Turns turns) {
    this.launcher = launcher;
    this.scratch = scratch;
    this.turns = turns;
  }

  void run() throws Exception {
    System.out.println(
        "\n| file system | lowers | containerd: prepare, mount, unmount, remove µs "
            + "| ovl: up, down µs | times faster | quartiles "
            + "| ovl: create --up, rm --force µs | times faster | quartiles |");
    System.out.println("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (String fileSystem : List.of("tmpfs", "ext4")) {
      Path place = scratch.resolve(fileSystem);
      try (Containerd containerd = new Containerd(place.resolve("c"), false);
          Snapshotter snapshotter = containerd.connect();
          Mountd mountd = new Mountd(launcher, place.resolve("duel"), scratch.resolve("run-duel"));
          HttpHost host = mountd.connect()) {
        Path target = Files.createDirectories(place.resolve("c/mnt"));
        int made = 0;
        for (int lowers : LOWERS) {
          for (; made < lowers; made++) {
            snapshotter.prepare("layer", parent(made));
            snapshotter.commit("layer" + made, "layer");
          }
          Active active = new Active(snapshotter, parent(lowers).orElseThrow(), target);
          HostStack stack = new HostStack(host, "web" + lowers);
          List<OsPath> directories = active.lowers();
          stack.create(directories, false);
          List<Turns.Way> ways =
              List.of(
                  active, stack.upAndDown(), new Brief(new HostStack(host, "brief"), directories));
          if (!warm) {
            turns.warmUp(ways);
            warm = true;
          }
          List<Turns.Outcome> outcomes = turns.measure(ways);
          System.out.printf(
              Locale.ROOT,
              "| %s | %d | %.0f | %.0f | %s | %.0f | %s |%n",
              fileSystem,
              lowers,
              outcomes.get(0).micros(),
              outcomes.get(1).micros(),
              outcomes.get(1).ratios(),
              outcomes.get(2).micros(),
              outcomes.get(2).ratios());
        }
      }
    }
  }

  private static Optional<String> parent(int layers) {
    return layers == 0 ? Optional.empty() : Optional.of("layer" + (layers - 1));
  }

  /** A stack that lives as long as its mount. */
  private record Brief(HostStack stack, List<OsPath> lowers) implements Turns.Way {
    @Override
    public void once() throws HostException {
      stack.create(lowers, true);
      stack.remove(true);
    }

    @Override
    public void settle() throws HostException {
      if (stack.host().list().stream().anyMatch(entry -> entry.name().equals(stack.name()))) {
        stack.remove(true);
      }
    }
  }

  /** A snapshot that lives as long as its mount. */
  private final class Active implements Turns.Way {
    private static final String KEY = "active";

    private final Snapshotter snapshotter;
    private final String parent;
    private final OsPath target;

    Active(Snapshotter snapshotter, String parent, Path target) {
      this.snapshotter = snapshotter;
      this.parent = parent;
      this.target = OsPath.of(target.toString());
    }

    @Override
    public void once() throws IOException, ErrnoException {
      mount(snapshotter.prepare(KEY, Optional.of(parent)), target);
      sys.umount2(target, Linux.UMOUNT_NOFOLLOW);
      snapshotter.remove(KEY);
    }

    /** The directories of the parent and its parents, topmost first. */
    List<OsPath> lowers() throws IOException {
      List<String> options = snapshotter.prepare(KEY, Optional.of(parent));
      snapshotter.remove(KEY);
      return options.stream()
          .filter(option -> option.startsWith("lowerdir="))
          .flatMap(option -> Arrays.stream(option.substring("lowerdir=".length()).split(":")))
          .map(OsPath::of)
          .toList();
    }
  }

  /**
   * With mount(2), or past its page with fsconfig(2). containerd's own client then has a process
   * change its directory, which takes longer.
   */
  private void mount(List<String> options, OsPath target) throws ErrnoException {
    byte[] data = String.join(",", options).getBytes(StandardCharsets.UTF_8);
    if (data.length <= LinuxSyscalls.MOUNT_DATA_LIMIT) {
      sys.mount(OsPath.of("overlay"), target, "overlay", 0, data);
      return;
    }
    try (Fd context = new Fd(sys, sys.fsopen("overlay", 0))) {
      for (String option : options) {
        int equals = option.indexOf('=');
        String key = equals < 0 ? option : option.substring(0, equals);
        String value = option.substring(equals + 1);
        if (equals < 0) {
          set(context, Linux.FSCONFIG_SET_FLAG, key, "");
        } else if (key.equals("lowerdir")) {
          for (String lower : value.split(":")) {
            set(context, Linux.FSCONFIG_SET_STRING, "lowerdir+", lower);
          }
        } else {
          set(context, Linux.FSCONFIG_SET_STRING, key, value);
        }
      }
      set(context, Linux.FSCONFIG_CMD_CREATE, "", "");
      try (Fd made = new Fd(sys, sys.fsmount(context.number(), 0, 0))) {
        sys.move_mount(
            made.number(), OsPath.EMPTY, Linux.AT_FDCWD, target, Linux.MOVE_MOUNT_F_EMPTY_PATH);
      }
    }
  }

  private void set(Fd context, int command, String key, String value) throws ErrnoException {
    sys.fsconfig(context.number(), command, key, value.getBytes(StandardCharsets.UTF_8), 0);
  }
}
