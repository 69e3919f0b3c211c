package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.aufs.AufsOptions;
import dev.ovl.engine.aufs.AufsPermission;
import dev.ovl.engine.driver.LayerHome;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.aufs.AufsHome;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.driver.overlay2.ShortLinks;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.Propagation;
import dev.ovl.engine.stack.StackDefinition.Layer;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.stack.StackDefinition.Union;
import dev.ovl.engine.stack.StackDefinition.Upper;
import dev.ovl.json.Json;
import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** The text of {@code stacks/NAME.json}. Touches no file. */
final class StackFile {
  /** Written into each file; a higher one is a newer ovl's. */
  static final int SCHEMA = 1;

  private static final String PERMISSION = "permission";
  private static final Pattern LINK = Pattern.compile("[A-Z2-7]{" + ShortLinks.NAME_LENGTH + "}");

  private final Json json = new Json();
  private final LayerHomes homes;

  /**
   * @param homes where layers are that lowers are
   */
  StackFile(LayerHomes homes) {
    this.homes = homes;
  }

  byte[] write(StackDefinition stack) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("schema", SCHEMA);
    map.put("name", stack.name());
    map.put("driver", stack.driver());
    List<Map<String, Object>> lowers = new ArrayList<>();
    for (Lower lower : stack.lowers()) {
      Map<String, Object> entry = new LinkedHashMap<>();
      if (lower.layer().isPresent()) {
        entry.put("layer", lower.layer().get());
      } else {
        entry.put("path", lower.path());
      }
      putIfPresent(entry, "link", lower.link());
      putIfPresent(entry, PERMISSION, lower.permission().map(AufsPermission::text));
      lowers.add(entry);
    }
    map.put("lower", lowers);
    switch (stack.upper()) {
      case Upper.None none -> map.put("readOnly", true);
      case Upper.OfLayer ofLayer -> map.put("readOnly", false);
      case Upper.Given given -> {
        map.put("readOnly", false);
        Map<String, Object> upper = new LinkedHashMap<>();
        upper.put("path", given.directory());
        putIfPresent(upper, "work", given.work());
        map.put("upper", upper);
      }
    }
    stack
        .layer()
        .ifPresent(
            layer -> {
              Map<String, Object> entry = new LinkedHashMap<>();
              entry.put("id", layer.id());
              putIfPresent(entry, "link", layer.link());
              map.put("layer", entry);
            });
    map.put("target", stack.target());
    map.put("options", stack.union().words());
    map.put("propagation", stack.propagation().map(Propagation::word));
    switch (stack.union()) {
      case Union.Overlay overlay -> {
        map.put("method", overlay.method().map(MountMethod::word));
        map.put("lazyCopies", overlay.lazyCopies());
      }
      case Union.Aufs aufs -> map.put(PERMISSION, aufs.upper().text());
    }
    return json.writePretty(map);
  }

  private static void putIfPresent(Map<String, Object> map, String name, Optional<?> value) {
    value.ifPresent(present -> map.put(name, present));
  }

  /**
   * Reads a definition.
   *
   * @throws JsonException the text is not one, or is a newer version's
   */
  StackDefinition read(byte[] text) throws JsonException {
    JsonFields fields = json.readObject(text);
    long schema = fields.number("schema");
    if (schema > SCHEMA) {
      throw new JsonException(
          "it was written by a newer ovl (schema " + schema + ", this one knows " + SCHEMA + ")");
    }
    try {
      StackName name = StackName.of(fields.string("name"));
      Union union = union(fields);
      StackDefinition stack =
          new StackDefinition(
              name,
              lowers(fields, union),
              upper(fields, union),
              layer(fields, union),
              optionalPath(fields, "target"),
              propagation(fields),
              union);
      fields.end();
      return stack;
    } catch (EngineException | IllegalArgumentException e) {
      throw new JsonException(e.getMessage());
    }
  }

  private static Union union(JsonFields fields) throws JsonException, EngineException {
    String driver = fields.string("driver");
    List<String> options = fields.strings("options");
    return switch (driver) {
      case Overlay2Home.NAME ->
          new Union.Overlay(
              MountOptions.parse(options), method(fields), fields.optionalTruth("lazyCopies"));
      case AufsHome.NAME -> new Union.Aufs(AufsOptions.parse(options), permission(fields));
      default -> throw new JsonException("unknown driver " + OsPath.quoted(driver));
    };
  }

  private static AufsPermission permission(JsonFields fields)
      throws JsonException, EngineException {
    return AufsPermission.parse(fields.string(PERMISSION));
  }

  private List<Lower> lowers(JsonFields fields, Union union) throws JsonException, EngineException {
    LayerHome home = homes.of(union.driver()).orElseThrow();
    List<Lower> lowers = new ArrayList<>();
    for (JsonFields entry : fields.objects("lower")) {
      Optional<String> text = entry.optionalString("layer");
      Optional<LayerId> layer =
          text.isPresent() ? Optional.of(LayerId.of(text.get())) : Optional.empty();
      OsPath path = layer.isPresent() ? home.diff(layer.get()) : path(entry, "path");
      lowers.add(
          switch (union) {
            case Union.Overlay overlay -> Lower.linked(path, link(entry), layer);
            case Union.Aufs aufs -> Lower.branch(path, permission(entry), layer);
          });
      entry.end();
    }
    if (lowers.isEmpty()) {
      throw new JsonException("lower is empty");
    }
    return lowers;
  }

  private static String link(JsonFields fields) throws JsonException {
    return checked(fields.string("link"), LINK);
  }

  private static Upper upper(JsonFields fields, Union union) throws JsonException {
    boolean readOnly = fields.truth("readOnly");
    Optional<JsonFields> given = fields.object("upper");
    if (given.isEmpty()) {
      return readOnly ? new Upper.None() : new Upper.OfLayer();
    }
    if (readOnly) {
      throw new JsonException("it is read-only and has an upper");
    }
    Optional<OsPath> work =
        union instanceof Union.Overlay ? Optional.of(path(given.get(), "work")) : Optional.empty();
    Upper upper = new Upper.Given(path(given.get(), "path"), work);
    given.get().end();
    return upper;
  }

  private static Optional<Layer> layer(JsonFields fields, Union union)
      throws JsonException, EngineException {
    Optional<JsonFields> entry = fields.object("layer");
    if (entry.isEmpty()) {
      return Optional.empty();
    }
    Optional<String> link =
        union instanceof Union.Overlay ? Optional.of(link(entry.get())) : Optional.empty();
    Layer layer = new Layer(LayerId.of(entry.get().string("id")), link);
    entry.get().end();
    return Optional.of(layer);
  }

  private static Optional<Propagation> propagation(JsonFields fields)
      throws JsonException, EngineException {
    Optional<String> word = fields.optionalString("propagation");
    return word.isEmpty() ? Optional.empty() : Optional.of(Propagation.of(word.get()));
  }

  private static Optional<MountMethod> method(JsonFields fields)
      throws JsonException, EngineException {
    Optional<String> word = fields.optionalString("method");
    return word.isEmpty() ? Optional.empty() : Optional.of(MountMethod.of(word.get()));
  }

  private static Optional<OsPath> optionalPath(JsonFields fields, String name)
      throws JsonException {
    return fields.optionalString(name).isEmpty()
        ? Optional.empty()
        : Optional.of(path(fields, name));
  }

  private static OsPath path(JsonFields fields, String name) throws JsonException {
    OsPath path = OsPath.of(fields.string(name));
    if (!path.isAbsolute()) {
      throw new JsonException(name + " is not an absolute path");
    }
    return path;
  }

  private static String checked(String text, Pattern form) throws JsonException {
    if (!form.matcher(text).matches()) {
      throw new JsonException(OsPath.quoted(text) + " has not the form of an id");
    }
    return text;
  }
}
