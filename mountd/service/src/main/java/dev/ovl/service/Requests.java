package dev.ovl.service;

import dev.ovl.api.BranchPatch;
import dev.ovl.api.MountDraft;
import dev.ovl.api.StackDraft;
import dev.ovl.api.StackPatch;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.archive.ArchiveFormat;
import dev.ovl.engine.archive.Compression;
import dev.ovl.engine.aufs.AufsBranch;
import dev.ovl.engine.aufs.AufsOptions;
import dev.ovl.engine.aufs.AufsPermission;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.aufs.AufsHome;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.OptionText;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.Propagation;
import dev.ovl.engine.stack.BranchChange;
import dev.ovl.engine.stack.StackChange;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackRequest;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** What the API asks for, as the engine's values; refuses what makes no sense. */
final class Requests {
  private static final String DEFAULT = "default";
  private static final String AUTO = "auto";
  private static final String NONE = "none";

  private Requests() {}

  static StackRequest request(StackDraft draft) throws EngineException {
    return new StackRequest(
        StackName.of(draft.name()),
        paths("lower", draft.lowers()),
        layer(draft.parent()),
        draft.readOnly(),
        path("target", draft.target()),
        propagation(draft.propagation()),
        union(draft));
  }

  private static StackRequest.Union union(StackDraft draft) throws EngineException {
    String driver = draft.driver().orElse(Overlay2Home.NAME);
    return switch (driver) {
      case Overlay2Home.NAME -> overlay(draft);
      case AufsHome.NAME -> aufs(draft);
      default ->
          throw EngineException.usage(
              "unknown driver "
                  + OsPath.quoted(driver)
                  + "; stacks know "
                  + Overlay2Home.NAME
                  + " and "
                  + AufsHome.NAME);
    };
  }

  private static StackRequest.Union overlay(StackDraft draft) throws EngineException {
    if (!draft.branches().isEmpty()) {
      throw EngineException.usage("an overlay has no branches; --driver aufs has");
    }
    return new StackRequest.Union.Overlay(
        upper(draft.upper(), draft.work()),
        MountOptions.parse(options(draft.options())),
        method(draft.method()),
        draft.compat());
  }

  private static StackRequest.Union aufs(StackDraft draft) throws EngineException {
    if (draft.upper().isPresent() || draft.work().isPresent()) {
      throw EngineException.usage("an aufs takes --branch DIR=rw in place of --upper and --work");
    }
    if (method(draft.method()).isPresent()) {
      throw EngineException.usage("there is one method alone to mount an aufs");
    }
    if (draft.compat()) {
      throw EngineException.usage("--compat is about overlays");
    }
    List<AufsBranch> branches = new ArrayList<>();
    for (String branch : draft.branches()) {
      branches.add(branch(branch));
    }
    return new StackRequest.Union.Aufs(branches, AufsOptions.parse(options(draft.options())));
  }

  /** {@code DIR=PERMISSION}, the latter {@code ro+wh} where it is not given. */
  static AufsBranch branch(String text) throws EngineException {
    AufsBranch branch = AufsBranch.parse(text, AufsPermission.RO_WH);
    return new AufsBranch(path("branch", branch.directory().toString()), branch.permission());
  }

  static BranchChange change(BranchPatch patch) throws EngineException {
    if (patch.index().isPresent() && !patch.change().equals(BranchPatch.ADD)) {
      throw EngineException.usage("an index is for 'add' alone");
    }
    return switch (patch.change()) {
      case BranchPatch.ADD -> new BranchChange.Add(branch(patch.branch()), index(patch.index()));
      case BranchPatch.REMOVE -> new BranchChange.Remove(path("branch", patch.branch()));
      case BranchPatch.MODIFY -> new BranchChange.Modify(branch(patch.branch()));
      default ->
          throw EngineException.usage(
              "unknown change " + OsPath.quoted(patch.change()) + "; known are add, rm, mod");
    };
  }

  private static Optional<Integer> index(Optional<Long> asked) throws EngineException {
    if (asked.isPresent() && (asked.get() < 0 || asked.get() > Integer.MAX_VALUE)) {
      throw EngineException.usage("there is no such index: " + asked.get());
    }
    return asked.map(Math::toIntExact);
  }

