package dev.ovl.reference;

import picocli.CommandLine.Model.CommandSpec;

/** A program with a manual page and completion; {@link Reference} finds it as a service. */
public interface DocumentedProgram {
  /** The model of its command line. */
  CommandSpec model();

  /** The name of its manual page. */
  default String page() {
    return model().name();
  }

  /** The section of the manual that it is in: 1 for users' programs, 8 for administrators'. */
  int section();
}
