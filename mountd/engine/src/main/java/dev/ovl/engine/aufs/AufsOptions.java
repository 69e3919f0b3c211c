package dev.ovl.engine.aufs;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountFlag;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The options of an aufs mount, parsed: generic flags apart from what goes to aufs itself (aufs(5),
 * section Mount Options). Immutable.
 *
 * <p>Branches are not among them: {@code br}, {@code add}, {@code del}, {@code mod} and their like
 * are the mount's own components ({@link AufsBranch}) or changes to it ({@link AufsMounter}).
 */
public final class AufsOptions {
  /** No options. */
  public static final AufsOptions NONE = new AufsOptions(Set.of(), Map.of());

  private static final String XINO = "xino";
  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,9}");

  /** What has only an on and an off, the latter with {@code no} before it. */
  private static final List<String> SWITCHES =
      List.of(
          "dio",
          "dirperm1",
          "plink",
          "sum",
          "trunc_xino",
          "trunc_xib",
          "warn_perm",
          "verbose",
          "acl",
          "dirren",
          "shwh");

  /** What takes a value, under its shortest name. */
  private static final List<Valued> VALUED =
      List.of(
          new Valued(
              "create",
              List.of("create_policy"),
              "tdp, rr, mfs[:SECONDS], tdmfs:BYTES[:SECONDS], mfsrr:BYTES[:SECONDS],"
                  + " pmfs[:SECONDS], pmfsrr:BYTES[:SECONDS]",
              "(tdp|top-down-parent|rr|round-robin)"
                  + "|(mfs|most-free-space|pmfs)(:[0-9]{1,5})?"
                  + "|(tdmfs|mfsrr|pmfsrr):[0-9]{1,19}(:[0-9]{1,5})?"),
          new Valued(
              "cpup",
              List.of("copyup", "copyup_policy"),
              "tdp, bup, bu",
              "tdp|top-down-parent|bup|bottom-up-parent|bu|bottom-up"),
          new Valued("udba", List.of(), "none, reval, notify", "none|reval|notify"),
          new Valued("diropq", List.of(), "always, whiteouted", "always|a|whiteouted|w"),
          new Valued(XINO, List.of(), "an absolute path without a comma", "/[^,]*"),
          new Valued("dirwh", List.of(), "a number", NUMBER.pattern()),
          new Valued("rdcache", List.of(), "a number of seconds", NUMBER.pattern()),
          new Valued("rdblk", List.of(), "a number of bytes or def", "def|" + NUMBER),
          new Valued("rdhash", List.of(), "a number or def", "def|" + NUMBER));

  private final Set<MountFlag> flags;

  /** By what is set: of two words for the same thing only one is here. */
  private final Map<String, String> words;

  /** An option with a value: its other names, and what it takes, for people and as a pattern. */
  private record Valued(String name, List<String> aliases, String takes, Pattern pattern) {
    Valued(String name, List<String> aliases, String takes, String pattern) {
      this(name, aliases, takes, Pattern.compile(pattern, Pattern.DOTALL));
    }

    boolean isCalled(String word) {
      return name.equals(word) || aliases.contains(word);
    }
  }

  private AufsOptions(Set<MountFlag> flags, Map<String, String> words) {
    this.flags = flags;
    this.words = words;
  }

  /**
   * Parses single options, in order; of two that set the same thing the later counts.
   *
   * @param options each {@code name} or {@code name=value}
   * @throws EngineException USAGE: unknown, with the known ones; a value that the option does not
   *     take
   */
  public static AufsOptions parse(Collection<String> options) throws EngineException {
    Set<MountFlag> flags = EnumSet.noneOf(MountFlag.class);
    Map<String, String> words = new LinkedHashMap<>();
    for (String option : options) {
      Optional<MountFlag> set = MountFlag.setBy(option);
      Optional<MountFlag> cleared = MountFlag.clearedBy(option);
      if (set.isPresent()) {
        flags.add(set.get());
      } else if (cleared.isPresent()) {
        flags.remove(cleared.get());
      } else {
        add(option, words);
      }
    }
    return new AufsOptions(flags, words);
  }

  private static void add(String option, Map<String, String> words) throws EngineException {
    int equals = option.indexOf('=');
    String name = equals < 0 ? option : option.substring(0, equals);
    String positive = name.startsWith("no") ? name.substring(2) : name;
    if (SWITCHES.contains(positive)) {
      if (equals >= 0) {
        throw EngineException.usage("option " + name + " takes no value: " + OsPath.quoted(option));
      }
      words.put(positive, name);
      return;
    }
    switch (option) {
      case "noxino" -> words.put(XINO, option);
      case "wsum" -> words.put("sum", option);
      default -> {
        Valued valued =
            VALUED.stream()
                .filter(v -> v.isCalled(name))
                .findFirst()
                .orElseThrow(
                    () ->
                        EngineException.usage(
                            "unknown option "
                                + OsPath.quoted(option)
                                + "; known to aufs are "
                                + known()));
        String value = equals < 0 ? "" : option.substring(equals + 1);
        if (!valued.pattern().matcher(value).matches()) {
          throw EngineException.usage(
              "option " + name + " takes " + valued.takes() + ", not " + OsPath.quoted(value));
        }
        words.put(valued.name(), valued.name() + "=" + value);
      }
    }
  }

  private static String known() {
    return Stream.of(
            SWITCHES.stream().map(name -> "[no]" + name),
            Stream.of("wsum", "noxino"),
            VALUED.stream().map(valued -> valued.name() + "=…"),
            MountFlag.words())
        .flatMap(names -> names)
        .collect(Collectors.joining(", "));
  }

  /** True when something is said about this: an option's shortest name, without {@code no}. */
  public boolean tells(String name) {
    return words.containsKey(name);
  }

  /** These options, with this one added unless something is said about the same thing already. */
  AufsOptions withDefault(String name, String word) {
    if (words.containsKey(name)) {
      return this;
    }
    Map<String, String> more = new LinkedHashMap<>(words);
    more.put(name, word);
    return new AufsOptions(flags, more);
  }

  /** These options and read-only. */
  public AufsOptions readOnly() {
    Set<MountFlag> more = EnumSet.of(MountFlag.RO);
    more.addAll(flags);
    return new AufsOptions(more, words);
  }

  /** True when the flag is set. */
  public boolean has(MountFlag flag) {
    return flags.contains(flag);
  }

  /** The MS_ bits for mount(2). */
  public long msFlags() {
    return flags.stream().mapToLong(MountFlag::ms).reduce(0, (a, b) -> a | b);
  }

  /** What aufs itself is told, in order, each as in the option string. */
  List<String> aufsWords() {
    return List.copyOf(words.values());
  }

  /** The options as words, generic ones first; {@link #parse} reads them back. */
  public List<String> words() {
    List<String> all = new ArrayList<>();
    flags.forEach(flag -> all.add(flag.word()));
    all.addAll(words.values());
    return all;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AufsOptions options
        && flags.equals(options.flags)
        && words.equals(options.words);
  }

  @Override
  public int hashCode() {
    return flags.hashCode() * 31 + words.hashCode();
  }

  @Override
  public String toString() {
    return String.join(",", words());
  }
}
