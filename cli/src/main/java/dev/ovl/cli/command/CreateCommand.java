package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.Done;
import dev.ovl.api.HostException;
import dev.ovl.api.StackDraft;
import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl create}. */
@Command(
    name = "create",
    sortOptions = false,
    description = "Writes down a stack: directories that 'up' mounts as one tree.")
final class CreateCommand extends HostCommand {
  @Parameters(
      paramLabel = "NAME",
      completionCandidates = Candidates.Nothing.class,
      description = "The new stack's name.")
  private String name;

  @Mixin private StackOptions layers;

  @Option(
      names = "--branch",
      paramLabel = "DIR=PERM",
      description = {
        "With --driver aufs: a branch above the lowers; repeat it, topmost first. PERM is rw, ro or rr",
        "and aufs' attributes (default: ro+wh). Where one is rw the topmost must be, and is the upper."
      })
  private List<String> branches = new ArrayList<>();

  @Option(names = "--read-only", description = "No upper: the tree cannot be written to.")
  private boolean readOnly;

  @Option(
      names = "--compat",
      description = {
        "Mount it as Docker would. Otherwise a stack whose upper is ovl's own has redirect_dir and",
        "metacopy on, so that renaming a directory or changing an owner copies no data."
      })
  private boolean compat;

  @Option(names = "--up", description = "Mount it at once.")
  private boolean up;

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    return each("create", List.of(name), stack -> create(host, stack));
  }

  private void create(CommandHost host, String stack) throws EngineException, HostException {
    List<String> absolute = new ArrayList<>();
    for (String branch : branches) {
      absolute.add(StackOptions.absoluteBranch(branch, ovlctl()));
    }
    StackDraft draft = layers.draft(stack, absolute, readOnly, compat, ovlctl());
    Done done = host.create(draft, up, ovlctl().dryRun());
    note(done);
    if (!ovlctl().json() && done.target().isPresent()) {
      output().path(OsPath.of(done.target().get()));
    }
    report(host, stack);
  }
}
