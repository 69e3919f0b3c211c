package dev.ovl.server.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.api.Attachment;
import dev.ovl.api.BranchPatch;
import dev.ovl.api.Done;
import dev.ovl.api.DriverStatus;
import dev.ovl.api.Elsewhere;
import dev.ovl.api.Failure;
import dev.ovl.api.HostInfo;
import dev.ovl.api.LayerDraft;
import dev.ovl.api.LayerEntry;
import dev.ovl.api.LayerReport;
import dev.ovl.api.LayerSummary;
import dev.ovl.api.LowerUsage;
import dev.ovl.api.MountDraft;
import dev.ovl.api.PathChange;
import dev.ovl.api.Route;
import dev.ovl.api.StackCopy;
import dev.ovl.api.StackDraft;
import dev.ovl.api.StackEntry;
import dev.ovl.api.StackLevel;
import dev.ovl.api.StackPatch;
import dev.ovl.api.StackReport;
import dev.ovl.api.StackSummary;
import dev.ovl.api.StackUsage;
import dev.ovl.api.Tally;
import dev.ovl.json.Json;
import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import dev.ovl.server.event.Change;
import dev.ovl.testkit.Records;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The OpenAPI document says what the code does, all of it and nothing else. */
class OpenApiTest {
  private static final Json JSON = new Json();
  private static final String NAME = "{name}";

  /** They touch no stack, hence wait for nothing. */
  private static final Set<Route> WITHOUT_LANE = Set.of(Route.VERSION, Route.EVENTS, Route.OPENAPI);

  /** They take as long as they take. */
  private static final Set<Route> WITHOUT_DEADLINE =
      Set.of(
          Route.CHANGES,
          Route.SIZE,
          Route.DIFF,
          Route.APPLY,
          Route.COMMIT,
          Route.FSCK,
          Route.MERGE,
          Route.FLATTEN,
          Route.LAYER_CONVERT,
          Route.TREE,
          Route.WHICH,
          Route.SHARES,
          Route.WASTED,
          Route.COPY_UP,
          Route.LAYER_CHANGES,
          Route.LAYER_SIZE,
          Route.LAYER_DIFF,
          Route.LAYER_APPLY);

  /** Their bodies may have any size. */
  private static final Set<Route> OF_ARCHIVES = Set.of(Route.APPLY, Route.LAYER_APPLY);

  /** Of objects that no record stands for; {@link LiveAnswersTest} sees them. */
  private static final Set<String> WITHOUT_RECORD =
      Set.of(
          "StackList",
          "NameList",
          "LowerList",
          "LayerList",
          "LevelList",
          "PathQuestion",
          "PathReportList",
          "SharesReportList",
          "WastedCopyList",
          "Size",
          "ChangesResult",
          "ChangeLine",
          "Progress",
          "ApplyResult",
          "ApplyLine",
          "CommitResult",
          "CommitLine",
          "FsckResult",
          "FsckLine",
          "MergeResult",
          "MergeLine",
          "FlattenResult",
          "FlattenLine",
          "LayerConvertResult",
          "LayerConvertLine",
          "UmountRequest",
          "StackSelection",
          "Outcome",
          "Result",
          "OutcomeLine",
          "LostEvents",
          "EventLine",
          "Info",
          "Feature",
          "Candidate",
          "DriverChoice",
          "RootFileSystem",
          "Error");

  private final OpenApi document = OpenApi.read();

  // ---- routes -------------------------------------------------------------------------------

  @Test
  void thePathsAreTheRoutes() {
    Set<String> documented = new TreeSet<>();
    document
        .paths()
        .forEach(
            (path, operations) ->
                ((Map<?, ?>) operations)
                    .keySet()
                    .forEach(
                        method ->
                            documented.add(
                                method.toString().toUpperCase(Locale.ROOT) + " " + path)));
    assertEquals(
        Arrays.stream(Route.values())
            .map(route -> route.method() + " " + route.template())
            .collect(Collectors.toCollection(TreeSet::new)),
        documented);
  }

  @ParameterizedTest
  @EnumSource
  void aRouteIsDocumentedAsItIs(Route route) {
    Map<?, ?> operation = document.operation(route);
    assertEquals(camelCase(route.name()), operation.get("operationId"));
    assertEquals(
        route.access().name().toLowerCase(Locale.ROOT), operation.get("x-ovl-access"), "access");
    assertFalse(operation.get("summary").toString().isBlank());

    Set<String> parameters = new LinkedHashSet<>();
    if (operation.get("parameters") instanceof List<?> list) {
      for (Object element : list) {
        Map<?, ?> parameter = document.resolved((Map<?, ?>) element);
        boolean inPath = parameter.get("in").equals("path");
        assertEquals(inPath, parameter.get("required"), parameter::toString);
        assertEquals(
            route.flags().contains(parameter.get("name")) ? "boolean" : "string",
            OpenApi.object(parameter, "schema").get("type"));
        parameters.add(parameter.get("in") + " " + parameter.get("name"));
      }
    }
    Set<String> expected = new LinkedHashSet<>();
    if (route.template().contains(NAME)) {
      expected.add("path name");
    }
    route.texts().forEach(text -> expected.add("query " + text));
    route.flags().forEach(flag -> expected.add("query " + flag));
    assertEquals(expected, parameters);
  }

