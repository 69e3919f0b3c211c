package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.Failure;
import dev.ovl.api.HostException;
import dev.ovl.cli.host.HostChoice;
import dev.ovl.cli.output.Output;
import dev.ovl.cli.session.Session;
import dev.ovl.config.Configuration;
import dev.ovl.config.ConfigurationException;
import dev.ovl.config.Program;
import dev.ovl.config.Setting;
import dev.ovl.config.SettingOptions;
import dev.ovl.config.Sources;
import dev.ovl.engine.EngineException;
import dev.ovl.jni.CommandRunner;
import dev.ovl.jni.ForkedCommand;
import dev.ovl.service.EngineHost;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.TracingSyscalls;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The command line {@code ovlctl}: its verbs and what they have in common. One object a run. */
@Command(
    name = "ovlctl",
    description = "Manages union mounts: stacks of layers, written down, mounted and unmounted.",
    mixinStandardHelpOptions = false,
    sortOptions = false,
    exitCodeListHeading = "Exit status:%n",
    exitCodeList = {
      "0:Everything asked for was done.",
      "1:Something asked for was not done.",
      "2:The command line or the environment makes no sense."
    })
public final class Ovlctl implements Callable<Integer> {
  /** Everything asked for was done. */
  public static final int DONE = 0;

  /** Something asked for was not done. */
  public static final int FAILED = 1;

  /** The command line makes no sense. */
  public static final int USAGE = 2;

  /** No exit status is negative. */
  private static final int NOT_ADMITTED = -1;

  /** Values of {@code --color}. */
  enum Color {
    AUTO,
    ALWAYS,
    NEVER
  }

  @Option(
      names = "--driver",
      paramLabel = "D",
      scope = ScopeType.INHERIT,
      description = "The storage driver of layers: overlay2, aufs or vfs (default: the root's).")
  private String driver;

  @Option(names = "--json", scope = ScopeType.INHERIT, description = "Print data as JSON.")
  private boolean json;

  @Option(
      names = {"-q", "--quiet"},
      scope = ScopeType.INHERIT,
      description = "Print no notes.")
  private boolean quiet;

  @Option(
      names = "--trace",
      scope = ScopeType.INHERIT,
      description = "Print each system call, as strace does; works in this process.")
  private boolean trace;

  @Option(
      names = "--dry-run",
      scope = ScopeType.INHERIT,
      description = "Check everything and say what would be done; change nothing.")
  private boolean dryRun;

  @Option(
      names = "--color",
      paramLabel = "auto|always|never",
      scope = ScopeType.INHERIT,
      description = "Colour in help texts (default: auto; NO_COLOR is honoured).")
  @SuppressWarnings("UnusedVariable") // checked by the parser; its word is needed earlier, see ansi
  private Color color;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show this help.")
  @SuppressWarnings("UnusedVariable") // picocli acts on it
  private boolean help;

  private final Session session;
  private final CommandRunner runner;
  private final SettingOptions settings = new SettingOptions(Program.OVLCTL);

  // read when it is first asked for: not every verb needs it
  private Configuration configuration;

  /**
   * @param session the world around the command
   */
  public Ovlctl(Session session) {
    this(session, ForkedCommand::start);
  }

  /**
   * @param session the world around the command
   * @param runner who starts the programs of run and try
   */
  public Ovlctl(Session session, CommandRunner runner) {
    this.session = session;
    this.runner = runner;
  }

  /**
   * Runs one command line.
   *
   * @param arguments without the program's name, in the text form of {@link OsPath}
   * @return the exit status
   */
  public int run(List<String> arguments) {
    return runIf(demand -> true, arguments).orElseThrow();
  }

  /**
   * Runs one command line, if what it needs is there.
   *
   * @param admission asked before anything is done or written
   * @param arguments without the program's name, in the text form of {@link OsPath}
   * @return the exit status; absent: it was not admitted
   */
  public OptionalInt runIf(Predicate<Demand> admission, List<String> arguments) {
    int status = run(admission, arguments, Verb.among(arguments));
    return status == NOT_ADMITTED ? OptionalInt.empty() : OptionalInt.of(status);
  }

