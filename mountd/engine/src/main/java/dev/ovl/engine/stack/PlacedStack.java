package dev.ovl.engine.stack;

import dev.ovl.sys.OsPath;

/**
 * A stack, and where it is to be in a command's tree.
 *
 * @param target absolute, without links
 */
public record PlacedStack(OsPath target, StackName stack) {}
