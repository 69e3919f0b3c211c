package dev.ovl.server.commandline;

import dev.ovl.cli.session.Place;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Privilege;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Where a client is: in its own directory, and else where this process is.
 *
 * @param client its process id
 * @param process this process's place
 */
record ClientPlace(OsPath directory, OptionalInt client, Place process) implements Place {
  @Override
  public String mountNamespace() {
    return process.mountNamespace();
  }

  @Override
  public String pidNamespace() {
    return process.pidNamespace();
  }

  /** As this process's, but that what is mounted does not end with the client. */
  @Override
  public Privilege privilege() {
    Privilege ours = process.privilege();
    return new Privilege(ours.ordinary(), false, ours.missing());
  }

  @Override
  public Optional<String> fileId(OsPath path) {
    return process.fileId(path);
  }
}
