package dev.ovl.cli.command;

import dev.ovl.api.HostException;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.run.RunRequest;
import dev.ovl.engine.run.Volume;
import dev.ovl.engine.stack.StackName;
import dev.ovl.service.EngineHost;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl run}. */
@Command(
    name = "run",
    sortOptions = false,
    exitCodeOnInvalidInput = ProgramVerb.NOT_STARTED,
    description = {
      "Runs a command with a stack as its root directory, in mount and process namespaces of its",
      "own, with /proc, /dev and /sys as in a container, and waits for its end; all that it left",
      "running ends with it, and so does it with ovlctl. It is no sandbox: root in it is root. A",
      "stack that is up is shared; one that is down is mounted for the command alone."
    },
    exitCodeList = {
      "125:The command was not started.",
      "126:It cannot be executed.",
      "127:There is no such command.",
      "128 + N:It was ended by signal N.",
      "else:Its own."
    })
final class RunCommand extends ProgramVerb {
  @Option(
      names = "--rm",
      description =
          "Run it above the stack's lowers, with an upper that is deleted afterwards; what the"
              + " stack's own upper has is not seen.")
  private boolean throwAway;

  @Option(
      names = {"-v", "--volume"},
      paramLabel = "SRC:DST[:ro]",
      description = "Mount a directory or file of the host in it; repeats.")
  private List<String> volumes = new ArrayList<>();

  @Option(
      names = {"-u", "--user"},
      paramLabel = "USER[:GROUP]",
      description = "Who it runs as, by names of the stack or numbers (default: root).")
  private String user;

  @Option(
      names = {"-w", "--workdir"},
      paramLabel = "DIR",
      description = "Where it begins (default: /).")
  private String directory = "/";

  @Option(
      names = {"-e", "--env"},
      paramLabel = "NAME[=VALUE]",
      description =
          "Set a variable, or pass on one of ours; repeats. PATH and HOME are set, and TERM on a"
              + " terminal.")
  private List<String> variables = new ArrayList<>();

  @Option(
      names = "--net",
      paramLabel = "host|none",
      description = "The network that it sees (default: host).")
  private Network network = Network.HOST;

  @Option(
      names = "--fix-exdev",
      description = "Make renames work that overlayfs refuses, by libovl-exdev.so.")
  private boolean recoversRenames;

  @Option(
      names = "--accept-volatile",
      description = "Mount it although a volatile mount of it was not ended cleanly.")
  private boolean acceptVolatile;

  @Parameters(index = "0", paramLabel = "NAME", description = "The stack.")
  private String name;

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "CMD",
      description = "The command and its arguments, after '--' where there are options.")
  private List<String> command;

  @Override
  String label() {
    return "run " + OsPath.quoted(name);
  }

  @Override
  List<String> command() {
    return command;
  }

  @Override
  int run(EngineHost engine) throws EngineException, HostException {
    String stack = StackName.of(name).text();
    RunRequest request = request();
    if (ovlctl().dryRun()) {
      engine.inspect(stack);
      note("would run " + shown());
      return Ovlctl.DONE;
    }
    EngineHost.Ended ended = engine.run(stack, request, throwAway, acceptVolatile, this::note);
    ended.problem().ifPresent(problem -> output().error(label() + ": " + problem));
    return ended.status();
  }

  private RunRequest request() throws EngineException {
    List<Volume> parsed = new ArrayList<>();
    for (String volume : volumes) {
      parsed.add(Volume.parse(volume, ovlctl()::absolute));
    }
    return new RunRequest(
        words(),
        environment(),
        beginning(),
        Optional.ofNullable(user),
        parsed,
        network == Network.NONE,
        onTerminal(),
        recoversRenames);
  }

  private OsPath beginning() throws EngineException {
    OsPath path = OsPath.of(directory);
    if (!path.isAbsolute()) {
      throw EngineException.usage("--workdir is an absolute path, not " + path.quoted());
    }
    return path;
  }

  private List<OsPath> environment() throws EngineException {
    Map<String, String> ours = ovlctl().session().environment();
    List<OsPath> environment = new ArrayList<>();
    List<String> wanted = new ArrayList<>(onTerminal() ? List.of("TERM") : List.of());
    wanted.addAll(variables);
    for (String variable : wanted) {
      if (variable.isEmpty() || variable.startsWith("=")) {
        throw EngineException.usage(
            "a variable is NAME or NAME=VALUE, not " + OsPath.quoted(variable));
      }
      if (variable.contains("=")) {
        environment.add(OsPath.of(variable));
      } else if (ours.containsKey(variable)) {
        environment.add(OsPath.of(variable + "=" + ours.get(variable)));
      }
    }
    return environment;
  }
}
