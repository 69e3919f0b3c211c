/**
 * The world around a command, as a value: streams, directory, environment, terminal, and whether
 * the user wants to stop.
 *
 * <p>Whoever runs a command makes a {@link dev.ovl.cli.session.Session} for it: the process {@code
 * ovlctl}, a test, later the daemon. Imports dev.ovl.sys, for paths, and nothing else of ovl.
 */
package dev.ovl.cli.session;
