package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.Subject;
import dev.ovl.engine.EngineException;
import java.util.Optional;

/** A verb on the content of one stack or layer, which may take long. */
abstract class ContentCommand extends HostCommand {
  /** Its name or id, as it was given. */
  abstract String name();

  /** What it is about. */
  abstract Subject subject() throws EngineException;

  /** The layer that a layer is compared with, if it is not its parent. */
  Optional<String> against() throws EngineException {
    return Optional.empty();
  }

  /** Does the work. */
  abstract void work(CommandHost host, Subject subject) throws EngineException, HostException;

  @Override
  final int run(CommandHost host) {
    return attempt(name(), () -> work(host, subject()));
  }
}
