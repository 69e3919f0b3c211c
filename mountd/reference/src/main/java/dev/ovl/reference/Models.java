package dev.ovl.reference;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** What of a command's model is for people. */
final class Models {
  private Models() {}

  /** The verbs in their order, without hidden ones. */
  static List<CommandSpec> verbs(CommandSpec command) {
    return command.subcommands().values().stream()
        .map(CommandLine::getCommandSpec)
        .filter(verb -> !verb.usageMessage().hidden())
        .distinct()
        .toList();
  }

  /**
   * The verbs, those of verbs behind them, each by what is typed for it: {@code "layer create"}.
   */
  static Map<String, CommandSpec> all(CommandSpec program) {
    Map<String, CommandSpec> all = new LinkedHashMap<>();
    collect(program, "", all);
    return all;
  }

  private static void collect(CommandSpec command, String before, Map<String, CommandSpec> all) {
    for (CommandSpec verb : verbs(command)) {
      all.put(before + verb.name(), verb);
      collect(verb, before + verb.name() + " ", all);
    }
  }

  /** The options of a command, without hidden ones and those it has from the command above. */
  static List<OptionSpec> options(CommandSpec command) {
    return command.options().stream()
        .filter(option -> !option.hidden() && !option.inherited())
        .toList();
  }

  /** The operands in their order. */
  static List<PositionalParamSpec> operands(CommandSpec command) {
    return command.positionalParameters().stream().filter(operand -> !operand.hidden()).toList();
  }

  /** The names of an option, short ones first. */
  static List<String> names(OptionSpec option) {
    return List.of(option.names());
  }

  /** All names of all options. */
  static Stream<String> names(List<OptionSpec> options) {
    return options.stream().flatMap(option -> names(option).stream());
  }

  /** Whether a word must follow an option. */
  static boolean takesValue(OptionSpec option) {
    return option.arity().min() > 0;
  }

  /** A description as one line. */
  static String text(String[] description) {
    return String.join(" ", description).strip();
  }

  /** What of a description fits a list: its first statement, without a full stop. */
  static String brief(String[] description) {
    String text = text(description);
    for (String end : List.of(". ", "; ", ": ", " (")) {
      int length = text.indexOf(end);
      text = length > 0 ? text.substring(0, length) : text;
    }
    return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
  }

  /** {@link #brief} as it stands after a name and a dash. */
  static String purpose(String[] description) {
    String brief = brief(description);
    return brief.isEmpty() ? "" : Character.toLowerCase(brief.charAt(0)) + brief.substring(1);
  }
}