  /** {@code UP_MANY} as {@code upMany}. */
  private static String camelCase(String constant) {
    String[] words = constant.toLowerCase(Locale.ROOT).split("_");
    StringBuilder name = new StringBuilder(words[0]);
    for (int i = 1; i < words.length; i++) {
      name.append(Character.toUpperCase(words[i].charAt(0))).append(words[i].substring(1));
    }
    return name.toString();
  }

  @ParameterizedTest
  @EnumSource
  void aRouteHasTheStatusesOfTheErrorsThatItMayGive(Route route) {
    Map<String, String> expected = new LinkedHashMap<>();
    for (Failure.Kind kind : Failure.Kind.values()) {
      boolean may =
          switch (kind) {
            case USAGE, FORBIDDEN, INTERNAL -> true;
            case NO_SUCH_STACK -> route.template().startsWith("/v1/stacks/" + NAME);
            case NO_SUCH_LAYER -> route.template().startsWith("/v1/layers/" + NAME);
            case TIMEOUT -> !WITHOUT_LANE.contains(route) && !WITHOUT_DEADLINE.contains(route);
            case FAILED, UNAVAILABLE -> !WITHOUT_LANE.contains(route);
          };
      if (may) {
        expected.put(String.valueOf(kind.status()), "#/components/responses/" + kind.word());
      }
    }
    if (!OF_ARCHIVES.contains(route)) {
      expected.put("413", "#/components/responses/too-large");
    }
    Map<String, String> documented = new LinkedHashMap<>();
    OpenApi.object(document.operation(route), "responses")
        .forEach(
            (status, response) -> {
              if (!status.equals("200")) {
                documented.put(
                    status.toString(), String.valueOf(((Map<?, ?>) response).get("$ref")));
              }
            });
    assertEquals(expected, documented);
  }

  @Test
  void theErrorsAreThoseThatThereAre() {
    Set<String> words = new HashSet<>(Set.of("too-large"));
    for (Failure.Kind kind : Failure.Kind.values()) {
      words.add(kind.word());
      Map<?, ?> media = errorMedia(kind.word());
      Map<?, ?> example = OpenApi.object(OpenApi.object(media, "example"), "error");
      assertEquals(kind.word(), example.get("kind"));
    }
    assertEquals(words, document.components("responses").keySet());
    Map<?, ?> failure = OpenApi.object(document.components("schemas"), "Failure");
    assertEquals(
        Arrays.stream(Failure.Kind.values()).map(Failure.Kind::word).toList(),
        OpenApi.object(OpenApi.object(failure, "properties"), "kind").get("enum"));
  }

  private Map<?, ?> errorMedia(String name) {
    Map<?, ?> response = OpenApi.object(document.components("responses"), name);
    Map<?, ?> media = OpenApi.object(OpenApi.object(response, "content"), "application/json");
    assertEquals("Error", OpenApi.schemaName(media));
    return media;
  }

  @Test
  void whatIsNotUsedIsNotThere() {
    String text =
        new String(JSON.writeLine(List.of(document.paths(), components())), StandardCharsets.UTF_8);
    for (String kind : List.of("parameters", "responses", "schemas")) {
      for (Object name : document.components(kind).keySet()) {
        assertTrue(
            text.contains("\"#/components/" + kind + "/" + name + "\""), () -> "unused: " + name);
      }
    }
  }

  private List<Map<?, ?>> components() {
    return List.of(document.components("responses"), document.components("schemas"));
  }

  // ---- examples -----------------------------------------------------------------------------

  @Test
  void everyExampleIsRight() {
    int[] count = {0};
    document
        .components("schemas")
        .forEach(
            (name, schema) -> {
              if (((Map<?, ?>) schema).get("examples") instanceof List<?> examples) {
                for (Object example : examples) {
                  document.assertValid(name.toString(), text(example));
                  count[0]++;
                }
              }
            });
    assertTrue(count[0] > 20);
    for (Object name : document.components("responses").keySet()) {
      document.assertValid("Error", text(errorMedia(name.toString()).get("example")));
    }
  }

