package dev.ovl.cli.command;

import dev.ovl.cli.session.Cancellation;
import dev.ovl.cli.session.Place;
import dev.ovl.cli.session.Session;
import dev.ovl.reference.DocumentedProgram;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Privilege;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;

/** What ovlctl tells of itself; found as a service. */
public final class OvlctlReference implements DocumentedProgram {
  /** A command is wanted for its options; it is never run. */
  private static final class Nowhere implements Place {
    @Override
    public OsPath directory() {
      return OsPath.ROOT;
    }

    @Override
    public String mountNamespace() {
      return "";
    }

    @Override
    public String pidNamespace() {
      return "";
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

  @Override
  public CommandSpec model() {
    Session session =
        new Session(
            InputStream.nullInputStream(),
            OutputStream.nullOutputStream(),
            OutputStream.nullOutputStream(),
            new Nowhere(),
            Map.of(),
            new Session.Terminal(false, false, false),
            new Cancellation());
    return new Ovlctl(session).model();
  }

  @Override
  public int section() {
    return 1;
  }
}