  /** Reads the arguments by some of the verbs, and by all if those do not do. */
  int run(Predicate<Demand> admission, List<String> arguments, Set<Verb> verbs) {
    CommandLine line = new CommandLine(model(verbs));
    line.setExpandAtFiles(false);
    // as of env(1) and sudo(8): what follows the command is the command's
    for (Verb verb : List.of(Verb.TRY, Verb.UNSHARE)) {
      CommandLine subcommand = line.getSubcommands().get(verb.word());
      if (subcommand != null) {
        subcommand.setStopAtPositional(true);
      }
    }
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setOut(writer(session.out()));
    line.setErr(writer(session.err()));
    line.setColorScheme(CommandLine.Help.defaultColorScheme(ansi(arguments)));
    line.setExecutionExceptionHandler((e, command, parsed) -> failure(e, command));
    if (verbs.equals(Verb.ALL)) {
      line.setParameterExceptionHandler(
          (e, words) -> admission.test(Demand.NOTHING) ? usageError(e) : NOT_ADMITTED);
      line.setExecutionStrategy(parsed -> execute(admission, parsed));
    } else {
      // of no command yet: commands throw no such exceptions
      line.setParameterExceptionHandler((e, words) -> run(admission, arguments, Verb.ALL));
      line.setExecutionStrategy(
          parsed ->
              parsed.hasSubcommand() && !parsed.isUsageHelpRequested()
                  ? execute(admission, parsed)
                  : run(admission, arguments, Verb.ALL));
    }
    try {
      return line.execute(arguments.toArray(String[]::new));
    } catch (UncheckedIOException e) {
      // the reader of our output is gone: there is nobody to tell
      return FAILED;
    }
  }

  private int execute(Predicate<Demand> admission, CommandLine.ParseResult parsed) {
    return admission.test(demand(parsed))
        ? new CommandLine.RunLast().execute(parsed)
        : NOT_ADMITTED;
  }

  private Demand demand(CommandLine.ParseResult parsed) {
    CommandLine.ParseResult last = parsed;
    while (last.hasSubcommand()) {
      last = last.subcommand();
    }
    Object verb = last.commandSpec().userObject();
    if (last.isUsageHelpRequested()
        || !(verb instanceof HostCommand || verb instanceof ProgramVerb)) {
      return verb instanceof OwnProcess ? Demand.OWN_PROCESS : Demand.NOTHING;
    }
    if (trace) {
      return Demand.OWN_PROCESS;
    }
    try {
      return Demand.of(root(), runDirectory(), setting(Setting.HOST));
    } catch (EngineException e) {
      // which the verb will meet too, and tell
      return Demand.NOTHING;
    }
  }

  /** The model of the command line, from which it is documented. */
  CommandSpec model() {
    return model(Verb.ALL);
  }

  private CommandSpec model(Set<Verb> verbs) {
    CommandSpec model = CommandSpec.forAnnotatedObject(this);
    settings.addTo(model);
    for (Verb verb : verbs) {
      model.addSubcommand(verb.word(), new CommandLine(verb.command()));
    }
    return model;
  }

  private static PrintWriter writer(java.io.OutputStream stream) {
    return new PrintWriter(
        new Writer() {
          @Override
          public void write(char[] text, int offset, int length) throws java.io.IOException {
            stream.write(OsPath.encode(new String(text, offset, length)));
          }

          @Override
          public void flush() throws java.io.IOException {
            stream.flush();
          }

          @Override
          public void close() throws java.io.IOException {
            flush();
          }
        },
        true);
  }

  /** Usage errors are reported before options are parsed, hence by the words themselves. */
  private Ansi ansi(List<String> arguments) {
    String wanted = "auto";
    for (int i = 0; i < arguments.size(); i++) {
      if (arguments.get(i).equals("--color") && i + 1 < arguments.size()) {
        wanted = arguments.get(i + 1);
      } else if (arguments.get(i).startsWith("--color=")) {
        wanted = arguments.get(i).substring("--color=".length());
      }
    }
    return switch (wanted) {
      case "always" -> Ansi.ON;
      case "never" -> Ansi.OFF;
      default ->
          session.terminal().out() && session.environment().getOrDefault("NO_COLOR", "").isEmpty()
              ? Ansi.ON
              : Ansi.OFF;
    };
  }

  private int usageError(CommandLine.ParameterException e) {
    String verb = verb(e.getCommandLine().getCommandSpec());
    output()
        .error(
            (verb.isEmpty() ? "" : verb + ": ")
                + firstLine(e.getMessage())
                + " (try 'ovlctl "
                + (verb.isEmpty() ? "" : verb + " ")
                + "--help')");
    return e.getCommandLine().getCommandSpec().exitCodeOnInvalidInput();
  }

  private int failure(Exception e, CommandLine command) {
    output().error(verb(command.getCommandSpec()) + ": " + message(e));
    return status(e);
  }

  /** A verb as it is typed, {@code "layer rm"}; empty for none. */
  static String verb(CommandSpec command) {
    String all = command.qualifiedName();
    int blank = all.indexOf(' ');
    return blank < 0 ? "" : all.substring(blank + 1);
  }