  /** What goes to and fro is shown, not only described. */
  @ParameterizedTest
  @EnumSource
  void everyBodyHasAnExample(Route route) {
    List<Map<?, ?>> media = new ArrayList<>();
    if (document.operation(route).containsKey("requestBody") && !OF_ARCHIVES.contains(route)) {
      media.add(
          OpenApi.object(
              OpenApi.object(OpenApi.object(document.operation(route), "requestBody"), "content"),
              "application/json"));
    }
    OpenApi.object(document.response(route, 200), "content")
        .values()
        .forEach(value -> media.add((Map<?, ?>) value));
    for (Map<?, ?> each : media) {
      String name = OpenApi.schemaName(each);
      if (!name.isEmpty()) {
        assertTrue(hasExample((Map<?, ?>) document.components("schemas").get(name)), name);
      }
    }
  }

  private boolean hasExample(Map<?, ?> schema) {
    if (schema.get("oneOf") instanceof List<?> alternatives) {
      return alternatives.stream().allMatch(one -> hasExample(document.resolved((Map<?, ?>) one)));
    }
    return schema.get("examples") instanceof List<?> examples && !examples.isEmpty();
  }

  private static String text(Object value) {
    return new String(JSON.writeLine(value), StandardCharsets.UTF_8);
  }

  // ---- schemas ------------------------------------------------------------------------------

  /** How a request is read. */
  interface Reader {
    Object read(JsonFields json) throws JsonException;
  }

  /** A record that is sent as an answer. */
  record Answer<T>(String schema, Class<T> type, Function<T, Map<String, Object>> writer) {
    Map<?, ?> json(T value) {
      return back(writer.apply(value));
    }

    @Override
    public String toString() {
      return schema;
    }
  }

  /** A record that is read from a request. */
  record Request<T>(
      String schema, Class<T> type, Function<T, Map<String, Object>> writer, Reader reader) {
    @Override
    public String toString() {
      return schema;
    }
  }

  /** As a client gets it. */
  private static Map<String, Object> back(Map<String, Object> json) {
    try {
      return JSON.readObject(JSON.writeLine(json)).all();
    } catch (JsonException e) {
      throw new AssertionError(e);
    }
  }

  static Stream<Answer<?>> answers() {
    return Stream.of(
        new Answer<>("Version", HostInfo.class, HostInfo::json),
        new Answer<>("StackSummary", StackSummary.class, StackSummary::json),
        new Answer<>("UnreadableStack", StackEntry.Unknown.class, StackEntry.Unknown::json),
        new Answer<>("StackReport", StackReport.class, StackReport::json),
        new Answer<>("Elsewhere", Elsewhere.class, Elsewhere::json),
        new Answer<>("StackUsage", StackUsage.class, StackUsage::json),
        new Answer<>("LowerUsage", LowerUsage.class, LowerUsage::json),
        new Answer<>("LayerSummary", LayerSummary.class, LayerSummary::json),
        new Answer<>("BrokenLayer", LayerEntry.Unknown.class, LayerEntry.Unknown::json),
        new Answer<>("LayerReport", LayerReport.class, LayerReport::json),
        new Answer<>("DriverStatus", DriverStatus.class, DriverStatus::json),
        new Answer<>("StackLevel", StackLevel.class, StackLevel::json),
        new Answer<>("Tally", Tally.class, Tally::json),
        new Answer<>("Done", Done.class, Done::json),
        new Answer<>("Failure", Failure.class, Failure::json),
        new Answer<>("Event", Change.class, Change::json));
  }

  static Stream<Request<?>> requests() {
    return Stream.of(
        new Request<>("StackDraft", StackDraft.class, StackDraft::json, StackDraft::of),
        new Request<>("Attachment", Attachment.class, Attachment::json, Attachment::of),
        new Request<>("StackPatch", StackPatch.class, StackPatch::json, StackPatch::of),
        new Request<>("BranchPatch", BranchPatch.class, BranchPatch::json, BranchPatch::of),
        new Request<>("StackCopy", StackCopy.class, StackCopy::json, StackCopy::of),
        new Request<>("LayerDraft", LayerDraft.class, LayerDraft::json, LayerDraft::of),
        new Request<>("MountDraft", MountDraft.class, MountDraft::json, MountDraft::of));
  }

  @Test
  void everySchemaIsCompared() {
    Set<String> compared = new TreeSet<>(WITHOUT_RECORD);
    answers().forEach(answer -> compared.add(answer.schema()));
    requests().forEach(request -> compared.add(request.schema()));
    // within StackUsage
    compared.addAll(List.of("Tree", "Room"));
    // its kind is one of three letters: below
    compared.add("PathChange");
    // and so are words of these, which LiveAnswersTest asks for
    compared.addAll(List.of("PathReport", "PathHolding", "PathCover", "StackFinding"));
    compared.addAll(List.of("SharesReport", "DirectoryShare", "WastedCopy"));
    assertEquals(compared, new TreeSet<>(document.components("schemas").keySet()));
  }

