package dev.ovl.cli.output;

import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.Propagation;
import dev.ovl.engine.stack.StackDefinition;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackReport;
import dev.ovl.engine.stack.StackState;
import dev.ovl.engine.stack.StackSummary;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Stacks as JSON objects: a contract with whoever reads them, to which fields may only be added.
 */
public final class StackJson {
  private StackJson() {}

  /** {@code up} or {@code down}. */
  public static String word(StackState state) {
    return state.mounted().isPresent() ? "up" : "down";
  }

  /** An element of {@code ls --json}, and what {@code status --json} prints. */
  public static Map<String, Object> summary(StackSummary summary) {
    StackDefinition stack = summary.definition();
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("name", stack.name());
    map.put("driver", stack.driver());
    map.put("state", word(summary.state()));
    map.put("remark", summary.state().remark());
    map.put("target", summary.target());
    map.put("lowers", stack.lowers().size());
    return map;
  }

  /** What stands in {@code ls --json} for a definition that cannot be read. */
  public static Map<String, Object> unreadable(StackName name, String why) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("name", name);
    map.put("error", why);
    return map;
  }

  /** An element of {@code inspect --json}. */
  public static Map<String, Object> report(StackReport report) {
    StackDefinition stack = report.definition();
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("name", stack.name());
    map.put("driver", stack.driver());
    map.put("state", word(report.state()));
    map.put("remark", report.state().remark());
    map.put("target", report.target());
    map.put("mountedOn", report.state().mounted().map(MountEntry::point));
    map.put("lower", stack.lowers().stream().map(Lower::path).toList());
    map.put("upper", report.upper().map(upper -> (Object) upper.directory()).orElse(null));
    map.put("work", report.upper().map(upper -> (Object) upper.work()).orElse(null));
    map.put("readOnly", report.upper().isEmpty());
    map.put("options", report.options());
    map.put("propagation", stack.propagation().map(Propagation::word));
    map.put("method", report.method().word());
    map.put("methodForced", stack.method().isPresent());
    map.put("nested", report.nested());
    map.put("mountId", report.state().mounted().map(mount -> (Object) mount.id()).orElse(null));
    map.put("device", report.state().mounted().map(MountEntry::device));
    map.put("layer", stack.layer().map(StackDefinition.Layer::id));
    map.put("links", stack.links().toList());
    return map;
  }
}
