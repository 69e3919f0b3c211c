/**
 * How commands write: data on standard output, everything else on standard error, as lines, tables
 * or JSON.
 *
 * <ul>
 *   <li>{@link dev.ovl.cli.output.Output} writes; it belongs to one command.
 *   <li>{@link dev.ovl.cli.output.StackJson} and its like turn the engine's values into the maps
 *       that {@code --json} prints. Their fields are a contract: fields come, none goes.
 * </ul>
 *
 * <p>Imports dev.ovl.cli.session, the engine's values and its JSON writer, and dev.ovl.sys. Knows
 * no command.
 */
package dev.ovl.cli.output;
