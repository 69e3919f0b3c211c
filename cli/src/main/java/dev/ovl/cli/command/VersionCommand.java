package dev.ovl.cli.command;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code ovlctl version}. */
@Command(name = "version", sortOptions = false, description = "Prints the version.")
final class VersionCommand implements Callable<Integer> {
  @ParentCommand private Ovlctl ovlctl;

  @Override
  public Integer call() {
    String version =
        Optional.ofNullable(VersionCommand.class.getPackage().getImplementationVersion())
            .orElse("unpackaged");
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("version", version);
    map.put("java", Runtime.version());
    if (ovlctl.json()) {
      ovlctl.output().json(map);
    } else {
      ovlctl.output().line("ovlctl " + version + " (Java " + Runtime.version() + ")");
    }
    return Ovlctl.DONE;
  }
}
