/**
 * Where a command reads archives from and writes them to: files and the streams of the session, as
 * channels.
 *
 * <p>{@link dev.ovl.cli.archive.Incoming} can be interrupted while it waits; {@link
 * dev.ovl.cli.archive.Outgoing} leaves no half of a file. Imports dev.ovl.cli.session, the engine's
 * files, and dev.ovl.sys. Knows no archive's format.
 */
package dev.ovl.cli.archive;
