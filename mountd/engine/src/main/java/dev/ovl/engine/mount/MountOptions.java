package dev.ovl.engine.mount;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The options of an overlay mount, parsed and free of contradictions: generic flags apart from what
 * goes to overlayfs itself (Documentation/filesystems/overlayfs.rst). Immutable.
 *
 * <p>Layers are not among them: {@code lowerdir}, {@code upperdir} and {@code workdir} are the
 * mount's own components ({@link OverlayMount}).
 */
public final class MountOptions {
  /** No options. */
  public static final MountOptions NONE = new MountOptions(Set.of(), Map.of(), Optional.empty());

  private static final List<String> ON_OFF = List.of("on", "off");

  /**
   * What overlayfs takes, with the values that it allows; an empty list means a flag without value.
   */
  private static final Map<String, List<String>> OVERLAY =
      ordered(
          Map.entry("redirect_dir", List.of("on", "off", "follow", "nofollow")),
          Map.entry("metacopy", ON_OFF),
          Map.entry("index", ON_OFF),
          Map.entry("nfs_export", ON_OFF),
          Map.entry("xino", List.of("on", "off", "auto")),
          Map.entry("uuid", List.of("on", "off", "null", "auto")),
          Map.entry("verity", List.of("on", "off", "require")),
          Map.entry("fsync", List.of("volatile", "auto", "strict")),
          Map.entry("volatile", List.of()),
          Map.entry("userxattr", List.of()),
          Map.entry("default_permissions", List.of()));

  /** SELinux labels, any value. */
  private static final List<String> LABELS =
      List.of("context", "fscontext", "defcontext", "rootcontext");

  private final Set<MountFlag> flags;
  private final Map<String, String> overlay;
  private final Optional<IdMap> idMap;

  private MountOptions(Set<MountFlag> flags, Map<String, String> overlay, Optional<IdMap> idMap) {
    this.flags = flags;
    this.overlay = overlay;
    this.idMap = idMap;
  }

  @SafeVarargs
  private static Map<String, List<String>> ordered(Map.Entry<String, List<String>>... entries) {
    Map<String, List<String>> map = new LinkedHashMap<>();
    for (Map.Entry<String, List<String>> entry : entries) {
      map.put(entry.getKey(), entry.getValue());
    }
    return map;
  }

  /**
   * Parses single options, in order; of two that set the same thing the later counts, as with
   * mount(8).
   *
   * @param words each {@code name} or {@code name=value}
   * @throws EngineException USAGE: unknown, with the known ones; a value that the option does not
   *     take; a contradiction, named
   */
  public static MountOptions parse(List<String> words) throws EngineException {
    Set<MountFlag> flags = EnumSet.noneOf(MountFlag.class);
    Map<String, String> overlay = new LinkedHashMap<>();
    Optional<IdMap> idMap = Optional.empty();
    for (String word : words) {
      Optional<MountFlag> set = MountFlag.setBy(word);
      Optional<MountFlag> cleared = MountFlag.clearedBy(word);
      if (word.startsWith(IdMap.OPTION + "=")) {
        idMap = Optional.of(IdMap.parse(word.substring(IdMap.OPTION.length() + 1)));
      } else if (set.isPresent()) {
        flags.add(set.get());
      } else if (cleared.isPresent()) {
        flags.remove(cleared.get());
      } else {
        addOverlayOption(word, overlay);
      }
    }
    refuseContradictions(overlay);
    return new MountOptions(flags, overlay, idMap);
  }

  private static void addOverlayOption(String word, Map<String, String> overlay)
      throws EngineException {
    int equals = word.indexOf('=');
    String name = equals < 0 ? word : word.substring(0, equals);
    String value = equals < 0 ? "" : word.substring(equals + 1);
    if (LABELS.contains(name)) {
      if (value.isEmpty()) {
        throw EngineException.usage("option " + name + " needs a value, a security label");
      }
    } else {
      List<String> values = OVERLAY.get(name);
      if (values == null) {
        throw EngineException.usage(
            "unknown option " + OsPath.quoted(word) + "; known are " + known());
      }
      if (values.isEmpty() ? equals >= 0 : !values.contains(value)) {
        throw EngineException.usage(
            values.isEmpty()
                ? "option " + name + " takes no value: " + OsPath.quoted(word)
                : "option "
                    + name
                    + " takes "
                    + String.join(", ", values)
                    + ", not "
                    + OsPath.quoted(value));
      }
    }
    overlay.put(name, value);
  }

  private static String known() {
    Stream<String> own =
        OVERLAY.entrySet().stream()
            .map(
                e ->
                    e.getValue().isEmpty()
                        ? e.getKey()
                        : e.getKey() + "=" + String.join("|", e.getValue()));
    Stream<String> valued = Stream.concat(LABELS.stream(), Stream.of(IdMap.OPTION));
    return Stream.of(own, valued.map(name -> name + "=…"), MountFlag.words())
        .flatMap(words -> words)
        .collect(Collectors.joining(", "));
  }

