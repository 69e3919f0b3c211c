package dev.ovl.cli.session;

import dev.ovl.sys.OsPath;
import dev.ovl.sys.Privilege;
import java.util.Optional;

/** A place where only the directory is known. */
public record FixedPlace(OsPath directory) implements Place {
  @Override
  public String mountNamespace() {
    return "mnt:[0]";
  }

  @Override
  public String pidNamespace() {
    return "pid:[0]";
  }

  @Override
  public Privilege privilege() {
    return Privilege.ROOT;
  }

  @Override
  public Optional<String> fileId(OsPath path) {
    return Optional.empty();
  }
}
