package dev.ovl.reference;

import java.util.Map;
import java.util.stream.Collector;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Completion for fish. */
final class FishScript {
  private static final String START =
      """
      # fish completion for PROGRAM, made from its options

      complete -c PROGRAM -f
      """;

  private static final String FUNCTIONS =
      """

      # Whether what is typed begins with the verb $argv[1], which may be two words, with $argv[2]
      # operands behind it if that is given; without an argument, whether there is a verb.
      function __PROGRAM_verb
          set -l words (commandline -opc)
          set -e words[1]
          set -l value no
          set -l operands
          for word in $words
              if test $value = yes
                  set value no
                  continue
              end
              switch $word
                  case VALUED
                      set value yes
                  case '-*'
                      continue
                  case '*'
                      set -a operands $word
              end
          end
          set -q operands[1]
          and begin
              not set -q argv[1]; or string match -q -- "$argv[1] *" "$operands "
          end
          and begin
              set -l words (count (string split ' ' -- $argv[1]))
              not set -q argv[2]; or test (count $operands) = (math $argv[2] + $words)
          end
      end

      # What the verbs $argv list, where the command line says that it is.
      function __PROGRAM_list
          set -l words (commandline -opc)
          set -l reach
          for i in (seq (count $words))
              switch $words[$i]
                  case REACH
                      set -a reach $words[$i] $words[(math $i + 1)]
                  case REACH_SIGN
                      set -a reach $words[$i]
              end
          end
          PROGRAM $reach $argv FIRST_COLUMN
      end

      """;

  private static final Collector<CharSequence, ?, String> BLANK = Collectors.joining(" ");

  private final CommandSpec program;

  /** By what is typed for them. */
  private final Map<String, CommandSpec> verbs;

  FishScript(CommandSpec program) {
    this.program = program;
    this.verbs = Models.all(program);
  }

  String text() {
    StringBuilder text = new StringBuilder(START);
    if (!verbs.isEmpty()) {
      text.append(FUNCTIONS);
      verbs("not __PROGRAM_verb", program, text);
      verbs.forEach((typed, verb) -> verbs("__PROGRAM_verb \"" + typed + "\" 0", verb, text));
    }
    text.append("\n");
    options("", program, text);
    for (Map.Entry<String, CommandSpec> one : verbs.entrySet()) {
      CommandSpec verb = one.getValue();
      String condition = " -n '__PROGRAM_verb \"" + one.getKey() + "\"'";
      if (!Models.options(verb).isEmpty() || !Models.operands(verb).isEmpty()) {
        text.append("\n");
      }
      options(condition, verb, text);
      for (PositionalParamSpec operand : Models.operands(verb)) {
        String what = what(Completes.of(operand));
        if (!what.isEmpty()) {
          String place = operand.index().isVariable() ? "" : " " + operand.index().min();
          text.append("complete -c PROGRAM -n '__PROGRAM_verb \"" + one.getKey() + "\"" + place);
          text.append("'");
          text.append(what + "\n");
        }
      }
    }
    return text.toString()
        .replace("VALUED", valued())
        .replace("REACH_SIGN", Reach.options(program).map(o -> "'" + o + "=*'").collect(BLANK))
        .replace("REACH", Reach.options(program).collect(BLANK))
        .replace("FIRST_COLUMN", Shell.FIRST_COLUMN)
        .replace("PROGRAM", program.name());
  }

  private static void verbs(String condition, CommandSpec command, StringBuilder text) {
    for (CommandSpec verb : Models.verbs(command)) {
      text.append("complete -c PROGRAM -n '" + condition + "' -a " + verb.name());
      text.append(" -d " + description(verb.usageMessage().description()) + "\n");
    }
  }

  /** The options that have a value in a word of its own. */
  private String valued() {
    return Stream.concat(Stream.of(program), verbs.values().stream())
        .flatMap(command -> Models.options(command).stream())
        .filter(Models::takesValue)
        .flatMap(option -> Models.names(option).stream())
        .distinct()
        .collect(BLANK);
  }

  private static void options(String condition, CommandSpec command, StringBuilder text) {
    for (OptionSpec option : Models.options(command)) {
      text.append("complete -c PROGRAM" + condition);
      for (String name : Models.names(option)) {
        text.append(name.startsWith("--") ? " -l " + name.substring(2) : " -s " + name.charAt(1));
      }
      if (Models.takesValue(option)) {
        Completes value = Completes.of(option);
        text.append(value instanceof Completes.Files ? " -r -F" : " -x" + what(value));
      }
      text.append(" -d " + description(option.description()) + "\n");
    }
  }

  private static String what(Completes value) {
    return switch (value) {
      case Completes.Words some -> " -a '" + String.join(" ", some.words()) + "'";
      case Completes.Directories directories -> " -a '(__fish_complete_directories)'";
      case Completes.Files files -> " -F";
      case Completes.Stacks stacks -> " -a '(__PROGRAM_list ls)'";
      case Completes.Layers layers -> " -a '(__PROGRAM_list layer ls)'";
      case Completes.Nothing nothing -> "";
    };
  }

  private static String description(String[] text) {
    return "'" + Models.brief(text).replace("\\", "\\\\").replace("'", "\\'") + "'";
  }
}