  @Test
  void aChangesSchemaIsWhatTheRecordWrites() {
    PathChange change = new PathChange("A", Records.TEXT);
    document.assertValid("PathChange", text(change.json()));
    assertEquals(
        change.json().keySet(), OpenApi.object(schema("PathChange"), "properties").keySet());
  }

  @ParameterizedTest
  @MethodSource("answers")
  <T> void anAnswersSchemaIsWhatTheRecordWrites(Answer<T> answer) {
    Map<?, ?> full = answer.json(Records.full(answer.type()));
    Map<?, ?> hollow = answer.json(Records.hollow(answer.type()));
    Map<?, ?> bare = answer.json(Records.bare(answer.type()));
    for (Map<?, ?> json : List.of(full, hollow, bare)) {
      document.assertValid(answer.schema(), text(json));
    }
    assertWritten(answer.schema(), schema(answer.schema()), full, hollow, bare);
  }

  private Map<?, ?> schema(String name) {
    return OpenApi.object(document.components("schemas"), name);
  }

  private void assertWritten(
      String name, Map<?, ?> schema, Map<?, ?> full, Map<?, ?> hollow, Map<?, ?> bare) {
    Map<?, ?> properties = OpenApi.object(schema, "properties");
    assertEquals(full.keySet(), properties.keySet(), name);
    assertEquals(bare.keySet(), new LinkedHashSet<>(required(schema)), name);
    properties.forEach(
        (field, declared) -> {
          Map<?, ?> property = document.resolved((Map<?, ?>) declared);
          boolean nullable = bare.containsKey(field) && bare.get(field) == null;
          assertType(name + "." + field, property, full.get(field), nullable);
          if (full.get(field) instanceof Map<?, ?> nested
              && !property.containsKey("additionalProperties")) {
            Map<?, ?> nestedBare = OpenApi.object(hollow, field.toString());
            assertWritten(name + "." + field, property, nested, nestedBare, nestedBare);
          }
        });
  }

  private static List<?> required(Map<?, ?> schema) {
    return schema.get("required") instanceof List<?> list ? list : List.of();
  }

  private void assertType(String name, Map<?, ?> property, Object sample, boolean nullable) {
    Object type = property.get("type");
    assertEquals(nullable ? List.of(jsonType(sample), "null") : jsonType(sample), type, name);
    if (sample instanceof List<?> list) {
      Map<?, ?> items = document.resolved(OpenApi.object(property, "items"));
      assertEquals(jsonType(list.get(0)), items.get("type"), name);
    }
  }

  private static String jsonType(Object value) {
    return switch (value) {
      case String text -> "string";
      case Long number -> "integer";
      case Boolean truth -> "boolean";
      case List<?> list -> "array";
      case Map<?, ?> map -> "object";
      default -> throw new AssertionError("no type of JSON: " + value);
    };
  }

  @ParameterizedTest
  @MethodSource("requests")
  <T> void aRequestsSchemaIsWhatTheRecordAccepts(Request<T> request) {
    Map<String, Object> full = back(request.writer().apply(Records.full(request.type())));
    document.assertValid(request.schema(), text(full));
    document.assertValid(
        request.schema(), text(back(request.writer().apply(Records.bare(request.type())))));

    Map<?, ?> schema = schema(request.schema());
    Map<?, ?> properties = OpenApi.object(schema, "properties");
    assertEquals(full.keySet(), properties.keySet());
    assertEquals(false, schema.get("additionalProperties"), "they are refused");
    for (String field : full.keySet()) {
      Map<?, ?> property = document.resolved((Map<?, ?>) properties.get(field));
      assertType(field, property, full.get(field), false);
      Map<String, Object> less = new LinkedHashMap<>(full);
      less.remove(field);
      if (required(schema).contains(field)) {
        assertThrows(JsonException.class, () -> request.reader().read(JsonFields.of(less)), field);
      } else {
        assertAccepted(request, less);
      }
    }
    // an instance from the schema's side
    Map<String, Object> least = new LinkedHashMap<>(full);
    least.keySet().retainAll(required(schema));
    assertAccepted(request, least);
  }

  private static void assertAccepted(Request<?> request, Map<String, Object> json) {
    try {
      request.reader().read(JsonFields.of(json));
    } catch (JsonException e) {
      throw new AssertionError(request + " refuses " + json, e);
    }
  }

  /** An outcome is what becomes of a change, with a name or an error. */
  @Test
  void anOutcomeIsAsTheRecordsInIt() {
    Map<?, ?> done = OpenApi.object(schema("Done"), "properties");
    Map<?, ?> outcome = OpenApi.object(schema("Outcome"), "properties");
    Map<Object, Object> expected = new LinkedHashMap<>(done);
    expected.put("stack", outcome.get("stack"));
    expected.put("error", outcome.get("error"));
    assertEquals(expected, outcome);
    assertEquals(List.of("stack"), required(schema("Outcome")));
  }
}
