package dev.ovl.server;

import dev.ovl.reference.DocumentedProgram;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;

/** What mountd tells of itself; found as a service. */
public final class MountdReference implements DocumentedProgram {
  @Override
  public CommandSpec model() {
    return new MountdCommand(Map.of(), false, path -> path, sources -> 0).model();
  }

  /** mountd(8) is NFS's. */
  @Override
  public String page() {
    return "ovl-mountd";
  }

  @Override
  public int section() {
    return 8;
  }
}
