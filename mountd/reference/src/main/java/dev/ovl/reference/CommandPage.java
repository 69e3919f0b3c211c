package dev.ovl.reference;

import dev.ovl.config.Setting;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The manual page of a program, or of one of its verbs. */
final class CommandPage {
  private final CommandSpec command;

  /** What is typed for it behind the program's name; empty for the program. */
  private final String verb;

  private final CommandSpec program;
  private final String programPage;
  private final int section;

  private CommandPage(
      DocumentedProgram documented, CommandSpec program, String verb, CommandSpec command) {
    this.command = command;
    this.verb = verb;
    this.program = program;
    this.programPage = documented.page();
    this.section = documented.section();
  }

  /** The pages of a program: its own, and one a verb. */
  static List<CommandPage> of(DocumentedProgram documented) {
    CommandSpec program = documented.model();
    List<CommandPage> pages = new ArrayList<>();
    pages.add(new CommandPage(documented, program, "", program));
    Models.all(program)
        .forEach((verb, command) -> pages.add(new CommandPage(documented, program, verb, command)));
    return pages;
  }

  /** What it is called by: {@code "ovlctl-create"}. */
  String name() {
    return isVerb() ? programPage + "-" + verb.replace(' ', '-') : programPage;
  }

  /** Where it is in a tree of pages: {@code "man1/ovlctl-create.1"}. */
  String path() {
    return "man" + section + "/" + name() + "." + section;
  }

  private boolean isVerb() {
    return !verb.isEmpty();
  }

  /** The page. */
  String text() {
    Roff page = new Roff(name(), section);
    String[] description = command.usageMessage().description();
    page.heading("NAME").text(name() + " - " + Models.purpose(description));
    page.heading("SYNOPSIS");
    synopsis(page);
    page.heading("DESCRIPTION").text(Models.text(description));
    verbs(page);
    operands(page);
    options(page);
    exitStatus(page);
    if (!isVerb()) {
      environment(page);
    }
    page.append(Resources.orNothing(name() + ".roff"));
    seeAlso(page);
    return page.toString();
  }

  private void synopsis(Roff page) {
    page.bold(isVerb() ? program.name() + " " + verb : program.name());
    page.text("[OPTION]\u2026");
    for (OptionSpec option : Models.options(command)) {
      if (option.required()) {
        page.boldItalic(Models.names(option).get(0) + " ", option.paramLabel());
      }
    }
    if (!Models.verbs(command).isEmpty()) {
      page.text("VERB \u2026");
    }
    for (PositionalParamSpec operand : Models.operands(command)) {
      String label = operand.paramLabel() + (operand.arity().isVariable() ? "\u2026" : "");
      page.text(operand.arity().min() == 0 ? "[" + label + "]" : label);
    }
  }

  private void verbs(Roff page) {
    List<CommandSpec> verbs = Models.verbs(command);
    if (verbs.isEmpty()) {
      return;
    }
    page.heading("VERBS");
    for (CommandSpec one : verbs) {
      page.tag().boldRoman(name() + "-" + one.name(), "(" + section + ")");
      page.text(Models.brief(one.usageMessage().description()) + ".");
    }
  }

  private void operands(Roff page) {
    List<PositionalParamSpec> operands = Models.operands(command);
    if (!operands.isEmpty()) {
      page.heading("OPERANDS");
      for (PositionalParamSpec operand : operands) {
        argument(page, operand.paramLabel(), operand);
      }
    }
  }

  private void options(Roff page) {
    page.heading("OPTIONS");
    for (OptionSpec option : Models.options(command)) {
      String names = String.join(", ", Models.names(option));
      String value = option.paramLabel();
      boolean word = Models.names(option).getLast().startsWith("--");
      if (option.arity().max() == 0) {
        argument(page, names, option);
      } else if (Models.takesValue(option)) {
        argument(page, names + (word ? "=" : " ") + value, option);
      } else {
        argument(page, names + "[=" + value + "]", option);
      }
    }
    if (isVerb()) {
      page.paragraph("All verbs take these options too, which")
          .boldRoman(programPage, "(" + section + ")")
          .text("describes:")
          .text(
              Models.options(program).stream()
                      .map(option -> Models.names(option).getLast())
                      .collect(Collectors.joining(", "))
                  + ".");
    }
  }

  private static void argument(Roff page, String tag, ArgSpec argument) {
    page.tag().bold(tag).text(Models.text(argument.description()));
  }

  private void exitStatus(Roff page) {
    Map<String, String> codes = command.usageMessage().exitCodeList();
    if (codes.isEmpty()) {
      codes = program.usageMessage().exitCodeList();
    }
    if (!codes.isEmpty()) {
      page.heading("EXIT STATUS");
      codes.forEach((code, meaning) -> page.tag().bold(code).text(meaning));
    }
  }

  private void environment(Roff page) {
    List<Setting> settings =
        Arrays.stream(Setting.values())
            .filter(setting -> program.findOption(setting.option()) != null)
            .toList();
    if (settings.isEmpty()) {
      return;
    }
    page.heading("ENVIRONMENT");
    for (Setting setting : settings) {
      page.tag()
          .bold(setting.variable())
          .text("As " + setting.option() + ", which goes before it.");
    }
  }

  private void seeAlso(Roff page) {
    page.heading("SEE ALSO");
    List<String> pages =
        Stream.of("ovlctl(1)", "ovl-mountd(8)", "mount.ovl(8)", ConfigurationPage.REFERENCE)
            .filter(other -> !other.equals(name() + "(" + section + ")"))
            .toList();
    for (String other : pages) {
      int end = other.indexOf('(');
      String comma = other.equals(pages.getLast()) ? "" : ",";
      page.boldRoman(other.substring(0, end), other.substring(end) + comma);
    }
  }
}
