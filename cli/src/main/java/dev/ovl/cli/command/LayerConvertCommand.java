package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.engine.EngineException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ovlctl layer convert}. */
@Command(
    name = "convert",
    sortOptions = false,
    description = {
      "Makes the layers of one driver layers of another, with their ids, parents and content, and"
          + " prints the ids.",
      "No stack may need them, and none may be mounted. Those there were go when all are made. When"
          + " it fails or is stopped before, what it has made is removed again; what is killed goes on"
          + " when it is begun again."
    })
final class LayerConvertCommand extends HostCommand {
  @Option(
      names = "--from",
      paramLabel = "DRIVER",
      description = "Whose layers (default: the other driver whose layers the root has).")
  private String from;

  @Option(names = "--to", paramLabel = "DRIVER", required = true, description = "The new driver.")
  private String to;

  @Option(names = "--keep", description = "Keep the layers there were, too.")
  private boolean keep;

  @Override
  int run(CommandHost host) {
    return each(label(), List.of(to), driver -> convert(host));
  }

  private void convert(CommandHost host) throws EngineException, HostException {
    Optional<String> source = Optional.ofNullable(from);
    if (ovlctl().dryRun()) {
      note(host.checkConvertLayers(source, to));
      return;
    }
    try (Following watch = new Following(ovlctl(), label(), Optional.empty())) {
      List<String> made = host.convertLayers(source, to, keep, watch);
      watch.close();
      if (ovlctl().json()) {
        output().json(Map.of("layers", made));
      } else {
        made.forEach(id -> output().line(id));
      }
    }
  }
}
