package dev.ovl.reference;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Model.ArgSpec;

/** What can be offered where a value is to be typed. */
sealed interface Completes {
  /** Some words, and nothing else makes sense. */
  record Words(List<String> words) implements Completes {}

  /** A directory. */
  record Directories() implements Completes {}

  /** Any file. */
  record Files() implements Completes {}

  /** The name of a stack that there is. */
  record Stacks() implements Completes {}

  /** The id of a layer that there is. */
  record Layers() implements Completes {}

  /** Nothing that we know. */
  record Nothing() implements Completes {}

  /**
   * For an option or an operand: its own candidates if it has any to tell, else by what its label
   * says that it is. Constants are taken in lower case.
   */
  static Completes of(ArgSpec argument) {
    if (argument.completionCandidates() != null) {
      List<String> words = new ArrayList<>();
      boolean constants = argument.type().isEnum();
      for (String word : argument.completionCandidates()) {
        words.add(constants ? word.toLowerCase(Locale.ROOT) : word);
      }
      return words.isEmpty() ? new Nothing() : new Words(words);
    }
    return switch (argument.paramLabel()) {
      case "DIR", "TARGET" -> new Directories();
      case "FILE" -> new Files();
      case "NAME" -> new Stacks();
      case "LAYER" -> new Layers();
      default -> new Nothing();
    };
  }
}
