package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl inspect}. */
@Command(name = "inspect", sortOptions = false, description = "Shows all that is known of stacks.")
final class InspectCommand extends HostCommand {
  @Parameters(paramLabel = "NAME", arity = "1..*", description = "The stacks.")
  private List<String> names = new ArrayList<>();

  @Override
  int run(CommandHost host) {
    List<Map<String, Object>> reports = new ArrayList<>();
    int status = each("inspect", names, stack -> reports.add(host.inspect(stack).json()));
    if (ovlctl().json()) {
      output().json(reports);
    } else {
      for (Map<String, Object> report : reports) {
        report.forEach(this::print);
      }
    }
    return status;
  }

  private void print(String field, Object value) {
    switch (value) {
      case null -> {}
      case Optional<?> optional -> optional.ifPresent(content -> print(field, content));
      case List<?> list -> list.forEach(element -> print(field, element));
      default -> output().line(field + ": " + OsPath.quoted(value.toString()));
    }
  }
}
