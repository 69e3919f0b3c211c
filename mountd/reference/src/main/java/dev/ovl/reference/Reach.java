package dev.ovl.reference;

import dev.ovl.config.Setting;
import java.util.Arrays;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;

/** The options that say where stacks are looked for: completion passes them on. */
final class Reach {
  private Reach() {}

  static Stream<String> options(CommandSpec program) {
    return Arrays.stream(Setting.values())
        .map(Setting::option)
        .filter(option -> program.findOption(option) != null);
  }
}
