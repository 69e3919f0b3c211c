package dev.ovl.config;

import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The places where a program's settings come from. They can be read again and again.
 *
 * @param program whose settings
 * @param options those given on its command line
 * @param environment its variables
 * @param ordinary whether its caller is no root, and so has directories of their own
 * @param absolute makes a path absolute; asked only for relative ones
 */
public record Sources(
    Program program,
    Map<Setting, String> options,
    Map<String, String> environment,
    boolean ordinary,
    UnaryOperator<String> absolute) {

  /** Keeps copies. */
  public Sources {
    options = Map.copyOf(options);
    environment = Map.copyOf(environment);
  }

  /**
   * Reads them: an option goes before a variable, that before the file, that before the default.
   * The file need not be there unless it was named.
   *
   * @throws ConfigurationException for a value that its setting cannot have, and for a file that
   *     cannot be read, is no TOML or has unknown keys
   */
  public Configuration read() throws ConfigurationException {
    Configuration.Value config = called(Setting.CONFIG, Map.of());
    String file = absolute(config.text());
    ConfigFile content =
        config.origin() instanceof Origin.Default
            ? ConfigFile.readIfThere(file)
            : ConfigFile.read(file);
    Map<Setting, Configuration.Value> inFile = content.values();
    Map<Setting, Configuration.Value> values = new EnumMap<>(Setting.class);
    for (Setting setting : Setting.of(program)) {
      Configuration.Value value = called(setting, inFile);
      values.put(
          setting,
          setting.kind() instanceof Kind.Path
              ? new Configuration.Value(absolute(value.text()), value.origin())
              : value);
    }
    return new Configuration(values);
  }

  private String absolute(String path) {
    return path.startsWith("/") ? path : absolute.apply(path);
  }

  private Configuration.Value called(Setting setting, Map<Setting, Configuration.Value> inFile)
      throws ConfigurationException {
    String option = options.get(setting);
    if (option != null) {
      return checked(setting, option, new Origin.Option(setting));
    }
    String variable = environment.get(setting.variable());
    if (variable != null) {
      return checked(setting, variable, new Origin.Variable(setting));
    }
    return inFile.getOrDefault(
        setting, new Configuration.Value(defaultText(setting), new Origin.Default()));
  }

  private String defaultText(Setting setting) {
    return (ordinary ? new UserDirectories(environment).of(setting) : Optional.<String>empty())
        .orElse(setting.defaultText());
  }

  private static Configuration.Value checked(Setting setting, String text, Origin origin)
      throws ConfigurationException {
    if (!setting.kind().accepts(text)) {
      throw ConfigurationException.ofCall(origin, Wording.refusal(setting, text));
    }
    return new Configuration.Value(text, origin);
  }
}
