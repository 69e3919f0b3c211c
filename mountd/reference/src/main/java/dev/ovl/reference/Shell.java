package dev.ovl.reference;

import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;

/** A shell that completes command lines. */
public enum Shell {
  BASH,
  ZSH,
  FISH;

  /**
   * The first column of a table, behind what lists it, in the words of any of these shells. A table
   * has two blanks between its columns.
   */
  static final String FIRST_COLUMN = "--quiet 2>/dev/null | sed -e 1d -e 's/  .*//'";

  /** The names of all stacks, a line each. */
  static final String LIST_STACKS = "ls " + FIRST_COLUMN;

  /** The ids of all layers, a line each. */
  static final String LIST_LAYERS = "layer ls " + FIRST_COLUMN;

  /** Its name, {@code "bash"}. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The script that completes the command lines of a program. */
  public String script(CommandSpec program) {
    return switch (this) {
      case BASH -> new BashScript(program).text();
      case ZSH -> new ZshScript(program).text();
      case FISH -> new FishScript(program).text();
    };
  }

  /** The name of the file by which this shell finds the script. */
  String file(CommandSpec program) {
    return switch (this) {
      case BASH -> program.name();
      case ZSH -> "_" + program.name();
      case FISH -> program.name() + ".fish";
    };
  }

  /** A word that the shell takes as it is. */
  static String quoted(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }
}
