package dev.ovl.reference;

import dev.ovl.config.Program;
import dev.ovl.config.SettingOptions;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;

/** Programs with one of everything that is documented: {@code tool} with verbs, {@code toold}. */
@Command(
    name = "tool",
    description = "Does things: some of them 'well', .others not.",
    sortOptions = false,
    exitCodeList = {"0:Done.", "1:Not done."},
    subcommands = {
      Sample.Create.class,
      Sample.Clone.class,
      Sample.Up.class,
      Sample.Print.class,
      Sample.Shelf.class,
      Sample.Secret.class
    })
@SuppressWarnings("UnusedVariable") // nothing is run
final class Sample {
  enum Form {
    SHORT,
    LONG
  }

  @Option(
      names = {"-q", "--quiet"},
      scope = ScopeType.INHERIT,
      description = "Says [nothing]: not 'a' word.")
  private boolean quiet;

  @Option(names = "--hidden", hidden = true, description = "Not told.")
  private boolean hidden;

  @Command(
      name = "create",
      description = {"Makes a thing", "out of \u00e4 directory."})
  static final class Create {
    @Option(names = "--lower", paramLabel = "DIR", description = "A directory \\ on `disk` ~ ^.")
    private List<String> lowers;

    @Option(names = "-o", paramLabel = "OPT,\u2026", required = true, description = "Options.")
    private List<String> options;

    @Option(names = "--watch", arity = "0..1", paramLabel = "SECONDS", description = "Again.")
    private String watch;

    @Parameters(paramLabel = "NEW", description = "The new name.")
    private String name;
  }

  @Command(name = "clone", description = "Copies.")
  static final class Clone {
    @Parameters(index = "0", paramLabel = "NAME", description = "The thing.")
    private String from;

    @Parameters(index = "1", paramLabel = "NEW", description = "The new name.")
    private String to;
  }

  @Command(name = "up", description = "Lifts.")
  static final class Up {
    @Parameters(paramLabel = "NAME", arity = "0..*", description = "The things.")
    private List<String> names;

    @Option(names = "--all", description = "Lifts all.")
    private boolean all;
  }

  @Command(
      name = "print",
      description = "Prints.",
      exitCodeList = {"0:Printed.", "7:Out of paper."})
  static final class Print {
    @Parameters(paramLabel = "FORM", description = "How.")
    private Form form;

    @Parameters(index = "1", paramLabel = "TARGET", description = "Where.")
    private String target;
  }

  @Command(
      name = "shelf",
      description = "Works on shelves.",
      subcommands = {Sample.Shelf.Clear.class, Sample.Shelf.Paint.class})
  static final class Shelf {
    @Command(name = "clear", description = "Clears shelves.")
    static final class Clear {
      @Parameters(paramLabel = "LAYER", arity = "1..*", description = "The shelves.")
      private List<String> ids;
    }

    @Command(name = "paint", description = "Paints a shelf.")
    static final class Paint {
      @Option(names = "--like", paramLabel = "LAYER", description = "Another shelf.")
      private String like;

      @Parameters(index = "0", paramLabel = "LAYER", description = "The shelf.")
      private String id;

      @Parameters(index = "1", paramLabel = "FILE", description = "The colour.")
      private String file;
    }
  }

  @Command(name = "secret", hidden = true, description = "Not told.")
  static final class Secret {}

  @Command(name = "toold", description = "Serves.")
  static final class Daemon {}

  private Sample() {}

  private record Documented(CommandSpec model, String page, int section)
      implements DocumentedProgram {}

  static CommandSpec tool() {
    CommandSpec model = CommandSpec.forAnnotatedObject(new Sample());
    new SettingOptions(Program.OVLCTL).addTo(model);
    return model;
  }

  static CommandSpec daemon() {
    CommandSpec model = CommandSpec.forAnnotatedObject(new Daemon());
    new SettingOptions(Program.MOUNTD).addTo(model);
    return model;
  }

  static List<DocumentedProgram> programs() {
    return List.of(new Documented(tool(), "tool", 1), new Documented(daemon(), "my-toold", 8));
  }
}
