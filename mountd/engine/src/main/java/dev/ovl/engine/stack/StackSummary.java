package dev.ovl.engine.stack;

import dev.ovl.sys.OsPath;

/**
 * A stack in short.
 *
 * @param target where it is, or would be, mounted
 */
public record StackSummary(StackDefinition definition, OsPath target, StackState state) {}
