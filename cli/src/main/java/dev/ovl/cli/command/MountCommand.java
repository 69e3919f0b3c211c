package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.MountDraft;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.IdMap;
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
      completionCandidates = Candidates.Methods.class,
      description = "Force classic, lowerdir+ or fd (default: auto, the first that fits).")
  private String method;

  @Parameters(paramLabel = "TARGET", description = "Where to mount; an existing directory.")
  private String target;

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    OptionText.Parsed parsed = OptionText.read(options);
    MountDraft draft =
        draft(
            ovlctl(),
            parsed,
            parsed.words().stream().filter(word -> !isForFstab(word)).toList(),
            ovlctl().absolute(target).toString(),
            Optional.ofNullable(method));
    note(host.mount(draft, ovlctl().dryRun()));
    return Ovlctl.DONE;
  }

  /** The mount that options describe, relative paths resolved. */
  static MountDraft draft(
      Ovlctl ovlctl,
      OptionText.Parsed layers,
      List<String> words,
      String target,
      Optional<String> method)
      throws EngineException {
    List<String> lowers = new ArrayList<>();
    for (OsPath lower : layers.lowers()) {
      lowers.add(absolute(ovlctl, lower));
    }
    return new MountDraft(
        lowers,
        absolute(ovlctl, layers.upper()),
        absolute(ovlctl, layers.work()),
        words,
        target,
        method);
  }

  private static Optional<String> absolute(Ovlctl ovlctl, Optional<OsPath> path)
      throws EngineException {
    return path.isEmpty() ? Optional.empty() : Optional.of(absolute(ovlctl, path.get()));
  }

  private static String absolute(Ovlctl ovlctl, OsPath path) throws EngineException {
    return ovlctl.absolute(path.toString()).toString();
  }

  /** Whether an option is for mount(8) and its like to read, and no mount's. */
  static boolean isForFstab(String word) {
    return FSTAB_WORDS.contains(word)
        || word.startsWith("x-")
        || (word.startsWith("X-") && !word.startsWith(IdMap.OPTION + "="))
        || word.startsWith("comment=");
  }
}
