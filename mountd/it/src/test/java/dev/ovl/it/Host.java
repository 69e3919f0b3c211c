package dev.ovl.it;

/** What carries out a command: both do the same, so that tests of commands run by each. */
enum Host {
  /** The command's own process, of the source tree. */
  IN_PROCESS,
  /** A daemon; it and the command are those that are installed. */
  DAEMON
}
