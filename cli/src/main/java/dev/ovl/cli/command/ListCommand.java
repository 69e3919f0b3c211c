package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.StackEntry;
import dev.ovl.api.StackSummary;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code ovlctl ls}. */
@Command(name = "ls", sortOptions = false, description = "Lists the stacks.")
final class ListCommand extends HostCommand {
  @Override
  int run(CommandHost host) throws HostException {
    List<StackEntry> entries = host.list();
    List<List<String>> rows = new ArrayList<>();
    int status = Ovlctl.DONE;
    for (StackEntry entry : entries) {
      switch (entry) {
        case StackEntry.Known known -> rows.add(row(known.summary()));
        case StackEntry.Unknown unknown -> {
          output().error("ls: " + unknown.name() + ": " + unknown.error());
          status = Ovlctl.FAILED;
        }
      }
    }
    if (ovlctl().json()) {
      output().json(entries.stream().map(StackEntry::json).toList());
    } else {
      output().table(List.of("NAME", "STATE", "DRIVER", "LOWERS", "TARGET"), rows);
    }
    return status;
  }

  private static List<String> row(StackSummary stack) {
    return List.of(
        stack.name(),
        stack.state(),
        stack.driver(),
        String.valueOf(stack.lowers()),
        OsPath.quoted(stack.target())
            + stack.remark().map(remark -> " (" + remark + ")").orElse(""));
  }
}
