package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.LayerEntry;
import dev.ovl.api.LayerSummary;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code ovlctl layer ls}. */
@Command(
    name = "ls",
    sortOptions = false,
    description = {"Lists the layers of a driver."})
final class LayerListCommand extends HostCommand {
  @Override
  int run(CommandHost host) throws HostException {
    List<LayerEntry> entries = host.layers(driver());
    List<List<String>> rows = new ArrayList<>();
    int status = Ovlctl.DONE;
    for (LayerEntry entry : entries) {
      switch (entry) {
        case LayerEntry.Known known -> rows.add(row(known.summary()));
        case LayerEntry.Unknown unknown -> {
          output().error(label() + ": " + unknown.id() + ": " + unknown.error());
          status = Ovlctl.FAILED;
        }
      }
    }
    if (ovlctl().json()) {
      output().json(entries.stream().map(LayerEntry::json).toList());
    } else {
      output().table(List.of("LAYER", "DRIVER", "PARENT", "STATE"), rows);
    }
    return status;
  }

  private static List<String> row(LayerSummary layer) {
    return List.of(
        layer.id(),
        layer.driver(),
        layer.parent().orElse("-"),
        (layer.committed() ? "committed" : "writable") + (layer.mounted() ? ", mounted" : ""));
  }
}
