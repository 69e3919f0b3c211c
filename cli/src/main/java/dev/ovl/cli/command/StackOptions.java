package dev.ovl.cli.command;

import dev.ovl.api.StackDraft;
import dev.ovl.api.StackPatch;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.IdMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that describe a stack, shared by create, set and clone. */
final class StackOptions {
  /** As target: takes one back. */
  private static final String DEFAULT = "default";

  @Option(
      names = "--lower",
      paramLabel = "DIR",
      description = "A lower directory; repeat it, topmost first.")
  private List<String> lowers = new ArrayList<>();

  @Option(
      names = "--parent",
      paramLabel = "LAYER",
      description =
          "The layer whose chain lies below the lowers; 'none' takes it away in 'set' and 'clone'.")
  private String parent;

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
      names = "--map",
      paramLabel = "u|g|b:DISK:SHOWN:COUNT",
      description = {
        "Show owners in the lowers otherwise, users (u), groups (g) or both (b), so that a tree",
        "serves a user namespace as it is; repeats. As the option X-mount.idmap of mount(8)."
      })
  private List<String> maps = new ArrayList<>();

  @Option(
      names = "--method",
      paramLabel = "W",
      completionCandidates = Candidates.Methods.class,
      description =
          "Force classic, relative, lowerdir+ or fd (default: auto, the first that fits).")
  private String method;

  @Option(
      names = "--propagation",
      paramLabel = "P",
      completionCandidates = Candidates.Propagations.class,
      description = "shared, slave, private or unbindable (default: as the parent mount's).")
  private String propagation;

  /**
   * The stack that these options describe.
   *
   * @param branches absolute
   */
  StackDraft draft(
      String name, List<String> branches, boolean readOnly, boolean compat, Ovlctl ovlctl)
      throws EngineException {
    return new StackDraft(
        name,
        Optional.ofNullable(ovlctl.driver()),
        absolute(lowers, ovlctl),
        branches,
        Optional.ofNullable(parent),
        readOnly,
        absolute(upper, ovlctl),
        absolute(work, ovlctl),
        absolute(target, ovlctl),
        options(),
        Optional.ofNullable(propagation),
        Optional.ofNullable(method),
        compat);
  }

  /** What of a stack these options change: what is not given stays. */
  StackPatch patch(Ovlctl ovlctl) throws EngineException {
    return new StackPatch(
        lowers.isEmpty() ? Optional.empty() : Optional.of(absolute(lowers, ovlctl)),
        Optional.ofNullable(parent),
        absolute(upper, ovlctl),
        absolute(work, ovlctl),
        DEFAULT.equals(target) ? Optional.of(DEFAULT) : absolute(target, ovlctl),
        options().isEmpty() ? Optional.empty() : Optional.of(options()),
        Optional.ofNullable(propagation),
        Optional.ofNullable(method));
  }

  private List<String> options() {
    List<String> all = new ArrayList<>(options);
    if (!maps.isEmpty()) {
      all.add(IdMap.OPTION + "=" + String.join(" ", maps));
    }
    return all;
  }

  /** {@code DIR=PERM} with an absolute path. */
  static String absoluteBranch(String branch, Ovlctl ovlctl) throws EngineException {
    int equals = branch.lastIndexOf('=');
    return equals < 0
        ? ovlctl.absolute(branch).toString()
        : ovlctl.absolute(branch.substring(0, equals)) + branch.substring(equals);
  }

  private static List<String> absolute(List<String> paths, Ovlctl ovlctl) throws EngineException {
    List<String> absolute = new ArrayList<>();
    for (String path : paths) {
      absolute.add(ovlctl.absolute(path).toString());
    }
    return absolute;
  }

  private static Optional<String> absolute(String path, Ovlctl ovlctl) throws EngineException {
    return path == null ? Optional.empty() : Optional.of(ovlctl.absolute(path).toString());
  }
}
