package dev.ovl.cli.command;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.DirectMounts;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.OptionText;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.OverlayMounter;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code ovlctl mount}. */
@Command(
    name = "mount",
    sortOptions = false,
    description = "Makes an overlay mount without writing down a stack.")
final class MountCommand implements Callable<Integer> {
  /** What fstab(5) has for mount(8) and others to read. */
  private static final Set<String> FSTAB_WORDS =
      Set.of(
          "defaults",
          "auto",
          "noauto",
          "nofail",
          "fail",
          "user",
          "nouser",
          "users",
          "owner",
          "group",
          "_netdev");

  @ParentCommand private Ovlctl ovlctl;

  @Option(
      names = "-o",
      paramLabel = "OPT,…",
      required = true,
      description = "lowerdir=…,upperdir=…,workdir=… and other options, as mount(8) takes them.")
  private List<String> options = new ArrayList<>();

  @Option(
      names = "--method",
      paramLabel = "W",
      description = "Force classic, lowerdir+ or fd (default: auto, the first that fits).")
  private String method;

  @Parameters(paramLabel = "TARGET", description = "Where to mount; an existing directory.")
  private String target;

  @Override
  public Integer call() throws EngineException, ErrnoException {
    ovlctl.checkHost();
    Syscalls sys = ovlctl.syscalls();
    Ovlctl.requireRoot(sys);
    try (DirectMounts mounts = new DirectMounts(sys, ovlctl.runDirectory())) {
      OverlayMount mount = mounts.describe(parsed(), ovlctl.absolute(target));
      Optional<MountMethod> forced =
          method == null || method.equals("auto")
              ? Optional.empty()
              : Optional.of(MountMethod.of(method));
      if (ovlctl.dryRun()) {
        OverlayMounter.Plan plan = mounts.check(mount, forced);
        ovlctl
            .output()
            .note("would mount " + mount.target().quoted() + " by " + plan.method().word());
      } else {
        mounts.mount(mount, forced);
      }
    }
    return Ovlctl.DONE;
  }

  private OptionText.Parsed parsed() throws EngineException {
    OptionText.Parsed read = OptionText.read(options);
    List<OsPath> lowers = new ArrayList<>();
    for (OsPath lower : read.lowers()) {
      lowers.add(ovlctl.absolute(lower.toString()));
    }
    return new OptionText.Parsed(
        lowers,
        absolute(read.upper()),
        absolute(read.work()),
        read.words().stream().filter(word -> !isForFstab(word)).toList());
  }

  private Optional<OsPath> absolute(Optional<OsPath> path) throws EngineException {
    return path.isEmpty() ? Optional.empty() : Optional.of(ovlctl.absolute(path.get().toString()));
  }

  private static boolean isForFstab(String word) {
    return FSTAB_WORDS.contains(word)
        || word.startsWith("x-")
        || word.startsWith("X-")
        || word.startsWith("comment=");
  }
}
