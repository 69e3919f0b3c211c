package dev.ovl.config;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ScopeType;

/** The settings as options of a command line: those of one run of it. */
public final class SettingOptions {
  private final Program program;
  private final Map<Setting, String> given = new EnumMap<>(Setting.class);

  /** The options of a program. */
  public SettingOptions(Program program) {
    this.program = program;
  }

  /** Adds them to the program's command and its subcommands, behind their own. */
  public void addTo(CommandSpec command) {
    for (Setting setting : Setting.of(program)) {
      command.addOption(option(setting));
    }
  }

  private OptionSpec option(Setting setting) {
    OptionSpec.Builder option =
        OptionSpec.builder(setting.option())
            .paramLabel(setting.label())
            .type(String.class)
            .scopeType(ScopeType.INHERIT)
            .description(
                setting.description(),
                "(default: $" + setting.variable() + ", or " + setting.defaultText() + ")")
            .setter(
                new ISetter() {
                  @Override
                  @SuppressWarnings("unchecked")
                  public <T> T set(T value) {
                    return (T) take(setting, (String) value);
                  }
                });
    List<String> offered = setting.kind().offered();
    return offered.isEmpty() ? option.build() : option.completionCandidates(offered).build();
  }

  private String take(Setting setting, String value) {
    // picocli clears options with null before it reads a command line
    return value == null ? given.remove(setting) : given.put(setting, value);
  }

  /** Takes a value as if it stood on the command line. */
  public void give(Setting setting, String value) {
    given.put(setting, value);
  }

  /** What the command line that was read gives. */
  public Map<Setting, String> given() {
    return Map.copyOf(given);
  }
}
