package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.DriverStatus;
import dev.ovl.api.HostException;
import dev.ovl.sys.OsPath;
import picocli.CommandLine.Command;

/** {@code ovlctl layer status}. */
@Command(
    name = "status",
    sortOptions = false,
    description = {"Shows what a driver tells of itself."})
final class LayerStatusCommand extends HostCommand {
  @Override
  int run(CommandHost host) throws HostException {
    DriverStatus status = host.driverStatus(driver());
    if (ovlctl().json()) {
      output().json(status.json());
    } else {
      output().line("driver: " + status.driver());
      status.status().forEach((name, value) -> output().line(name + ": " + OsPath.quoted(value)));
    }
    return Ovlctl.DONE;
  }
}
