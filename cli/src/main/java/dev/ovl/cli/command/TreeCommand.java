package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.StackEntry;
import dev.ovl.api.StackLevel;
import dev.ovl.cli.output.ByteSize;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl tree}. */
@Command(
    name = "tree",
    sortOptions = false,
    description = {
      "Draws what stacks are made of, topmost first, with what each directory takes, found by walking",
      "it now."
    })
final class TreeCommand extends HostCommand {
  @Parameters(paramLabel = "NAME", arity = "0..*", description = "The stacks (default: all).")
  private List<String> names = new ArrayList<>();

  @Override
  int run(CommandHost host) throws HostException {
    List<String> wanted =
        names.isEmpty() ? host.list().stream().map(StackEntry::name).toList() : names;
    List<Map<String, Object>> all = new ArrayList<>();
    int status =
        each(
            label(),
            wanted,
            name -> {
              List<StackLevel> levels = levels(host, name);
              if (ovlctl().json()) {
                Map<String, Object> stack = new LinkedHashMap<>();
                stack.put("name", name);
                stack.put("levels", levels.stream().map(StackLevel::json).toList());
                all.add(stack);
              } else {
                draw(name, levels);
              }
            });
    if (ovlctl().json()) {
      output().json(all);
    }
    return status;
  }

  private List<StackLevel> levels(CommandHost host, String name) throws HostException {
    try (Following watch = new Following(ovlctl(), label(), Optional.empty())) {
      return host.levels(name, watch);
    }
  }

  private void draw(String name, List<StackLevel> levels) {
    output().line(name);
    for (StackLevel level : levels) {
      boolean last = level.equals(levels.getLast());
      output().line((last ? "\u2514\u2500 " : "\u251c\u2500 ") + text(level));
    }
  }

  private static String text(StackLevel level) {
    String what =
        level
            .layer()
            .map(id -> "layer " + id)
            .orElse((level.writable() ? "upper " : "lower ") + OsPath.quoted(level.path()));
    return what + ": " + ByteSize.text(level.bytes()) + ", " + files(level.files());
  }

  private static String files(long count) {
    return count + (count == 1 ? " file" : " files");
  }
}
