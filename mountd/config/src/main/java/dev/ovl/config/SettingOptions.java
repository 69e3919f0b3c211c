package dev.ovl.config;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ScopeType;

/** The settings as options of a command line: those of one run of it. */
public final class SettingOptions {
  /** Before all options of the program itself, which have -1. */
  private static final int ORDER = -2;

  private final Map<Setting, String> given = new EnumMap<>(Setting.class);

  private SettingOptions() {}

  /** Adds a program's settings as options to its command, for it and its subcommands. */
  public static SettingOptions addTo(CommandSpec command, Program program) {
    SettingOptions options = new SettingOptions();
    for (Setting setting : Setting.of(program)) {
      command.addOption(options.option(setting));
    }
    return options;
  }

  private OptionSpec option(Setting setting) {
    OptionSpec.Builder option =
        OptionSpec.builder(setting.option())
            .paramLabel(setting.label())
            .type(String.class)
            .scopeType(ScopeType.INHERIT)
            .order(ORDER)
            .description(
                setting.description(),
                "(default: $" + setting.variable() + ", or " + setting.defaultText() + ")")
            .setter(
                new picocli.CommandLine.Model.ISetter() {
                  @Override
                  @SuppressWarnings("unchecked")
                  public <T> T set(T value) {
                    return (T) take(setting, (String) value);
                  }
                });
    List<String> offered = offered(setting.kind());
    return offered.isEmpty() ? option.build() : option.completionCandidates(offered).build();
  }

  private String take(Setting setting, String value) {
    // picocli clears options with null before it reads a command line
    return value == null ? given.remove(setting) : given.put(setting, value);
  }

  private static List<String> offered(Kind kind) {
    return switch (kind) {
      case Kind.Word word -> word.words();
      case Kind.Text text -> text.examples();
      case Kind.Path path -> List.of();
      case Kind.Seconds seconds -> List.of();
      case Kind.Count count -> List.of();
    };
  }

  /** What the command line that was read gives. */
  public Map<Setting, String> given() {
    return Map.copyOf(given);
  }
}
