package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.HttpHost;
import dev.ovl.engine.EngineException;
import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import dev.ovl.sys.OsPath;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;

/** {@code ovlctl events}. */
@Command(
    name = "events",
    sortOptions = false,
    description = "Tells what the daemon does, as it happens, until it is interrupted.")
final class EventsCommand extends HostCommand {
  @Override
  int run(CommandHost host) throws EngineException, HostException {
    if (!(host instanceof HttpHost daemon)) {
      throw EngineException.failed("there is no daemon that could tell what it does");
    }
    ovlctl().session().cancellation().onRequest(Thread.currentThread()::interrupt);
    try {
      daemon.events(this::print);
    } catch (HostException e) {
      if (!ovlctl().session().cancellation().isRequested()) {
        throw e;
      }
    }
    return Ovlctl.DONE;
  }

  private boolean print(Map<String, Object> event) {
    if (ovlctl().json()) {
      output().jsonLine(event);
    } else {
      output().line(text(JsonFields.of(event)));
    }
    return true;
  }

  private static String text(JsonFields event) {
    try {
      Optional<Long> lost = event.optionalNumber("lost");
      if (lost.isPresent()) {
        return lost.get() + " events were lost: they came faster than they were read";
      }
      Optional<JsonFields> error = event.object("error");
      return event.string("time")
          + " "
          + event.string("action")
          + " "
          + OsPath.quoted(event.string("object"))
          + event.optionalString("target").map(target -> " on " + OsPath.quoted(target)).orElse("")
          + " by uid "
          + event.number("uid")
          + " pid "
          + event.number("pid")
          + (error.isPresent() ? ": " + error.get().string("message") : "");
    } catch (JsonException e) {
      return "an event that this version does not know: " + e.getMessage();
    }
  }
}