  private static void refuseContradictions(Map<String, String> overlay) throws EngineException {
    if (overlay.containsKey("userxattr")) {
      for (String name : List.of("redirect_dir", "metacopy")) {
        if ("on".equals(overlay.get(name))) {
          throw contradiction("userxattr", name + "=on");
        }
      }
    }
    if ("on".equals(overlay.get("metacopy"))) {
      String redirect = overlay.get("redirect_dir");
      if (redirect != null && !redirect.equals("on")) {
        throw contradiction("metacopy=on", "redirect_dir=" + redirect);
      }
      if ("on".equals(overlay.get("nfs_export"))) {
        throw contradiction("nfs_export=on", "metacopy=on");
      }
    }
    if ("on".equals(overlay.get("nfs_export")) && "off".equals(overlay.get("index"))) {
      throw contradiction("nfs_export=on", "index=off");
    }
    if ("require".equals(overlay.get("verity")) && "off".equals(overlay.get("metacopy"))) {
      throw contradiction("verity=require", "metacopy=off");
    }
  }

  private static EngineException contradiction(String one, String other) {
    return EngineException.usage("options " + one + " and " + other + " exclude each other");
  }

  /** These options, with {@code name=value} added unless the name is already there. */
  public MountOptions withDefault(String name, String value) {
    if (overlay.containsKey(name)) {
      return this;
    }
    Map<String, String> more = new LinkedHashMap<>(overlay);
    more.put(name, value);
    return new MountOptions(flags, more, idMap);
  }

  /**
   * These options, for an overlay that keeps its books in {@code user.} attributes.
   *
   * @throws EngineException USAGE: another option excludes that
   */
  public MountOptions withUserXattrs() throws EngineException {
    MountOptions marked = withDefault("userxattr", "");
    refuseContradictions(marked.overlay);
    return marked;
  }

  /**
   * These options, and those by which renaming a directory and changing owner, mode or times copy
   * no data ({@code redirect_dir}, {@code metacopy}), unless an option of these says otherwise.
   */
  public MountOptions copyingLazily() {
    if (overlay.containsKey("userxattr")) {
      return this;
    }
    MountOptions redirecting = withDefault("redirect_dir", "on");
    boolean excluded =
        "on".equals(overlay.get("nfs_export"))
            || !"on".equals(redirecting.overlay.get("redirect_dir"));
    return excluded ? redirecting : redirecting.withDefault("metacopy", "on");
  }

  /** These options and read-only. */
  public MountOptions readOnly() {
    Set<MountFlag> more = EnumSet.of(MountFlag.RO);
    more.addAll(flags);
    return new MountOptions(more, overlay, idMap);
  }

  /** How owners of what lies in the lowers are shown; absent: as they are. */
  public Optional<IdMap> idMap() {
    return idMap;
  }

  /** True when the flag is set. */
  public boolean has(MountFlag flag) {
    return flags.contains(flag);
  }

  /** The value of an overlay option, empty for a flag without value; absent when it is not set. */
  public Optional<String> value(String name) {
    return Optional.ofNullable(overlay.get(name));
  }

  /** True when the mount omits syncing and leaves a marker in its work directory. */
  public boolean isVolatile() {
    return overlay.containsKey("volatile") || "volatile".equals(overlay.get("fsync"));
  }

  /** The MS_ bits for mount(2). */
  public long msFlags() {
    return flags.stream().mapToLong(MountFlag::ms).reduce(0, (a, b) -> a | b);
  }

  /** The MOUNT_ATTR_ bits for fsmount(2). */
  public int attributes() {
    return (int) flags.stream().mapToLong(MountFlag::attribute).reduce(0, (a, b) -> a | b);
  }

  /** Words that fsconfig(2) takes as flags for the superblock. */
  List<String> superblockFlags() {
    return flags.stream().filter(MountFlag::isSuperblockFlag).map(MountFlag::word).toList();
  }

  /** What overlayfs itself is told, in order: name to value, empty for a flag without value. */
  Map<String, String> overlayData() {
    return overlay;
  }

  /** The options as words, generic ones first; {@link #parse} reads them back. */
  public List<String> words() {
    List<String> words = new ArrayList<>();
    flags.forEach(flag -> words.add(flag.word()));
    overlay.forEach((name, value) -> words.add(value.isEmpty() ? name : name + "=" + value));
    idMap.ifPresent(map -> words.add(IdMap.OPTION + "=" + map));
    return words;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof MountOptions options
        && flags.equals(options.flags)
        && overlay.equals(options.overlay)
        && idMap.equals(options.idMap);
  }

  @Override
  public int hashCode() {
    return Objects.hash(flags, overlay, idMap);
  }

  @Override
  public String toString() {
    return String.join(",", words());
  }
}
