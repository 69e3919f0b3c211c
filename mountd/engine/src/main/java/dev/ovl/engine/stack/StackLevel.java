package dev.ovl.engine.stack;

import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.usage.UpperUsage;
import dev.ovl.sys.OsPath;
import java.util.Optional;

/**
 * One of the directories that a stack is made of, and what it takes.
 *
 * @param layer whose content it is; absent for a plain directory and for the stack's own upper
 * @param writable it is the upper
 */
public record StackLevel(
    OsPath directory, Optional<LayerId> layer, boolean writable, UpperUsage.Tree usage) {}
