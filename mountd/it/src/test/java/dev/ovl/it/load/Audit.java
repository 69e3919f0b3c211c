package dev.ovl.it.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.StackEntry;
import dev.ovl.api.StackReport;
import dev.ovl.it.load.StackState.Present;
import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Compares what is under the root, mounted and answered with what must be. */
final class Audit {
  private static final Set<String> LAYER_FILES =
      Set.of("diff", "link", "lower", "work", "merged", "stack");

  private final Site site;
  private final Path scratch;
  private final CommandHost host;
  private final boolean mayHaveDied;

  /**
   * @param scratch in which all is
   * @param mayHaveDied whether daemons were killed while they worked
   */
  Audit(Site site, Path scratch, CommandHost host, boolean mayHaveDied) {
    this.site = site;
    this.scratch = scratch;
    this.host = host;
    this.mayHaveDied = mayHaveDied;
  }

  /**
   * Fails unless all is as it must be. Nobody may ask for changes meanwhile.
   *
   * @param expected by name; those that are absent may be left out
   */
  void check(Map<String, StackState> expected) throws HostException {
    Map<String, StackReport> reports = new TreeMap<>();
    Map<String, Boolean> states = new TreeMap<>();
    for (Map.Entry<String, StackState> one : expected.entrySet()) {
      if (one.getValue() instanceof Present present) {
        StackReport report = host.inspect(one.getKey());
        assertEquals(present, new Present(site.shape(report), report.up()), one.getKey());
        assertEquals(Optional.empty(), report.remark(), one.getKey());
        reports.put(one.getKey(), report);
        states.put(one.getKey(), present.up());
      }
    }
    assertEquals(states, listed());
    checkMounts(reports);
    checkRoot(reports);
  }

  private Map<String, Boolean> listed() throws HostException {
    Map<String, Boolean> states = new TreeMap<>();
    for (StackEntry entry : host.list()) {
      if (entry instanceof StackEntry.Known one) {
        states.put(one.name(), one.summary().up());
      } else {
        throw new AssertionError("ls cannot tell: " + entry);
      }
    }
    return states;
  }

  private void checkMounts(Map<String, StackReport> reports) {
    List<String> expected =
        reports.values().stream().flatMap(report -> report.mountedOn().stream()).sorted().toList();
    assertEquals(expected, mountPoints(scratch), "mount points");
    for (StackReport report : reports.values()) {
      if (report.up()) {
        assertEquals(Optional.of(report.target()), report.mountedOn(), report.name());
      }
    }
  }

  /** What is mounted beneath a directory of plain characters, sorted, as often as it is. */
  static List<String> mountPoints(Path directory) {
    try {
      return OsPath.decode(Files.readAllBytes(Path.of("/proc/self/mountinfo")))
          .lines()
          .map(line -> line.split(" ")[4])
          .filter(point -> point.startsWith(directory + "/"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new AssertionError("cannot read mountinfo", e);
    }
  }

  private void checkRoot(Map<String, StackReport> reports) {
    Path root = site.root();
    assertEquals(List.of(), names(root.resolve("journal")), "journal");
    assertEquals(List.of(), names(scratch.resolve("run/nested")), "helper mounts");
    List<String> definitions = new ArrayList<>();
    for (String file : names(root.resolve("stacks"))) {
      if (file.endsWith(".json")) {
        definitions.add(file.substring(0, file.length() - ".json".length()));
      } else {
        String stack = file.replaceAll("^\\.(.*)\\.lock$", "$1");
        assertTrue(reports.containsKey(stack), () -> "stray " + file);
      }
    }
    assertEquals(List.copyOf(reports.keySet()), definitions, "definitions");

    Set<String> layers = new TreeSet<>(Set.of("l"));
    Set<String> links = new TreeSet<>();
    for (StackReport report : reports.values()) {
      report.layer().ifPresent(layers::add);
      links.addAll(report.links());
    }
    Path home = root.resolve("overlay2");
    assertEquals(List.copyOf(layers), names(home), "layers");
    assertEquals(List.copyOf(links), names(home.resolve("l")), "links");
    for (StackReport report : reports.values()) {
      if (report.layer().isPresent()) {
        Path layer = home.resolve(report.layer().get());
        List<String> files = names(layer);
        assertTrue(LAYER_FILES.containsAll(files), () -> report.name() + " has " + files);
        boolean mountedThere = report.mountedOn().filter(p -> p.startsWith(home + "/")).isPresent();
        if (mountedThere || !mayHaveDied) {
          assertEquals(mountedThere, files.contains("merged"), report.name());
        } else {
          // of an up or down that died; the next one goes on with it
          assertEquals(List.of(), names(layer.resolve("merged")), report.name());
        }
      }
    }
  }

  /** The names in a directory, sorted; none when there is no such directory. */
  private static List<String> names(Path directory) {
    if (!Files.exists(directory)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new AssertionError("cannot list " + directory, e);
    }
  }
}
