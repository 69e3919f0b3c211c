package dev.ovl.engine.stack;

import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.stack.StackDefinition.Union;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;

/**
 * All that is known of a stack: its definition, and what the kernel says now.
 *
 * @param target where it is, or would be, mounted
 * @param upper absent on a read-only stack
 * @param options as the mount gets them, defaults included
 * @param method by which it is, or would be, mounted
 * @param nested whether the bottom lowers are folded into one
 * @param elsewhere its mounts in other mount namespaces
 */
public record StackReport(
    StackDefinition definition,
    StackState state,
    OsPath target,
    Optional<StackDefinition.Upper.Given> upper,
    List<String> options,
    MountMethod method,
    boolean nested,
    List<Elsewhere> elsewhere) {

  /** The method's word; aufs has a way of its own. */
  public String methodWord() {
    return switch (definition.union()) {
      case Union.Overlay overlay -> method.word();
      case Union.Aufs aufs -> "aufs";
    };
  }
}
