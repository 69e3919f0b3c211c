package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Who a daemon is: by this a client knows whether it is the right one.
 *
 * @param version of ovl
 * @param java of its runtime
 * @param pid in its own pid namespace
 * @param root its root directory
 * @param rootId device and inode of that, {@code "254:0 1234"}
 * @param run its run directory
 * @param mountNamespace {@code "mnt:[4026531841]"}: its mounts are seen there
 * @param deadlineSeconds after so long a request is answered, done or not
 */
public record HostInfo(
    String version,
    String java,
    long pid,
    String root,
    String rootId,
    String run,
    String mountNamespace,
    long deadlineSeconds) {

  /** As it crosses the socket. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("version", version);
    json.put("java", java);
    json.put("pid", pid);
    json.put("root", root);
    json.put("rootId", rootId);
    json.put("run", run);
    json.put("mountNamespace", mountNamespace);
    json.put("deadlineSeconds", deadlineSeconds);
    return json;
  }

  /** The reverse of {@link #json}. */
  public static HostInfo of(JsonFields json) throws JsonException {
    return new HostInfo(
        json.string("version"),
        json.string("java"),
        json.number("pid"),
        json.string("root"),
        json.string("rootId"),
        json.string("run"),
        json.string("mountNamespace"),
        json.number("deadlineSeconds"));
  }
}
