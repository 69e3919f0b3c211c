package dev.ovl.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * JSON texts to values and back. Values are {@link Map} (in order), {@link List}, {@link String},
 * {@link Long}, {@link Boolean} and null; writing also takes {@link Optional}, whose absence leaves
 * the field out, and anything whose text form is meant (dev.ovl.sys.OsPath).
 *
 * <p>Reading is strict: one value, no duplicate names, nothing after it. Strings may hold lone
 * surrogates, which stand for bytes that are not UTF-8 (dev.ovl.sys.OsPath); they are written as
 * escapes ({@code "\udc80"}), so the text itself is always valid UTF-8.
 */
public final class Json {
  private static final int MAX_DEPTH = 32;

  /** What Jackson says of a source that it does not show. */
  private static final Pattern SOURCE = Pattern.compile(" \\(start marker at .*\\)");

  private final JsonFactory factory =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /**
   * Reads one object.
   *
   * @throws JsonException the text is no JSON object, or not only that; the message says where
   */
  public JsonFields readObject(byte[] text) throws JsonException {
    try (JsonParser parser = factory.createParser(decode(text))) {
      parser.nextToken();
      if (!(value(parser, 0) instanceof Map<?, ?> map)) {
        throw new JsonException("it is not an object");
      }
      if (parser.nextToken() != null) {
        throw new JsonException("there is something after the object");
      }
      return new JsonFields("", map);
    } catch (JsonParseException e) {
      throw new JsonException(
          SOURCE.matcher(e.getOriginalMessage()).replaceAll("")
              + " at line "
              + e.getLocation().getLineNr()
              + ", column "
              + e.getLocation().getColumnNr());
    } catch (IOException e) {
      throw new JsonException(e.getMessage());
    }
  }

  private static String decode(byte[] text) throws CharacterCodingException {
    return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString();
  }

  private static Object value(JsonParser parser, int depth) throws IOException, JsonException {
    JsonToken token = parser.currentToken();
    if (depth > MAX_DEPTH) {
      throw new JsonException("it is nested too deeply");
    }
    if (token == null) {
      throw new JsonException("it is empty");
    }
    switch (token) {
      case START_OBJECT:
        Map<String, Object> map = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          parser.nextToken();
          map.put(name, value(parser, depth + 1));
        }
        return map;
      case START_ARRAY:
        List<Object> list = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          list.add(value(parser, depth + 1));
        }
        return list;
      case VALUE_STRING:
        return parser.getText();
      case VALUE_NUMBER_INT:
        return parser.getLongValue();
      case VALUE_TRUE:
        return true;
      case VALUE_FALSE:
        return false;
      case VALUE_NULL:
        return null;
      default:
        throw new JsonException("a " + token.asString() + " is not expected");
    }
  }

  /** The text of a value on many lines, indented by two, with a newline at the end. */
  public byte[] writePretty(Object value) {
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter(
            Separators.createDefaultInstance()
                .withObjectFieldValueSpacing(Separators.Spacing.AFTER));
    printer.indentArraysWith(DefaultIndenter.SYSTEM_LINEFEED_INSTANCE.withLinefeed("\n"));
    printer.indentObjectsWith(DefaultIndenter.SYSTEM_LINEFEED_INSTANCE.withLinefeed("\n"));
    return write(value, Optional.of(printer));
  }

  /** The text of a value on one line, with a newline at the end. */
  public byte[] writeLine(Object value) {
    return write(value, Optional.empty());
  }

  private byte[] write(Object value, Optional<DefaultPrettyPrinter> printer) {
    StringWriter text = new StringWriter();
    try (JsonGenerator generator = factory.createGenerator(text)) {
      printer.ifPresent(generator::setPrettyPrinter);
      write(generator, value);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return (escapeLoneSurrogates(text.toString()) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private static void write(JsonGenerator generator, Object value) throws IOException {
    switch (value) {
      case null -> generator.writeNull();
      case Map<?, ?> map -> {
        generator.writeStartObject();
        for (Map.Entry<?, ?> field : map.entrySet()) {
          Object content =
              field.getValue() instanceof Optional<?> optional
                  ? optional.orElse(null)
                  : field.getValue();
          if (content != null || !(field.getValue() instanceof Optional<?>)) {
            generator.writeFieldName(String.valueOf(field.getKey()));
            write(generator, content);
          }
        }
        generator.writeEndObject();
      }
      case Iterable<?> list -> {
        generator.writeStartArray();
        for (Object element : list) {
          write(generator, element);
        }
        generator.writeEndArray();
      }
      case Boolean truth -> generator.writeBoolean(truth);
      case Integer number -> generator.writeNumber(number);
      case Long number -> generator.writeNumber(number);
      default -> generator.writeString(value.toString());
    }
  }

  /**
   * Lone surrogates occur only within strings, so that their escapes may replace them in the text.
   */
  private static String escapeLoneSurrogates(String text) {
    StringBuilder out = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean pair =
          Character.isHighSurrogate(c)
              && i + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(i + 1));
      if (pair) {
        if (out != null) {
          out.append(c).append(text.charAt(i + 1));
        }
        i++;
      } else if (Character.isSurrogate(c)) {
        if (out == null) {
          out = new StringBuilder(text.length() + 16).append(text, 0, i);
        }
        out.append("\\u").append(Integer.toHexString(c));
      } else if (out != null) {
        out.append(c);
      }
    }
    return out == null ? text : out.toString();
  }
}
