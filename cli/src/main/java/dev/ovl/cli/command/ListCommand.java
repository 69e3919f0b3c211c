package dev.ovl.cli.command;

import dev.ovl.cli.output.StackJson;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackSummary;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.ErrnoException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;

/** {@code ovlctl ls}. */
@Command(name = "ls", sortOptions = false, description = "Lists the stacks.")
final class ListCommand extends EngineCommand {
  @Override
  boolean changes() {
    return false;
  }

  @Override
  int run(Stacks stacks) throws EngineException, ErrnoException {
    List<Map<String, Object>> objects = new ArrayList<>();
    List<List<String>> rows = new ArrayList<>();
    int status = Ovlctl.DONE;
    for (StackName name : stacks.names()) {
      try {
        StackSummary summary = stacks.summary(name);
        objects.add(StackJson.summary(summary));
        rows.add(
            List.of(
                name.text(),
                StackJson.word(summary.state()),
                summary.definition().driver(),
                String.valueOf(summary.definition().lowers().size()),
                summary.target().quoted()
                    + summary.state().remark().map(remark -> " (" + remark + ")").orElse("")));
      } catch (EngineException | ErrnoException e) {
        objects.add(StackJson.unreadable(name, Ovlctl.message(e)));
        output().error("ls: " + name + ": " + Ovlctl.message(e));
        status = Ovlctl.FAILED;
      }
    }
    if (ovlctl().json()) {
      output().json(objects);
    } else {
      output().table(List.of("NAME", "STATE", "DRIVER", "LOWERS", "TARGET"), rows);
    }
    return status;
  }
}
