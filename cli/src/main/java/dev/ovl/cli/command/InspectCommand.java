package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl inspect}. */
@Command(name = "inspect", sortOptions = false, description = "Shows all that is known of stacks.")
final class InspectCommand extends HostCommand {
  @Parameters(paramLabel = "NAME", arity = "1..*", description = "The stacks.")
  private List<String> names = new ArrayList<>();

  @Override
  int run(CommandHost host) {
    List<Map<String, Object>> reports = new ArrayList<>();
    int status = each("inspect", names, stack -> reports.add(host.inspect(stack).json()));
    print(reports);
    return status;
  }
}
