package dev.ovl.engine.probe;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a {@link Probe} found.
 *
 * @param kernel its release, {@code "6.18.4"}, as uname(2) has it; {@code "unknown"} without /proc
 * @param features in the order of their groups
 * @param root where they were asked
 * @param driver what follows from them
 */
public record ProbeReport(
    String kernel, List<Feature> features, RootFileSystem root, DriverChoice driver) {

  /** Copies the list. */
  public ProbeReport {
    features = List.copyOf(features);
  }

  /** The features of one group, in order. */
  public List<Feature> features(Feature.Group group) {
    return features.stream().filter(feature -> feature.group() == group).toList();
  }

  /** The feature with this key; empty when there is none. */
  public Optional<Feature> feature(String key) {
    return features.stream().filter(feature -> feature.key().equals(key)).findFirst();
  }

  /**
   * The report for {@code info --json}, of what {@link dev.ovl.json.Json} writes. Keys and the
   * words {@code yes}, {@code no}, {@code not probed} are stable; {@code detail} is for people. A
   * field in {@link Optional} is left out where it is empty: {@code errno} unless the kernel gave
   * one, {@code inodes} where they are not counted, {@code driver.name} where there is none.
   */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("kernel", kernel);
    json.put("features", features.stream().map(ProbeReport::json).toList());
    json.put("driver", json(driver));
    json.put("root", json(root));
    return json;
  }

  private static Map<String, Object> json(Feature feature) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("key", feature.key());
    json.put("title", feature.title());
    json.put("group", feature.group().word());
    json.put("result", feature.result().word());
    json.put("detail", feature.result().detail());
    json.put(
        "errno",
        feature.result() instanceof ProbeResult.No no
            ? no.errno().map(Enum::name)
            : Optional.empty());
    return json;
  }

  private static Map<String, Object> json(DriverChoice driver) {
    List<Object> candidates = new ArrayList<>();
    for (DriverChoice.Candidate candidate : driver.candidates()) {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("name", candidate.name());
      json.put("chosen", candidate.chosen());
      json.put("why", candidate.why());
      candidates.add(json);
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", driver.name());
    json.put("why", driver.why());
    json.put("candidates", candidates);
    return json;
  }

  private static Map<String, Object> json(RootFileSystem root) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("path", root.root().toString());
    json.put("probedAt", root.probed().toString());
    json.put("type", root.type());
    json.put("bytes", root.bytes());
    json.put("bytesAvailable", root.bytesAvailable());
    json.put("inodes", optional(root.inodes()));
    json.put("inodesFree", optional(root.inodesFree()));
    return json;
  }

  private static Optional<Long> optional(OptionalLong number) {
    return number.isPresent() ? Optional.of(number.getAsLong()) : Optional.empty();
  }
}
