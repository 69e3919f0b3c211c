package dev.ovl.service;

import dev.ovl.engine.mount.Propagation;
import dev.ovl.engine.stack.StackDefinition;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.stack.StackReport;
import dev.ovl.engine.stack.StackSummary;
import java.util.List;

/** The engine's values, as the API answers them. */
final class Reports {
  private Reports() {}

  static dev.ovl.api.StackSummary summary(StackSummary summary) {
    return new dev.ovl.api.StackSummary(
        summary.definition().name().text(),
        summary.definition().driver(),
        summary.state().mounted().isPresent(),
        summary.state().remark(),
        summary.target().toString(),
        summary.definition().lowers().size());
  }

  static dev.ovl.api.StackReport report(StackReport report) {
    StackDefinition stack = report.definition();
    return new dev.ovl.api.StackReport(
        stack.name().text(),
        stack.driver(),
        report.state().mounted().isPresent(),
        report.state().remark(),
        report.target().toString(),
        report.state().mounted().map(mount -> mount.point().toString()),
        texts(stack.lowers().stream().map(Lower::path).toList()),
        report.upper().map(upper -> upper.directory().toString()),
        report.upper().map(upper -> upper.work().toString()),
        report.options(),
        stack.propagation().map(Propagation::word),
        report.method().word(),
        stack.method().isPresent(),
        report.nested(),
        report.state().mounted().map(mount -> mount.id()),
        report.state().mounted().map(mount -> mount.device().toString()),
        stack.layer().map(StackDefinition.Layer::id),
        stack.links().toList());
  }

  private static List<String> texts(List<?> values) {
    return values.stream().map(Object::toString).toList();
  }
}
