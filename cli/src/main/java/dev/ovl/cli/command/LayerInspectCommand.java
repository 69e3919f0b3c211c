package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl layer inspect}. */
@Command(
    name = "inspect",
    sortOptions = false,
    description = {"Shows all that is known of layers."})
final class LayerInspectCommand extends HostCommand {
  @Parameters(paramLabel = "LAYER", arity = "1..*", description = "The layers' ids.")
  private List<String> ids = new ArrayList<>();

  @Override
  int run(CommandHost host) {
    List<Map<String, Object>> reports = new ArrayList<>();
    int status = attempt(ids, id -> reports.add(host.layer(layer(id)).json()));
    print(reports);
    return status;
  }
}
