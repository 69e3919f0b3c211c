package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Where a stack is mounted, or is to be, in the mount namespace of some process.
 *
 * @param pid the process
 * @param pidNamespace that the process id is of, {@code "pid:[4026531836]"}
 * @param target a directory as the process sees it, absolute; absent: where the stack's own target
 *     is, or wherever it is
 */
public record Attachment(long pid, String pidNamespace, Optional<String> target) {
  /** As it crosses the socket. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("pid", pid);
    json.put("pidNamespace", pidNamespace);
    json.put("target", target);
    return json;
  }

  /** The reverse of {@link #json}. Refuses unknown fields. */
  public static Attachment of(JsonFields json) throws JsonException {
    Attachment attachment =
        new Attachment(
            json.number("pid"), json.string("pidNamespace"), json.optionalString("target"));
    json.end();
    return attachment;
  }
}
