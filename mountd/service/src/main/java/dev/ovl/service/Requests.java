package dev.ovl.service;

import dev.ovl.api.MountDraft;
import dev.ovl.api.StackDraft;
import dev.ovl.api.StackPatch;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.archive.ArchiveFormat;
import dev.ovl.engine.archive.Compression;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.OptionText;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.Propagation;
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
        draft.driver(),
        paths("lower", draft.lowers()),
        layer(draft.parent()),
        draft.readOnly(),
        upper(draft.upper(), draft.work()),
        path("target", draft.target()),
        options(draft.options()),
        propagation(draft.propagation()),
        method(draft.method()),
        draft.compat());
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

  private static MountOptions options(List<String> texts) throws EngineException {
    List<String> words = new ArrayList<>();
    for (String text : texts) {
      words.addAll(OptionText.splitOptions(text));
    }
    return MountOptions.parse(words);
  }

  private static Optional<OsPath> path(String what, Optional<String> text) throws EngineException {
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
