package dev.ovl.cli.command;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.DirectMounts;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code ovlctl umount}. */
@Command(
    name = "umount",
    sortOptions = false,
    description =
        "Unmounts the topmost overlay on a directory, and says who holds it when it is busy.")
final class UmountCommand implements Callable<Integer> {
  @ParentCommand private Ovlctl ovlctl;

  @Option(
      names = "--lazy",
      description = "Detach the mount although it is in use: it ends when its users do.")
  private boolean lazy;

  @Parameters(paramLabel = "TARGET", description = "The directory.")
  private String target;

  @Override
  public Integer call() throws EngineException, ErrnoException {
    ovlctl.checkHost();
    Syscalls sys = ovlctl.syscalls();
    Ovlctl.requireRoot(sys);
    OsPath path = ovlctl.absolute(target);
    try (DirectMounts mounts = new DirectMounts(sys, ovlctl.runDirectory())) {
      if (ovlctl.dryRun()) {
        ovlctl.output().note("would unmount " + mounts.mounted(path).point().quoted());
      } else {
        mounts.umount(path, lazy);
      }
    }
    return Ovlctl.DONE;
  }
}
