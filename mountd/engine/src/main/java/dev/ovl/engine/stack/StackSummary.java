package dev.ovl.engine.stack;

import dev.ovl.sys.OsPath;
import java.util.List;

/**
 * A stack in short.
 *
 * @param target where it is, or would be, mounted
 * @param elsewhere its mounts in other mount namespaces; not looked for in lists of stacks
 */
public record StackSummary(
    StackDefinition definition, OsPath target, StackState state, List<Elsewhere> elsewhere) {}
