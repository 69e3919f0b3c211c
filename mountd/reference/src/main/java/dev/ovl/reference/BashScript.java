package dev.ovl.reference;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Completion for bash, without the package bash-completion. */
final class BashScript {
  /** PROGRAM is the name, TABLES what is known of its options; the rest is the same for all. */
  private static final String SCRIPT =
      """
      # bash completion for PROGRAM, made from its options

      TABLES
      # Offers those of the other words that begin with the first.
      _PROGRAM_offer() {
        local begin=$1 word
        shift
        for word; do
          [[ $word != "$begin"* ]] || COMPREPLY+=("$(printf %q "$word")")
        done
      }

      # Offers what is of the kind that was found for the word $1.
      _PROGRAM_offer_kind() {
        case $kind in
          directories) compopt -o dirnames ;;
          files) compopt -o default ;;
          stacks)
            local names
            mapfile -t names < <(PROGRAM "${reach[@]}" LIST_STACKS)
            _PROGRAM_offer "${1//\\\\/}" "${names[@]}"
            ;;
          layers)
            local ids
            mapfile -t ids < <(PROGRAM "${reach[@]}" LIST_LAYERS)
            _PROGRAM_offer "$1" "${ids[@]}"
            ;;
          words)
            _PROGRAM_offer "$1" "${words[@]}"
            [[ ${COMPREPLY[0]-} != *://* ]] || compopt -o nospace
            ;;
        esac
      }

      _PROGRAM() {
        local current=${COMP_WORDS[COMP_CWORD]} verb= option= kind= i=1 next word operand=0
        local -a words=() reach=()
        COMPREPLY=()
        # what stands before the current word; bash has split --option=value at the sign
        while ((i < COMP_CWORD)); do
          word=${COMP_WORDS[i]}
          kind=
          [[ $word != -* ]] || _PROGRAM_option "$verb" "$word"
          if [[ -n $kind ]]; then
            next=$((i + 1))
            if [[ ${COMP_WORDS[next]} == = ]]; then
              ((next == COMP_CWORD)) && current= || next=$((next + 1))
            fi
            if ((next >= COMP_CWORD)); then
              option=$word
              break
            fi
            case $word in
              REACH) reach+=("$word" "${COMP_WORDS[next]//\\\\/}") ;;
            esac
            i=$next
          elif [[ $word != -* ]]; then
            _PROGRAM_verbs "$verb"
            if ((${#words[@]} > 0)); then
              verb=${verb:+$verb }$word
            else
              operand=$((operand + 1))
            fi
          fi
          i=$((i + 1))
        done
        if [[ -z $option ]]; then
          kind=
          if [[ $current == -* ]]; then
            _PROGRAM_options "$verb"
            kind=words
          else
            _PROGRAM_verbs "$verb"
            if ((${#words[@]} > 0)); then
              kind=words
            else
              _PROGRAM_operand "$verb" "$operand"
            fi
          fi
        fi
        _PROGRAM_offer_kind "$current"
      }

      complete -F _PROGRAM PROGRAM
      """;

  private static final String NOTHING = "kind=nothing";

  private final CommandSpec program;

  /** By what is typed for them. */
  private final Map<String, CommandSpec> verbs;

  BashScript(CommandSpec program) {
    this.program = program;
    this.verbs = Models.all(program);
  }

  String text() {
    return SCRIPT
        .replace("TABLES", tables())
        .replace("REACH", Reach.options(program).collect(Collectors.joining(" | ")))
        .replace("LIST_STACKS", Shell.LIST_STACKS)
        .replace("LIST_LAYERS", Shell.LIST_LAYERS)
        .replace("PROGRAM", program.name());
  }

  private String tables() {
    StringBuilder text = new StringBuilder();
    text.append("# Sets kind if option $2 of the verb $1 takes a value.\n");
    text.append("_PROGRAM_option() {\n  case \"$1 $2\" in\n");
    eachOption("*", Models.options(program), text);
    verbs.forEach((typed, verb) -> eachOption(typed, Models.options(verb), text));
    text.append("  esac\n}\n\n# Sets words to the verbs that may follow what is typed, $1.\n");
    text.append("_PROGRAM_verbs() {\n  words=()\n  case $1 in\n");
    following("''", program, text);
    verbs.forEach((typed, verb) -> following(pattern(typed), verb, text));
    text.append("  esac\n}\n\n# Sets words to the options that fit the verb $1.\n");
    text.append("_PROGRAM_options() {\n  words=(");
    text.append(Models.names(Models.options(program)).collect(Collectors.joining(" ")));
    text.append(")\n  case $1 in\n");
    verbs.forEach(
        (typed, verb) -> {
          String names = Models.names(Models.options(verb)).collect(Collectors.joining(" "));
          if (!names.isEmpty()) {
            text.append("    " + pattern(typed) + ") words+=(" + names + ") ;;\n");
          }
        });
    text.append("  esac\n}\n\n# Sets kind if operand $2, from 0, of the verb $1 can be offered.\n");
    text.append("_PROGRAM_operand() {\n  case \"$1 $2\" in\n");
    operands("", program, text);
    verbs.forEach((typed, verb) -> operands(pattern(typed), verb, text));
    return text.append("  esac\n}\n").toString();
  }

  private static void operands(String verb, CommandSpec command, StringBuilder text) {
    for (PositionalParamSpec operand : Models.operands(command)) {
      String kind = kind(Completes.of(operand));
      if (!kind.equals(NOTHING)) {
        text.append("    " + verb + "' '");
        text.append(operand.index().isVariable() ? "*" : String.valueOf(operand.index().min()));
        text.append(") " + kind + " ;;\n");
      }
    }
  }

  /** What is typed for a verb, as a pattern that matches it alone. */
  private static String pattern(String typed) {
    return typed.replace(" ", "' '");
  }

  private static void following(String typed, CommandSpec command, StringBuilder text) {
    List<CommandSpec> next = Models.verbs(command);
    if (!next.isEmpty()) {
      String names = next.stream().map(CommandSpec::name).collect(Collectors.joining(" "));
      text.append("    " + typed + ") words=(" + names + ") ;;\n");
    }
  }

  private static void eachOption(String verb, List<OptionSpec> options, StringBuilder text) {
    for (OptionSpec option : options) {
      if (Models.takesValue(option)) {
        text.append("    ");
        text.append(
            Stream.of(option.names())
                .map(name -> pattern(verb) + "' " + name + "'")
                .collect(Collectors.joining(" | ")));
        text.append(") " + kind(Completes.of(option)) + " ;;\n");
      }
    }
  }

  private static String kind(Completes what) {
    return switch (what) {
      case Completes.Words some ->
          "kind=words words=("
              + some.words().stream().map(Shell::quoted).collect(Collectors.joining(" "))
              + ")";
      case Completes.Directories directories -> "kind=directories";
      case Completes.Files files -> "kind=files";
      case Completes.Stacks stacks -> "kind=stacks";
      case Completes.Layers layers -> "kind=layers";
      case Completes.Nothing nothing -> NOTHING;
    };
  }
}
