package dev.ovl.server.api;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.ovl.api.Route;
import dev.ovl.json.Json;
import dev.ovl.json.JsonException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Assertions;

/** The OpenAPI document, as a test looks at it. */
final class OpenApi {
  private static final String ID = "https://ovl.example/schemas.json";

  private final Map<String, Object> document;
  private final SchemaRegistry schemas;

  private OpenApi(String text) throws JsonException {
    document = new Json().readObject(text.getBytes(StandardCharsets.UTF_8)).all();
    // a document of JSON Schema has no components
    byte[] definitions = new Json().writeLine(Map.of("$defs", components("schemas")));
    String standingAlone =
        new String(definitions, StandardCharsets.UTF_8)
            .replace("#/components/schemas/", "#/$defs/");
    schemas =
        SchemaRegistry.withDefaultDialect(
            SpecificationVersion.DRAFT_2020_12,
            builder -> builder.schemas(Map.of(ID, standingAlone)));
  }

  static OpenApi read() {
    try (InputStream in = ApiHandler.class.getResourceAsStream("openapi.json")) {
      return new OpenApi(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException | JsonException e) {
      throw new AssertionError("the document cannot be read", e);
    }
  }

  Map<?, ?> paths() {
    return object(document, "paths");
  }

  Map<?, ?> components(String kind) {
    return object(object(document, "components"), kind);
  }

  /** What is documented of a route. */
  Map<?, ?> operation(Route route) {
    Object path = paths().get(route.template());
    Assertions.assertNotNull(path, () -> "undocumented: " + route.template());
    return object((Map<?, ?>) path, route.method().toLowerCase(Locale.ROOT));
  }

  /** The answer of a route with a status. */
  Map<?, ?> response(Route route, int status) {
    return resolved(object(object(operation(route), "responses"), String.valueOf(status)));
  }

  /** A field that is an object. */
  static Map<?, ?> object(Map<?, ?> of, String field) {
    Assertions.assertInstanceOf(Map.class, of.get(field), () -> field + " of " + of);
    return (Map<?, ?>) of.get(field);
  }

  /** What a reference refers to, or the object itself. */
  Map<?, ?> resolved(Map<?, ?> object) {
    if (!(object.get("$ref") instanceof String reference)) {
      return object;
    }
    Map<?, ?> at = document;
    for (String step : reference.substring("#/".length()).split("/")) {
      at = object(at, step);
    }
    return resolved(at);
  }

  /** Fails unless a JSON text is as a schema of the components wants it. */
  void assertValid(String schema, String json) {
    List<Error> errors =
        schemas
            .getSchema(SchemaLocation.of(ID + "#/$defs/" + schema))
            .validate(json, InputFormat.JSON);
    Assertions.assertEquals(List.of(), errors, () -> schema + ": " + json);
  }

  /** The name of the components' schema that a media type refers to; empty for another schema. */
  static String schemaName(Map<?, ?> media) {
    return object(media, "schema").get("$ref") instanceof String reference
        ? reference.replace("#/components/schemas/", "")
        : "";
  }
}
