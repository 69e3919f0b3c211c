package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.Failure;
import dev.ovl.api.HostException;
import dev.ovl.api.MountDraft;
import dev.ovl.api.StackPatch;
import dev.ovl.api.StackReport;
import dev.ovl.cli.host.HostChoice;
import dev.ovl.config.Setting;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.OptionText;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/**
 * What mount(8) runs as {@code mount.ovl SPEC DIR [-sfnv] [-o OPT,…]} for {@code mount -t ovl} and
 * for lines of fstab(5): SPEC is a stack, or anything when the options name layers. Works in this
 * process, since the daemon is not there early in a boot. Exit statuses are those of mount(8).
 */
@Command(
    name = "mount.ovl",
    hidden = true,
    sortOptions = false,
    exitCodeOnInvalidInput = MountHelperCommand.WRONG_CALL,
    description = "What mount(8) runs for the type ovl.")
final class MountHelperCommand implements Callable<Integer>, OwnProcess {
  /** Wrong invocation or permissions. */
  static final int WRONG_CALL = 1;

  private static final int DEFECT = 4;
  private static final int NOT_MOUNTED = 32;

  private static final String ROOT = "root=";
  private static final String RUN = "run=";
  private static final String ACCEPT_VOLATILE = "accept_volatile";

  @ParentCommand private Ovlctl ovlctl;

  @Parameters(index = "0", paramLabel = "SPEC", description = "A stack's name.")
  private String spec;

  @Parameters(index = "1", paramLabel = "DIR", description = "Where to mount it.")
  private String directory;

  @Option(names = "-o", paramLabel = "OPT,…", description = "Mount options.")
  private List<String> options = new ArrayList<>();

  @Option(names = "-f", description = "Only check.")
  private boolean fake;

  @Option(names = "-s", description = "Let unknown options pass.")
  private boolean sloppy;

  @Option(names = "-v", description = "Say what is done.")
  private boolean verbose;

  @Option(names = "-n", description = "No mtab; there is none anyway.")
  @SuppressWarnings("UnusedVariable")
  private boolean noMtab;

  @Option(names = "-t", paramLabel = "TYPE", description = "The type, ovl.")
  @SuppressWarnings("UnusedVariable")
  private String type;

  @Option(names = "-N", paramLabel = "NAMESPACE", description = "Not supported.")
  private String namespace;

  @Override
  public Integer call() {
    try {
      mount();
      return Ovlctl.DONE;
    } catch (EngineException | HostException e) {
      ovlctl.output().error("mount " + OsPath.quoted(spec) + ": " + Ovlctl.message(e));
      return status(e);
    }
  }

  private static int status(Exception e) {
    if (Ovlctl.status(e) == Ovlctl.USAGE) {
      return WRONG_CALL;
    }
    if (e instanceof HostException failed) {
      if (failed.failure().errno().filter("EPERM"::equals).isPresent()) {
        return WRONG_CALL;
      }
      if (failed.failure().kind() == Failure.Kind.INTERNAL) {
        return DEFECT;
      }
    }
    return NOT_MOUNTED;
  }

  private void mount() throws EngineException, HostException {
    if (namespace != null) {
      throw EngineException.usage("-N is not supported: enter the namespace and mount there");
    }
    OptionText.Parsed parsed = OptionText.read(options);
    List<String> words = new ArrayList<>();
    for (String word : parsed.words()) {
      if (word.startsWith(ROOT)) {
        ovlctl.use(Setting.ROOT, word.substring(ROOT.length()));
      } else if (word.startsWith(RUN)) {
        ovlctl.use(Setting.RUN, word.substring(RUN.length()));
      } else if (!MountCommand.isForFstab(word) && !word.equals("rw")) {
        words.add(word);
      }
    }
    String target = ovlctl.absolute(directory).toString();
    try (CommandHost host = ovlctl.host(HostChoice.NONE)) {
      if (parsed.lowers().isEmpty()) {
        mountStack(host, target, words);
      } else {
        MountDraft draft = MountCommand.draft(ovlctl, parsed, words, target, Optional.empty());
        host.mount(draft, fake);
      }
    }
    if (verbose) {
      ovlctl.output().note("mount " + spec + ": mounted on " + OsPath.quoted(target));
    }
  }

  private void mountStack(CommandHost host, String target, List<String> words)
      throws EngineException, HostException {
    StackReport stack = host.inspect(spec);
    boolean acceptVolatile = words.remove(ACCEPT_VOLATILE);
    words.removeAll(stack.options());
    if (!words.isEmpty() && !sloppy) {
      throw EngineException.usage(
          "a stack has its own options, "
              + OsPath.quoted(words.get(0))
              + " is none of them: see 'ovlctl set'");
    }
    if (!stack.target().equals(target)) {
      if (stack.up()) {
        throw EngineException.failed("is up on " + OsPath.quoted(stack.target()));
      }
      host.set(spec, at(target), fake);
    }
    host.up(spec, acceptVolatile, fake);
  }

  private static StackPatch at(String target) {
    return new StackPatch(
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.of(target),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }
}
