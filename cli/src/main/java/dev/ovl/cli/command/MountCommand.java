package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.MountDraft;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.OptionText;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl mount}. */
@Command(
    name = "mount",
    sortOptions = false,
    description = "Makes an overlay mount without writing down a stack.")
final class MountCommand extends HostCommand {
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
  int run(CommandHost host) throws EngineException, HostException {
    note(host.mount(draft(), ovlctl().dryRun()));
    return Ovlctl.DONE;
  }

  private MountDraft draft() throws EngineException {
    OptionText.Parsed read = OptionText.read(options);
    List<String> lowers = new ArrayList<>();
    for (OsPath lower : read.lowers()) {
      lowers.add(absolute(lower));
    }
    return new MountDraft(
        lowers,
        absolute(read.upper()),
        absolute(read.work()),
        read.words().stream().filter(word -> !isForFstab(word)).toList(),
        ovlctl().absolute(target).toString(),
        Optional.ofNullable(method));
  }

  private Optional<String> absolute(Optional<OsPath> path) throws EngineException {
    return path.isEmpty() ? Optional.empty() : Optional.of(absolute(path.get()));
  }

  private String absolute(OsPath path) throws EngineException {
    return ovlctl().absolute(path.toString()).toString();
  }

  private static boolean isForFstab(String word) {
    return FSTAB_WORDS.contains(word)
        || word.startsWith("x-")
        || word.startsWith("X-")
        || word.startsWith("comment=");
  }
}
