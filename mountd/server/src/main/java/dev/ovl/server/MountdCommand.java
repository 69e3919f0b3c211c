package dev.ovl.server;

import dev.ovl.config.Program;
import dev.ovl.config.SettingOptions;
import dev.ovl.config.Sources;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.ToIntFunction;
import java.util.function.UnaryOperator;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** The command line {@code mountd}. One object a run. */
@Command(
    name = "mountd",
    description = "The daemon of ovl: serves its API on a unix socket in the run directory.",
    sortOptions = false,
    exitCodeListHeading = "Exit status:%n",
    exitCodeList = {
      "0:It was told to end, and did.",
      "1:It could not start, or not go on.",
      "2:The command line or the environment makes no sense."
    })
public final class MountdCommand implements Callable<Integer> {
  /** The command line or the environment makes no sense. */
  static final int USAGE = 2;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  @SuppressWarnings("UnusedVariable") // picocli acts on it
  private boolean help;

  @Option(names = "--version", versionHelp = true, description = "Print the version.")
  @SuppressWarnings("UnusedVariable") // picocli acts on it
  private boolean version;

  private final SettingOptions settings = new SettingOptions(Program.MOUNTD);
  private final Map<String, String> environment;
  private final boolean ordinary;
  private final UnaryOperator<String> absolute;
  private final ToIntFunction<Sources> daemon;

  /**
   * @param environment variables
   * @param ordinary whether the caller is no root
   * @param absolute makes a relative path absolute
   * @param daemon what is run; returns the exit status
   */
  public MountdCommand(
      Map<String, String> environment,
      boolean ordinary,
      UnaryOperator<String> absolute,
      ToIntFunction<Sources> daemon) {
    this.environment = environment;
    this.ordinary = ordinary;
    this.absolute = absolute;
    this.daemon = daemon;
  }

  /** The model of the command line, from which it is read and documented. */
  public CommandSpec model() {
    CommandSpec model = CommandSpec.forAnnotatedObject(this);
    model.version("mountd " + Main.version());
    settings.addTo(model);
    return model;
  }

  /**
   * Runs one command line.
   *
   * @return the exit status
   */
  int run(List<String> arguments, PrintWriter out, PrintWriter err) {
    CommandLine line = new CommandLine(model());
    line.setExpandAtFiles(false);
    line.setOut(out);
    line.setParameterExceptionHandler(
        (e, words) -> {
          String message = e.getMessage().lines().findFirst().orElse("");
          err.println("mountd: " + message + " (try 'mountd --help')");
          return USAGE;
        });
    return line.execute(arguments.toArray(String[]::new));
  }

  @Override
  public Integer call() {
    return daemon.applyAsInt(
        new Sources(Program.MOUNTD, settings.given(), environment, ordinary, absolute));
  }
}
