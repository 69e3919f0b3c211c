package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Why a request was refused or failed.
 *
 * @param kind what its maker can do about it
 * @param message one line for a person: what, where and why, the errno in parentheses
 * @param errno its name, {@code "EBUSY"}, where there is one
 */
public record Failure(Kind kind, String message, Optional<String> errno) {

  /** What the maker of a request can do about its failure. */
  public enum Kind {
    /** Ask for something else: the request makes no sense, whatever the machine's state. */
    USAGE("usage", 400),
    /** Nothing: the one who asks may not. */
    FORBIDDEN("forbidden", 403),
    /** There is no such stack. */
    NO_SUCH_STACK("no-such-stack", 404),
    /** There is no such layer. */
    NO_SUCH_LAYER("no-such-layer", 404),
    /** It could not be carried out as things are. */
    FAILED("failed", 409),
    /** It was not done when its time was over, and may still be going on. */
    TIMEOUT("timeout", 504),
    /** The daemon cannot take it, or was lost: too much to do, ending, gone. */
    UNAVAILABLE("unavailable", 503),
    /** A defect in ovl. */
    INTERNAL("internal", 500);

    private final String word;
    private final int status;

    Kind(String word, int status) {
      this.word = word;
      this.status = status;
    }

    /** As JSON has it. */
    public String word() {
      return word;
    }

    /** The status of HTTP that goes with it. */
    public int status() {
      return status;
    }

    static Kind of(String word) {
      for (Kind kind : values()) {
        if (kind.word.equals(word)) {
          return kind;
        }
      }
      // of a newer daemon
      return FAILED;
    }
  }

  /** Without errno. */
  public static Failure of(Kind kind, String message) {
    return new Failure(kind, message, Optional.empty());
  }

  /** {@code {"kind": "failed", "message": "… (EBUSY)", "errno": "EBUSY"}}. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("kind", kind.word());
    json.put("message", message);
    json.put("errno", errno);
    return json;
  }

  /** The reverse of {@link #json}. */
  public static Failure of(JsonFields json) throws JsonException {
    return new Failure(
        Kind.of(json.string("kind")), json.string("message"), json.optionalString("errno"));
  }
}
