/**
 * How the daemon logs: through slf4j and java.util.logging to standard error, for the journal with
 * the priority before each line (sd-daemon(3)). Imports nothing of ovl.
 */
package dev.ovl.server.log;
