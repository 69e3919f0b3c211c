package dev.ovl.engine.stack;

import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.FaultInjector;
import java.util.Set;
import java.util.function.Predicate;

/** The process of {@link CrashTest} that carries out one operation and dies on the way. */
final class CrashingProcess {
  private static final Set<String> MUTATING =
      Set.of(
          "mount",
          "umount2",
          "fsmount",
          "move_mount",
          "mount_setattr",
          "mkdirat",
          "mknodat",
          "symlinkat",
          "linkat",
          "unlinkat",
          "renameat2",
          "fchmodat",
          "fchownat",
          "utimensat",
          "write",
          "ftruncate",
          "fsync",
          "syncfs",
          "flock",
          "unshare",
          "fchdir",
          "setxattr",
          "lsetxattr",
          "fsetxattr",
          "removexattr",
          "lremovexattr",
          "fremovexattr");

  private CrashingProcess() {}

  /** Where it dies. */
  enum Moment {
    /** Before the n-th call of all. */
    BEFORE_ANY,
    /** Before the n-th call of those that change something. */
    BEFORE_CHANGE,
    /** After the n-th call of those that change something. */
    AFTER_CHANGE;

    FaultInjector injector(int n) {
      Predicate<String> counted = this == BEFORE_ANY ? name -> true : MUTATING::contains;
      FaultInjector sys = new FaultInjector(new LinuxSyscalls(), counted);
      return this == AFTER_CHANGE ? sys.killAfter(n) : sys.killBefore(n);
    }
  }

  /**
   * @param args operation, directory of the {@link Site}, its lowers, moment, number of the call
   */
  public static void main(String[] args) throws Exception {
    Operation operation = Operation.valueOf(args[0]);
    Site site = new Site(OsPath.of(args[1]), OsPath.of(args[2]));
    FaultInjector sys = Moment.valueOf(args[3]).injector(Integer.parseInt(args[4]));
    try (Stacks stacks = site.stacks(sys)) {
      operation.run(site, stacks);
    }
  }
}
