package dev.ovl.cli.command;

/** A verb that must be carried out by a process of its own: it changes or examines that process. */
interface OwnProcess {}
