package dev.ovl.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.json.Json;
import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import dev.ovl.testkit.Records;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is sent is what arrives: every record to JSON text and back, no byte of a name lost. */
class RecordsTest {
  private static final Json JSON = new Json();

  /** A record's reading. */
  interface Reader<T> {
    T read(JsonFields json) throws JsonException;
  }

  /**
   * A record.
   *
   * @param strict whether it is a request, in which an unknown field is an error
   */
  record Kind<T>(
      Class<T> type, Function<T, Map<String, Object>> writer, Reader<T> reader, boolean strict) {
    T back(T value) throws JsonException {
      return reader.read(JSON.readObject(JSON.writeLine(writer.apply(value))));
    }

    @Override
    public String toString() {
      return type.getSimpleName();
    }
  }

  static Stream<Kind<?>> kinds() {
    return Stream.of(
        new Kind<>(HostInfo.class, HostInfo::json, HostInfo::of, false),
        new Kind<>(StackSummary.class, StackSummary::json, StackSummary::of, false),
        new Kind<>(StackReport.class, StackReport::json, StackReport::of, false),
        new Kind<>(Elsewhere.class, Elsewhere::json, Elsewhere::of, false),
        new Kind<>(StackUsage.class, StackUsage::json, StackUsage::of, false),
        new Kind<>(LowerUsage.class, LowerUsage::json, LowerUsage::of, false),
        new Kind<>(LayerSummary.class, LayerSummary::json, LayerSummary::of, false),
        new Kind<>(LayerReport.class, LayerReport::json, LayerReport::of, false),
        new Kind<>(DriverStatus.class, DriverStatus::json, DriverStatus::of, false),
        new Kind<>(StackLevel.class, StackLevel::json, StackLevel::of, false),
        new Kind<>(StackFinding.class, StackFinding::json, StackFinding::of, false),
        new Kind<>(PathReport.class, PathReport::json, PathReport::of, false),
        new Kind<>(SharesReport.class, SharesReport::json, SharesReport::of, false),
        new Kind<>(WastedCopy.class, WastedCopy::json, WastedCopy::of, false),
        new Kind<>(MergeReport.class, MergeReport::json, MergeReport::of, false),
        new Kind<>(PathChange.class, PathChange::json, PathChange::of, false),
        new Kind<>(Done.class, Done::json, Done::of, false),
        new Kind<>(Failure.class, Failure::json, Failure::of, false),
        new Kind<>(StackDraft.class, StackDraft::json, StackDraft::of, true),
        new Kind<>(Attachment.class, Attachment::json, Attachment::of, true),
        new Kind<>(StackPatch.class, StackPatch::json, StackPatch::of, true),
        new Kind<>(BranchPatch.class, BranchPatch::json, BranchPatch::of, true),
        new Kind<>(StackCopy.class, StackCopy::json, StackCopy::of, true),
        new Kind<>(LayerDraft.class, LayerDraft::json, LayerDraft::of, true),
        new Kind<>(MountDraft.class, MountDraft::json, MountDraft::of, true));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  <T> void comesBackAsItWas(Kind<T> kind) throws JsonException {
    T full = Records.full(kind.type());
    assertEquals(full, kind.back(full));
    T bare = Records.bare(kind.type());
    assertEquals(bare, kind.back(bare));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  <T> void goesAsUtf8OnOneLine(Kind<T> kind) {
    byte[] text = JSON.writeLine(kind.writer().apply(Records.full(kind.type())));
    String line = new String(text, StandardCharsets.UTF_8);
    assertEquals(1, line.lines().count());
    assertTrue(line.contains("\\udcff ü\u20ac\ud83d\ude00"), line);
  }

  @ParameterizedTest
  @MethodSource("kinds")
  <T> void unknownFieldsAreAnErrorInRequestsAlone(Kind<T> kind) throws JsonException {
    T full = Records.full(kind.type());
    Map<String, Object> more = new LinkedHashMap<>(kind.writer().apply(full));
    more.put("fieldOfAnotherVersion", 1L);
    if (kind.strict()) {
      assertEquals(
          "unknown field fieldOfAnotherVersion",
          assertThrows(JsonException.class, () -> kind.reader().read(JsonFields.of(more)))
              .getMessage());
    } else {
      assertEquals(full, kind.reader().read(JsonFields.of(more)));
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  <T> void aFieldOfTheWrongKindIsAnError(Kind<T> kind) {
    Map<String, Object> json = kind.writer().apply(Records.full(kind.type()));
    for (String name : json.keySet()) {
      boolean ofStack = kind.type() == StackReport.class;
      if ((ofStack && name.equals("readOnly"))
          || ((ofStack || kind.type() == LayerReport.class) && name.equals("parent"))) {
        // told for people; it is read off other fields
        continue;
      }
      Map<String, Object> wrong = new LinkedHashMap<>(json);
      wrong.put(name, Map.of("deep", List.of(List.of())));
      assertThrows(JsonException.class, () -> kind.reader().read(JsonFields.of(wrong)), name);
    }
  }

  @Test
  void anEntryIsAStackOrWhyItCannotBeRead() throws JsonException {
    for (StackEntry entry :
        List.of(
            new StackEntry.Known(Records.full(StackSummary.class)),
            new StackEntry.Known(Records.bare(StackSummary.class)),
            new StackEntry.Unknown("web", Records.TEXT))) {
      assertEquals(entry, StackEntry.of(JSON.readObject(JSON.writeLine(entry.json()))));
    }
  }

  @Test
  void anEntryIsALayerOrWhyItIsBroken() throws JsonException {
    for (LayerEntry entry :
        List.of(
            new LayerEntry.Known(Records.full(LayerSummary.class)),
            new LayerEntry.Known(Records.bare(LayerSummary.class)),
            new LayerEntry.Unknown("base", Records.TEXT))) {
      assertEquals(entry, LayerEntry.of(JSON.readObject(JSON.writeLine(entry.json()))));
    }
  }

  /** Of numbers alone. */
  @Test
  void aTallyComesBackAsItWas() throws JsonException {
    Tally tally = Records.full(Tally.class);
    assertEquals(tally, Tally.of(JSON.readObject(JSON.writeLine(tally.json()))));
  }

  @Test
  void aFailureOfANewerDaemonIsAFailure() throws JsonException {
    assertEquals(
        Failure.of(Failure.Kind.FAILED, "why"),
        Failure.of(JsonFields.of(Map.of("kind", "of-tomorrow", "message", "why"))));
    for (Failure.Kind kind : Failure.Kind.values()) {
      Failure failure = Failure.of(kind, "why");
      assertEquals(failure, Failure.of(JsonFields.of(failure.json())));
    }
  }
}
