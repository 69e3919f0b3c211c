package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.Subject;
import dev.ovl.engine.EngineException;
import java.util.Map;
import java.util.Optional;

/** What {@code size} and {@code layer size} have in common. */
abstract class SizeVerb extends ContentCommand {
  @Override
  void work(CommandHost host, Subject subject) throws EngineException, HostException {
    long bytes;
    try (Following watch = new Following(ovlctl(), label(), Optional.empty())) {
      bytes = host.size(subject, against(), watch);
    }
    if (ovlctl().json()) {
      output().json(Map.of("bytes", bytes));
    } else {
      output().line(String.valueOf(bytes));
    }
  }
}
