/**
 * How commands write: data on standard output, everything else on standard error, as lines, tables
 * or JSON.
 *
 * <p>{@link dev.ovl.cli.output.Output} writes; it belongs to one command.
 *
 * <p>Imports dev.ovl.cli.session, dev.ovl.json and dev.ovl.sys. Knows no command.
 */
package dev.ovl.cli.output;
