package dev.ovl.reference;

import java.util.List;
import java.util.stream.Collector;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Completion for zsh, by its function _arguments. */
final class ZshScript {
  /** For a file in fpath, and for source as well. */
  private static final String END =
      """

      if [[ ${funcstack[1]-} == _PROGRAM ]]; then
        _PROGRAM "$@"
      else
        compdef _PROGRAM PROGRAM
      fi
      """;

  private static final String STACKS =
      """
      # The names of the stacks, where the command line says that they are.
      _PROGRAM_stacks() {
        _PROGRAM_list ls
      }

      # The ids of the layers, likewise.
      _PROGRAM_layers() {
        _PROGRAM_list layer ls
      }

      _PROGRAM_list() {
        local -a reach names
        local i
        for ((i = 2; i < $#line_words; i++)); do
          case $line_words[i] in
            REACH) reach+=($line_words[i] ${(Q)line_words[i+1]}) ;;
            REACH_SIGN) reach+=(${(Q)line_words[i]}) ;;
          esac
        done
        names=(${(f)"$(PROGRAM $reach "$@" FIRST_COLUMN)"})
        compadd -a names
      }

      """;

  private static final Collector<CharSequence, ?, String> BAR = Collectors.joining("|");

  private final CommandSpec program;
  private final List<CommandSpec> verbs;

  ZshScript(CommandSpec program) {
    this.program = program;
    this.verbs = Models.verbs(program);
  }

  String text() {
    StringBuilder text = new StringBuilder();
    text.append("#compdef PROGRAM\n# zsh completion for PROGRAM, made from its options\n\n");
    text.append(verbs.isEmpty() ? withoutVerbs() : withVerbs());
    return text.append(END)
        .toString()
        .replace("REACH_SIGN", Reach.options(program).map(o -> o + "=*").collect(BAR))
        .replace("REACH", Reach.options(program).collect(BAR))
        .replace("FIRST_COLUMN", Shell.FIRST_COLUMN)
        .replace("PROGRAM", program.name());
  }

  private String withoutVerbs() {
    return "_PROGRAM() {\n  _arguments -S" + specifications(program, "    ") + "\n}\n";
  }

  private String withVerbs() {
    StringBuilder text = new StringBuilder(STACKS);
    text.append("_PROGRAM() {\n");
    text.append("  local curcontext=$curcontext state line ret=1\n");
    text.append("  local -a line_words=(\"${words[@]}\") verbs\n");
    text.append("  local -A opt_args\n");
    text.append("  local -a common=(");
    for (OptionSpec option : Models.options(program)) {
      text.append("\n    " + specification(option));
    }
    text.append("\n  )\n");
    choice(verbs, "", "  ", text);
    return text.append("  return ret\n}\n").toString();
  }

  /**
   * What is offered for a verb and behind it.
   *
   * @param before what is typed before, which makes the states' names unique
   */
  private static void choice(
      List<CommandSpec> verbs, String before, String indent, StringBuilder text) {
    String verb = before + "verb";
    String operands = before + "operands";
    text.append(indent)
        .append("_arguments -C -S $common '(-): :->" + verb + "' '(-)*:: :->" + operands)
        .append("' && ret=0\n")
        .append(indent + "case $state in\n" + indent + "  " + verb + ")\n")
        .append(indent + "    verbs=(");
    for (CommandSpec one : verbs) {
      text.append("\n" + indent + "      ");
      text.append(Shell.quoted(one.name() + ":" + Models.brief(one.usageMessage().description())));
    }
    text.append("\n" + indent + "    )\n")
        .append(indent + "    _describe -t verbs verb verbs && ret=0\n")
        .append(indent + "    ;;\n")
        .append(indent + "  " + operands + ")\n" + indent + "    case $line[1] in\n");
    for (CommandSpec one : verbs) {
      text.append(indent + "      " + one.name() + ")\n");
      if (Models.verbs(one).isEmpty()) {
        text.append(indent + "        _arguments -S $common")
            .append(specifications(one, indent + "          "))
            .append(" && ret=0\n");
      } else {
        choice(Models.verbs(one), before + one.name() + "_", indent + "        ", text);
      }
      text.append(indent + "        ;;\n");
    }
    text.append(indent + "    esac\n" + indent + "    ;;\n" + indent + "esac\n");
  }

  private static String specifications(CommandSpec command, String indent) {
    return Stream.concat(
            Models.options(command).stream().map(ZshScript::specification),
            Models.operands(command).stream().map(ZshScript::specification))
        .map(specification -> " \\\n" + indent + specification)
        .collect(Collectors.joining());
  }

  private static String specification(OptionSpec option) {
    List<String> names = Models.names(option);
    String what = "[" + escaped(Models.brief(option.description())) + "]";
    String value = Models.takesValue(option) ? value(option) : "";
    String before = "";
    if (option.isMultiValue()) {
      before = "*";
    } else if (names.size() > 1) {
      before = "(" + String.join(" ", names) + ")";
    }
    return names.stream()
        .map(name -> name + (value.isEmpty() ? "" : name.startsWith("--") ? "=" : "+"))
        .map(name -> name + what + value)
        .map(before::concat)
        .map(Shell::quoted)
        .collect(Collectors.joining(" "));
  }

  private static String specification(PositionalParamSpec operand) {
    String position =
        operand.index().isVariable() ? "*" : String.valueOf(operand.index().min() + 1);
    return Shell.quoted(position + value(operand));
  }

  /** A label and what to do there. */
  private static String value(ArgSpec argument) {
    String action =
        switch (Completes.of(argument)) {
          case Completes.Words some ->
              "("
                  + some.words().stream().map(ZshScript::escaped).collect(Collectors.joining(" "))
                  + ")";
          case Completes.Directories directories -> "_directories";
          case Completes.Files files -> "_files";
          case Completes.Stacks stacks -> "_PROGRAM_stacks";
          case Completes.Layers layers -> "_PROGRAM_layers";
          // an action of nothing would be told, and so keep options from being completed
          case Completes.Nothing nothing -> "{true}";
        };
    return ":" + escaped(argument.paramLabel()) + ":" + action;
  }

  private static String escaped(String text) {
    return text.replaceAll("[\\[\\]:\\\\]", "\\\\$0");
  }
}
