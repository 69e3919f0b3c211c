package dev.ovl.bench;

import java.nio.file.Path;
import java.util.List;

/**
 * What the daemon costs: a request beside the same in process, its start and its memory beside
 * other daemons, many stacks, and containerd's snapshotter beside it. Started by {@code
 * mountd/bench/run daemon}, which makes the file systems.
 */
public final class DaemonCosts {
  private static final List<Integer> FEW = List.of(100, 1000);
  private static final List<Integer> MANY = List.of(100, 1000, 10_000);

  private DaemonCosts() {}

  /**
   * @param args {@code bin/mountd} of a distribution; the scratch directory, with {@code tmpfs} and
   *     {@code ext4} in it on such file systems; {@code full} or {@code quick}; some of {@code
   *     socket}, {@code start}, {@code many} and {@code containerd}
   */
  public static void main(String[] args) throws Exception {
    Path launcher = Path.of(args[0]);
    Path scratch = Path.of(args[1]);
    boolean quick = args[2].equals("quick");
    List<String> wanted = List.of(args).subList(3, args.length);
    Turns.Effort effort = quick ? Turns.Effort.QUICK : Turns.Effort.FULL;
    Machine.describe(effort.toString());
    if (wanted.contains("socket")) {
      new SocketCost(launcher, scratch, new Turns(effort)).run();
    }
    if (wanted.contains("start")) {
      new StartAndMemory(launcher, scratch, quick).run();
    }
    if (wanted.contains("many")) {
      new ManyStacks(launcher, scratch, quick ? FEW : MANY).run();
    }
    if (wanted.contains("containerd")) {
      new SnapshotDuel(launcher, scratch, new Turns(effort)).run();
    }
  }
}
