package dev.ovl.cli.command;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.OptionText;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.Propagation;
import dev.ovl.engine.stack.StackChange;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that describe a stack, shared by create, set and clone. */
final class LayerOptions {
  @Option(
      names = "--lower",
      paramLabel = "DIR",
      description = "A lower directory; repeat it, topmost first.")
  private List<String> lowers = new ArrayList<>();

  @Option(
      names = "--upper",
      paramLabel = "DIR",
      description = "Where changes go (default: a new layer, which 'rm' deletes). Needs --work.")
  private String upper;

  @Option(
      names = "--work",
      paramLabel = "DIR",
      description = "An empty directory beside the upper, on the same file system.")
  private String work;

  @Option(
      names = "--at",
      paramLabel = "TARGET",
      description = "Where to mount; an existing directory (default: a place of the driver's).")
  private String target;

  @Option(
      names = "-o",
      paramLabel = "OPT,…",
      description =
          "Mount options, of overlay (redirect_dir=on, volatile, …) and generic (ro, nosuid, …).")
  private List<String> options = new ArrayList<>();

  @Option(
      names = "--method",
      paramLabel = "W",
      description =
          "Force classic, relative, lowerdir+ or fd (default: auto, the first that fits).")
  private String method;

  @Option(
      names = "--propagation",
      paramLabel = "P",
      description = "shared, slave, private or unbindable (default: as the parent mount's).")
  private String propagation;

  List<OsPath> lowers(Ovlctl ovlctl) throws EngineException {
    List<OsPath> paths = new ArrayList<>();
    for (String lower : lowers) {
      paths.add(ovlctl.absolute(lower));
    }
    return paths;
  }

  Optional<OverlayMount.Upper> upper(Ovlctl ovlctl) throws EngineException {
    if (upper == null && work == null) {
      return Optional.empty();
    }
    if (upper == null || work == null) {
      throw EngineException.usage(
          upper == null
              ? "--work needs --upper"
              : "--upper needs --work, an empty directory beside it");
    }
    return Optional.of(new OverlayMount.Upper(ovlctl.absolute(upper), ovlctl.absolute(work)));
  }

  Optional<OsPath> target(Ovlctl ovlctl) throws EngineException {
    return target == null ? Optional.empty() : Optional.of(ovlctl.absolute(target));
  }

  MountOptions options() throws EngineException {
    List<String> words = new ArrayList<>();
    for (String text : options) {
      words.addAll(OptionText.splitOptions(text));
    }
    return MountOptions.parse(words);
  }

  Optional<MountMethod> method() throws EngineException {
    return method == null || method.equals("auto")
        ? Optional.empty()
        : Optional.of(MountMethod.of(method));
  }

  Optional<Propagation> propagation() throws EngineException {
    return propagation == null || propagation.equals("default")
        ? Optional.empty()
        : Optional.of(Propagation.of(propagation));
  }

  /** What of a definition these options change: what is not given stays. */
  StackChange change(Ovlctl ovlctl) throws EngineException {
    return new StackChange(
        lowers.isEmpty() ? Optional.empty() : Optional.of(lowers(ovlctl)),
        upper(ovlctl),
        changedTarget(ovlctl),
        options.isEmpty() ? Optional.empty() : Optional.of(options()),
        propagation == null ? Optional.empty() : Optional.of(propagation()),
        method == null ? Optional.empty() : Optional.of(method()));
  }

  /** {@code --at default} takes a target back. */
  private Optional<Optional<OsPath>> changedTarget(Ovlctl ovlctl) throws EngineException {
    if (target == null) {
      return Optional.empty();
    }
    return Optional.of(target.equals("default") ? Optional.empty() : target(ovlctl));
  }
}
