package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which of the directories that a stack is made of hold a path.
 *
 * @param path as it was asked for
 * @param holdings topmost first; none when nothing has such a name
 */
public record PathReport(String path, List<Holding> holdings) {
  /** Keeps a copy of the list. */
  public PathReport {
    holdings = List.copyOf(holdings);
  }

  /** True when the stack shows the path. */
  public boolean isSeen() {
    return holdings.stream().anyMatch(holding -> holding.role().equals(Holding.SERVES));
  }

  /** An element of {@code which --json}. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("path", path);
    json.put("holdings", holdings.stream().map(Holding::json).toList());
    return json;
  }

  /** The reverse of {@link #json}. */
  public static PathReport of(JsonFields json) throws JsonException {
    List<Holding> holdings = new ArrayList<>();
    for (JsonFields holding : json.objects("holdings")) {
      holdings.add(Holding.of(holding));
    }
    return new PathReport(json.string("path"), holdings);
  }

  /**
   * What one of the directories has.
   *
   * @param directory one of those that the stack is made of
   * @param layer whose content that is; absent for a plain directory and for the stack's own upper
   * @param writable it is the upper
   * @param path in that directory, with a slash before it; another one below a redirect
   * @param kind {@code file}, {@code directory}, {@code symlink}, {@code fifo}, {@code socket},
   *     {@code device} or {@code whiteout}
   * @param bytes the length of a regular file's own data
   * @param role {@code serves}, {@code merges}, {@code data}, {@code deletes} or {@code hidden}
   * @param opaque nothing below shines through the directory
   * @param metacopy the file's data lies further below
   * @param redirect where the directories below have it
   * @param cover what hides it
   */
  public record Holding(
      String directory,
      Optional<String> layer,
      boolean writable,
      String path,
      String kind,
      long bytes,
      String role,
      boolean opaque,
      boolean metacopy,
      Optional<String> redirect,
      Optional<Cover> cover) {
    static final String SERVES = "serves";

    /** A part of {@link PathReport#json}. */
    public Map<String, Object> json() {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("directory", directory);
      json.put("layer", layer.orElse(null));
      json.put("writable", writable);
      json.put("path", path);
      json.put("kind", kind);
      json.put("bytes", bytes);
      json.put("role", role);
      json.put("opaque", opaque);
      json.put("metacopy", metacopy);
      json.put("redirect", redirect.orElse(null));
      json.put("cover", cover.map(Cover::json).orElse(null));
      return json;
    }

    private static Holding of(JsonFields json) throws JsonException {
      Optional<JsonFields> cover = json.object("cover");
      return new Holding(
          json.string("directory"),
          json.optionalString("layer"),
          json.truth("writable"),
          json.string("path"),
          json.string("kind"),
          json.number("bytes"),
          json.string("role"),
          json.truth("opaque"),
          json.truth("metacopy"),
          json.optionalString("redirect"),
          cover.isPresent() ? Optional.of(Cover.of(cover.get())) : Optional.empty());
    }
  }

  /**
   * What hides a file.
   *
   * @param directory one of those that the stack is made of
   * @param layer whose content that is; absent for a plain directory and for the stack's own upper
   * @param writable it is the upper
   * @param path in that directory, with a slash before it
   * @param why {@code whiteout}, {@code opaque} or {@code other-file}
   */
  public record Cover(
      String directory, Optional<String> layer, boolean writable, String path, String why) {
    /** A part of {@link Holding#json}. */
    public Map<String, Object> json() {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("directory", directory);
      json.put("layer", layer.orElse(null));
      json.put("writable", writable);
      json.put("path", path);
      json.put("why", why);
      return json;
    }

    private static Cover of(JsonFields json) throws JsonException {
      return new Cover(
          json.string("directory"),
          json.optionalString("layer"),
          json.truth("writable"),
          json.string("path"),
          json.string("why"));
    }
  }
}
