package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which of the directories that a stack is made of what is seen beneath a path comes from.
 *
 * @param path as it was asked for
 * @param shares topmost first; none when the stack does not show the path
 */
public record SharesReport(String path, List<Share> shares) {
  /** Keeps a copy of the list. */
  public SharesReport {
    shares = List.copyOf(shares);
  }

  /** An element of {@code which --tree --json}. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("path", path);
    json.put("shares", shares.stream().map(Share::json).toList());
    return json;
  }

  /** The reverse of {@link #json}. */
  public static SharesReport of(JsonFields json) throws JsonException {
    List<Share> shares = new ArrayList<>();
    for (JsonFields share : json.objects("shares")) {
      shares.add(Share.of(share));
    }
    return new SharesReport(json.string("path"), shares);
  }

  /**
   * What one of the directories gives.
   *
   * @param directory one of those that the stack is made of
   * @param layer whose content that is; absent for a plain directory and for the stack's own upper
   * @param writable it is the upper
   * @param names that are seen as it has them, directories included
   * @param bytes of data of regular files that are seen, holes included
   */
  public record Share(
      String directory, Optional<String> layer, boolean writable, long names, long bytes) {

    /** A part of {@link SharesReport#json}. */
    public Map<String, Object> json() {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("directory", directory);
      json.put("layer", layer.orElse(null));
      json.put("writable", writable);
      json.put("names", names);
      json.put("bytes", bytes);
      return json;
    }

    private static Share of(JsonFields json) throws JsonException {
      return new Share(
          json.string("directory"),
          json.optionalString("layer"),
          json.truth("writable"),
          json.number("names"),
          json.number("bytes"));
    }
  }
}
