package dev.ovl.cli.doctor;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One thing that was looked at.
 *
 * @param subject what, in a few words
 * @param severity how it is
 * @param text what was found, on one line
 * @param remedy what to do about it; absent where there is nothing to do
 */
public record Finding(String subject, Severity severity, String text, Optional<String> remedy) {

  /** How it is. */
  public enum Severity {
    /** As it should be. */
    OK("ok"),
    /** Worth knowing. */
    NOTE("note"),
    /** Something does not work, or will not. */
    PROBLEM("problem");

    private final String word;

    Severity(String word) {
      this.word = word;
    }

    /** As text and JSON have it. */
    public String word() {
      return word;
    }
  }

  static Finding ok(String subject, String text) {
    return new Finding(subject, Severity.OK, text, Optional.empty());
  }

  static Finding note(String subject, String text) {
    return new Finding(subject, Severity.NOTE, text, Optional.empty());
  }

  static Finding note(String subject, String text, String remedy) {
    return new Finding(subject, Severity.NOTE, text, Optional.of(remedy));
  }

  static Finding problem(String subject, String text, String remedy) {
    return new Finding(subject, Severity.PROBLEM, text, Optional.of(remedy));
  }

  /** An element of {@code doctor --json}. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("subject", subject);
    json.put("severity", severity.word());
    json.put("finding", text);
    json.put("remedy", remedy);
    return json;
  }
}