  /** What a person is told of a failure. */
  public static String message(Exception e) {
    return switch (e) {
      case EngineException known -> known.getMessage();
      case HostException known -> known.getMessage();
      case ErrnoException unexpected -> unexpected.getMessage();
      case UncheckedIOException wrapped -> wrapped.getCause().getMessage();
      default -> "internal error: " + e;
    };
  }

  /** The exit status for a failure. */
  public static int status(Exception e) {
    boolean usage =
        switch (e) {
          case EngineException known -> known.kind() == EngineException.Kind.USAGE;
          case HostException known -> known.failure().kind() == Failure.Kind.USAGE;
          default -> false;
        };
    return usage ? USAGE : FAILED;
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }

  /** Called without a verb. */
  @Override
  public Integer call() {
    output().error("a verb is missing (try 'ovlctl --help')");
    return USAGE;
  }

  // ---- for the verbs ------------------------------------------------------------------------

  /** The world around the command. */
  public Session session() {
    return session;
  }

  /** Where to write. */
  public Output output() {
    return new Output(session, quiet);
  }

  /** The root directory, absolute. */
  public OsPath root() throws EngineException {
    return OsPath.of(setting(Setting.ROOT)).normalized();
  }

  /** The run directory, absolute. */
  public OsPath runDirectory() throws EngineException {
    return OsPath.of(setting(Setting.RUN)).normalized();
  }

  private String setting(Setting setting) throws EngineException {
    if (configuration == null) {
      Sources sources =
          new Sources(
              Program.OVLCTL,
              settings.given(),
              session.environment(),
              session.place().privilege().ordinary(),
              path -> resolved(path).toString());
      try {
        configuration = sources.read();
      } catch (ConfigurationException e) {
        throw e.isUsage()
            ? EngineException.usage(e.getMessage())
            : EngineException.failed(e.getMessage());
      }
    }
    return configuration.text(setting);
  }

  /**
   * A path from the command line, made absolute and normalised but with its links.
   *
   * @throws EngineException USAGE: it is empty
   */
  public OsPath absolute(String path) throws EngineException {
    if (path.isEmpty()) {
      throw EngineException.usage("a path cannot be empty");
    }
    return resolved(path);
  }

  private OsPath resolved(String path) {
    OsPath given = OsPath.of(path);
    return (given.isAbsolute() ? given : session.place().directory().resolve(given)).normalized();
  }

  /**
   * Opens the host that the command runs against.
   *
   * @throws EngineException USAGE: a setting makes no sense, or not with other options; FAILED: the
   *     configuration file does not
   * @throws HostException a daemon was asked for that is not there or not the right one
   */
  CommandHost host() throws EngineException, HostException {
    return host(setting(Setting.HOST));
  }

  /** Opens a host that the command insists on. */
  CommandHost host(String named) throws EngineException, HostException {
    String wanted = named;
    if (trace) {
      if (!wanted.equals(HostChoice.AUTO) && !wanted.equals(HostChoice.NONE)) {
        throw EngineException.usage(
            "--trace shows the calls of this process, so that it needs --host none");
      }
      wanted = HostChoice.NONE;
    }
    return choice().open(wanted);
  }

  /** Opens the engine in this process, for verbs that no daemon carries out. */
  EngineHost engine() throws EngineException {
    return engine(root(), runDirectory());
  }

  private EngineHost engine(OsPath root, OsPath run) {
    return new EngineHost(
        syscalls(), session.place().privilege(), root, run, output()::note, runner);
  }

  private HostChoice choice() throws EngineException {
    OsPath root = root();
    OsPath run = runDirectory();
    return new HostChoice(root, run, session.place(), () -> engine(root, run), output()::note);
  }

  /** Takes a value for a setting as if its option had been given. */
  void use(Setting setting, String value) {
    settings.give(setting, value);
  }

  /** The system calls, traced where that is wanted. */
  Syscalls syscalls() {
    Syscalls sys = new LinuxSyscalls();
    Output output = output();
    return trace ? new TracingSyscalls(sys, output::trace) : sys;
  }

  /** Refuses whoever may not mount, before anything is touched. */
  void requireRoot(Syscalls sys) throws EngineException {
    EngineHost.requireRoot(sys, session.place().privilege());
  }

  /** The driver asked for; null for any. */
  public String driver() {
    return driver;
  }

  /** Whether data is wanted as JSON. */
  public boolean json() {
    return json;
  }

  /** Whether nothing is to be changed. */
  public boolean dryRun() {
    return dryRun;
  }
}
