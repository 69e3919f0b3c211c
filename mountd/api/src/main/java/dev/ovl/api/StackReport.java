package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All that is known of a stack.
 *
 * @param driver its driver's name
 * @param up whether it is mounted in the host's mount namespace
 * @param remark what is odd about the mount: covered by another, moved by hand
 * @param target where it is, or would be, mounted
 * @param mountedOn where it is mounted now
 * @param lower topmost first: plain directories, and below them the layers of the chain
 * @param chain ids of the layers whose directories the last lowers are, in the same order; the
 *     first is the stack's parent
 * @param branch the branches of an aufs, topmost first, {@code DIR=PERMISSION}; none for an overlay
 * @param upper absent on a read-only stack
 * @param work absent on a read-only stack, and on aufs
 * @param options as the mount gets them, defaults included
 * @param propagation asked for; absent: as the kernel decides
 * @param method by which it is, or would be, mounted
 * @param methodForced whether it was asked for
 * @param nested whether the bottom lowers are folded into one
 * @param mountId the kernel's, unique for the boot where it has such ids
 * @param device of the mount, {@code "0:53"}
 * @param layer the driver's layer that is the stack's own
 * @param links names of its short links
 * @param elsewhere its mounts in other mount namespaces
 */
public record StackReport(
    String name,
    String driver,
    boolean up,
    Optional<String> remark,
    String target,
    Optional<String> mountedOn,
    List<String> lower,
    List<String> chain,
    List<String> branch,
    Optional<String> upper,
    Optional<String> work,
    List<String> options,
    Optional<String> propagation,
    String method,
    boolean methodForced,
    boolean nested,
    Optional<Long> mountId,
    Optional<String> device,
    Optional<String> layer,
    List<String> links,
    List<Elsewhere> elsewhere) {

  /** Copies the lists. */
  public StackReport {
    lower = List.copyOf(lower);
    chain = List.copyOf(chain);
    branch = List.copyOf(branch);
    options = List.copyOf(options);
    links = List.copyOf(links);
    elsewhere = List.copyOf(elsewhere);
  }

  /** An element of {@code inspect --json}. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", name);
    json.put("driver", driver);
    json.put("state", up ? StackSummary.UP : StackSummary.DOWN);
    json.put("remark", remark);
    json.put("target", target);
    json.put("mountedOn", mountedOn);
    json.put("lower", lower);
    json.put("parent", chain.isEmpty() ? null : chain.get(0));
    json.put("chain", chain);
    json.put("branch", branch);
    // null rather than left out: DESIGN promises these fields
    json.put("upper", upper.orElse(null));
    json.put("work", work.orElse(null));
    json.put("readOnly", upper.isEmpty());
    json.put("options", options);
    json.put("propagation", propagation);
    json.put("method", method);
    json.put("methodForced", methodForced);
    json.put("nested", nested);
    json.put("mountId", mountId.orElse(null));
    json.put("device", device);
    json.put("layer", layer);
    json.put("links", links);
    json.put("elsewhere", elsewhere.stream().map(Elsewhere::json).toList());
    return json;
  }

  /** The reverse of {@link #json}. */
  public static StackReport of(JsonFields json) throws JsonException {
    List<Elsewhere> elsewhere = new ArrayList<>();
    for (JsonFields each : json.objects("elsewhere")) {
      elsewhere.add(Elsewhere.of(each));
    }
    return new StackReport(
        json.string("name"),
        json.string("driver"),
        json.string("state").equals(StackSummary.UP),
        json.optionalString("remark"),
        json.string("target"),
        json.optionalString("mountedOn"),
        json.strings("lower"),
        json.strings("chain"),
        json.strings("branch"),
        json.optionalString("upper"),
        json.optionalString("work"),
        json.strings("options"),
        json.optionalString("propagation"),
        json.string("method"),
        json.truth("methodForced"),
        json.truth("nested"),
        json.optionalNumber("mountId"),
        json.optionalString("device"),
        json.optionalString("layer"),
        json.strings("links"),
        elsewhere);
  }
}
