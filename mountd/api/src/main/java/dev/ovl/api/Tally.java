package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What went through a piece of work.
 *
 * @param entries files, deletions and whatever else an archive or a comparison has
 * @param bytes of the archive, unpacked, or of the data that was compared
 * @param sockets that were left out, since archives cannot hold them
 */
public record Tally(long entries, long bytes, long sockets) {

  /** As it crosses the socket. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("entries", entries);
    json.put("bytes", bytes);
    json.put("sockets", sockets);
    return json;
  }

  /** The reverse of {@link #json}. */
  public static Tally of(JsonFields json) throws JsonException {
    return new Tally(json.number("entries"), json.number("bytes"), json.number("sockets"));
  }
}
