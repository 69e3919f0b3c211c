package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.probe.Feature;
import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;

/** {@code ovlctl info}. */
@Command(
    name = "info",
    sortOptions = false,
    description = "Tells what this kernel and the root's file system can do, by trying it.")
final class InfoCommand extends HostCommand {
  @Override
  int run(CommandHost host) throws EngineException, HostException {
    Map<String, Object> report = host.probe();
    if (ovlctl().json()) {
      output().json(report);
      return Ovlctl.DONE;
    }
    try {
      print(JsonFields.of(report));
    } catch (JsonException e) {
      throw EngineException.failed("the report is not of this version: " + e.getMessage());
    }
    return Ovlctl.DONE;
  }

  private void print(JsonFields report) throws JsonException {
    output().line("kernel: " + report.string("kernel"));
    JsonFields root = report.object("root").orElseThrow();
    output()
        .line(
            "root: "
                + OsPath.quoted(root.string("path"))
                + " on "
                + root.string("type")
                + ", "
                + root.number("bytesAvailable")
                + " bytes free"
                + root.optionalNumber("inodesFree")
                    .map(inodes -> ", " + inodes + " inodes free")
                    .orElse(""));
    JsonFields driver = report.object("driver").orElseThrow();
    output()
        .line(
            "driver: "
                + driver.optionalString("name").orElse("none")
                + ", "
                + driver.string("why"));
    List<List<String>> candidates = new ArrayList<>();
    for (JsonFields candidate : driver.objects("candidates")) {
      candidates.add(
          List.of(
              candidate.string("name"),
              candidate.truth("chosen") ? "chosen" : "-",
              candidate.string("why")));
    }
    output().line("");
    output().table(List.of("DRIVER", "", "WHY"), candidates);
    List<JsonFields> features = report.objects("features");
    for (Feature.Group group : Feature.Group.values()) {
      List<List<String>> rows = new ArrayList<>();
      for (JsonFields feature : features) {
        if (feature.string("group").equals(group.word())) {
          rows.add(
              List.of(feature.string("title"), feature.string("result"), feature.string("detail")));
        }
      }
      output().line("");
      output().table(List.of(group.title().toUpperCase(Locale.ROOT), "", ""), rows);
    }
  }
}
