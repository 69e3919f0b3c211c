package dev.ovl.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * System calls to be made again, in the language of {@code floor.c}.
 *
 * @param directory where they are made, encoded; absent where that does not matter
 * @param calls in order
 */
record Script(Optional<String> directory, List<Call> calls) {
  private static final Pattern REFERENCE = Pattern.compile("([rnxdl])(\\d+)(.*)");

  /** The calls that a mount consists of, whatever an engine does around them. */
  private static final Set<String> INHERENT =
      Set.of("mount", "umount2", "fsopen", "fsconfig", "fsmount", "move_mount");

  /**
   * One call.
   *
   * @param name its C name
   * @param errno what it is to fail with, 0 to succeed
   * @param arguments encoded
   */
  record Call(String name, int errno, List<String> arguments) {
    @Override
    public String toString() {
      return name
          + (errno == 0 ? " ok" : " " + errno)
          + (arguments.isEmpty() ? "" : " " + String.join(" ", arguments));
    }

    private Set<Integer> references() {
      Set<Integer> references = new HashSet<>();
      for (String argument : arguments) {
        Matcher matcher = REFERENCE.matcher(argument);
        if (matcher.matches()) {
          references.add(Integer.valueOf(matcher.group(2)));
        }
      }
      return references;
    }

    private Call renumbered(Map<Integer, Integer> numbers) {
      return new Call(
          name,
          errno,
          arguments.stream()
              .map(
                  argument -> {
                    Matcher m = REFERENCE.matcher(argument);
                    return m.matches()
                        ? m.group(1) + numbers.get(Integer.valueOf(m.group(2))) + m.group(3)
                        : argument;
                  })
              .toList());
    }
  }

  /**
   * Only what the method of mounting demands: the mount, the unmount, and the layers' descriptors.
   */
  Script bare() {
    Set<Integer> kept = new HashSet<>();
    for (int i = 0; i < calls.size(); i++) {
      if (INHERENT.contains(calls.get(i).name())) {
        kept.add(i);
        kept.addAll(calls.get(i).references());
      }
    }
    for (int i = 0; i < calls.size(); i++) {
      if (calls.get(i).name().equals("close") && kept.containsAll(calls.get(i).references())) {
        kept.add(i);
      }
    }
    Map<Integer, Integer> numbers = new HashMap<>();
    List<Call> bare = new ArrayList<>();
    for (int i : kept.stream().sorted().toList()) {
      numbers.put(i, bare.size());
      bare.add(calls.get(i).renumbered(numbers));
    }
    return new Script(entered(), bare);
  }

  /** The directory that the calls enter themselves before they mount. */
  private Optional<String> entered() {
    return calls.stream()
        .filter(call -> call.name().equals("fchdir"))
        .findFirst()
        .flatMap(call -> call.references().stream().findFirst())
        .map(opened -> calls.get(opened).arguments().get(1).substring(1));
  }

  /** The lines of a script file. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    directory.ifPresent(path -> lines.add("chdir " + path));
    calls.forEach(call -> lines.add(call.toString()));
    return lines;
  }
}
