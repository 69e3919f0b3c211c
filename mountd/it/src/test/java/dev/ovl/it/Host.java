package dev.ovl.it;

/** What carries out a command: all do the same, so that tests of commands run by each. */
enum Host {
  /** The command's own process, of the source tree. */
  IN_PROCESS,
  /** A daemon that a command in Java asks; it and the command are those that are installed. */
  DAEMON,
  /** A daemon that the installed command, in C, hands its command line over to. */
  HANDED_OVER
}