  static StackChange change(StackPatch patch) throws EngineException {
    return new StackChange(
        patch.lowers().isEmpty()
            ? Optional.empty()
            : Optional.of(paths("lower", patch.lowers().get())),
        patch.parent().isEmpty()
            ? Optional.empty()
            : Optional.of(layer(patch.parent().filter(word -> !word.equals(NONE)))),
        upper(patch.upper(), patch.work()),
        patch.target().isEmpty()
            ? Optional.empty()
            : Optional.of(path("target", patch.target().filter(word -> !word.equals(DEFAULT)))),
        patch.options().isEmpty() ? Optional.empty() : Optional.of(options(patch.options().get())),
        patch.propagation().isEmpty()
            ? Optional.empty()
            : Optional.of(propagation(patch.propagation())),
        patch.method().isEmpty() ? Optional.empty() : Optional.of(method(patch.method())));
  }

  /** The mount's options and layers, of which {@code DirectMounts} makes a mount. */
  static OptionText.Parsed parsed(MountDraft draft) throws EngineException {
    return new OptionText.Parsed(
        paths("lower", draft.lowers()),
        path("upper", draft.upper()),
        path("work", draft.work()),
        draft.options());
  }

  static OsPath path(String what, String text) throws EngineException {
    OsPath path = OsPath.of(text);
    if (text.isEmpty() || !path.isAbsolute()) {
      throw EngineException.usage(what + " must be an absolute path: " + OsPath.quoted(text));
    }
    return path.normalized();
  }

  static Optional<LayerId> layer(Optional<String> id) throws EngineException {
    return id.isEmpty() ? Optional.empty() : Optional.of(LayerId.of(id.get()));
  }

  static ArchiveFormat format(Optional<String> word) throws EngineException {
    return word.isEmpty()
        ? ArchiveFormat.OCI
        : constant("format of archives", ArchiveFormat.values(), word.get());
  }

  static Compression compression(Optional<String> word) throws EngineException {
    return word.isEmpty()
        ? Compression.NONE
        : constant("compression", Compression.values(), word.get());
  }

  private static <T extends Enum<T>> T constant(String what, T[] known, String word)
      throws EngineException {
    for (T one : known) {
      if (lowerCase(one).equals(word)) {
        return one;
      }
    }
    throw EngineException.usage(
        "unknown "
            + what
            + ": "
            + OsPath.quoted(word)
            + "; known are "
            + Arrays.stream(known).map(Requests::lowerCase).collect(Collectors.joining(", ")));
  }

  private static String lowerCase(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  static Optional<MountMethod> method(Optional<String> word) throws EngineException {
    return word.isEmpty() || word.get().equals(AUTO)
        ? Optional.empty()
        : Optional.of(MountMethod.of(word.get()));
  }

  private static Optional<Propagation> propagation(Optional<String> word) throws EngineException {
    return word.isEmpty() || word.get().equals(DEFAULT)
        ? Optional.empty()
        : Optional.of(Propagation.of(word.get()));
  }

  private static Optional<OverlayMount.Upper> upper(Optional<String> upper, Optional<String> work)
      throws EngineException {
    if (upper.isEmpty() && work.isEmpty()) {
      return Optional.empty();
    }
    if (upper.isEmpty() || work.isEmpty()) {
      throw EngineException.usage(
          upper.isEmpty()
              ? "--work needs --upper"
              : "--upper needs --work, an empty directory beside it");
    }
    return Optional.of(
        new OverlayMount.Upper(path("upper", upper.get()), path("work", work.get())));
  }

  /** Single options. */
  private static List<String> options(List<String> texts) throws EngineException {
    List<String> words = new ArrayList<>();
    for (String text : texts) {
      words.addAll(OptionText.splitOptions(text));
    }
    return words;
  }

  static Optional<OsPath> path(String what, Optional<String> text) throws EngineException {
    return text.isEmpty() ? Optional.empty() : Optional.of(path(what, text.get()));
  }

  private static List<OsPath> paths(String what, List<String> texts) throws EngineException {
    List<OsPath> paths = new ArrayList<>();
    for (String text : texts) {
      paths.add(path(what, text));
    }
    return paths;
  }
}
