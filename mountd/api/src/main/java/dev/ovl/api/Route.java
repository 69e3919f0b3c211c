package dev.ovl.api;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * The methods and paths of the API. The one list of them: the client asks by it, the daemon answers
 * by it, and the OpenAPI document is compared with it.
 */
public enum Route {
  /** {@link HostInfo}. */
  VERSION("version", "GET", "/v1/version", Access.READ, ""),
  /** {@link CommandHost#list}: {@code {"stacks": […]}}. */
  LIST("ls", "GET", "/v1/stacks", Access.READ, ""),
  /** {@link CommandHost#namesByDependency}: {@code {"names": […]}}. */
  NAMES("ls", "GET", "/v1/names", Access.READ, ""),
  /** {@link CommandHost#create}. */
  CREATE("create", "POST", "/v1/stacks", Access.WRITE, "up dryRun"),
  /** {@link CommandHost#inspect}. */
  INSPECT("inspect", "GET", "/v1/stacks/{name}", Access.READ, ""),
  /** {@link CommandHost#set}. */
  SET("set", "PATCH", "/v1/stacks/{name}", Access.WRITE, "dryRun"),
  /** {@link CommandHost#changeBranch}. */
  BRANCH("branch", "POST", "/v1/stacks/{name}/branch", Access.WRITE, "dryRun"),
  /** {@link CommandHost#remove}. */
  REMOVE("rm", "DELETE", "/v1/stacks/{name}", Access.WRITE, "force dryRun"),
  /** {@link CommandHost#status}. */
  STATUS("status", "GET", "/v1/stacks/{name}/status", Access.READ, ""),
  /** {@link CommandHost#copy}. */
  CLONE("clone", "POST", "/v1/stacks/{name}/clone", Access.WRITE, "dryRun"),
  /** {@link CommandHost#up}. */
  UP("up", "POST", "/v1/stacks/{name}/up", Access.WRITE, "acceptVolatile dryRun"),
  /** {@link CommandHost#down}. */
  DOWN("down", "POST", "/v1/stacks/{name}/down", Access.WRITE, "lazy dryRun"),
  /** {@link CommandHost#attach}. */
  ATTACH("up", "POST", "/v1/stacks/{name}/attach", Access.WRITE, "acceptVolatile dryRun"),
  /** {@link CommandHost#detach}. */
  DETACH("down", "POST", "/v1/stacks/{name}/detach", Access.WRITE, "lazy dryRun"),
  /** {@link CommandHost#up} of several: a line an outcome, then the result. */
  UP_MANY("up", "POST", "/v1/up", Access.WRITE, "acceptVolatile dryRun"),
  /** {@link CommandHost#down} of several: a line an outcome, then the result. */
  DOWN_MANY("down", "POST", "/v1/down", Access.WRITE, "lazy dryRun"),
  /** {@link CommandHost#remove} of several: a line an outcome, then the result. */
  REMOVE_MANY("rm", "POST", "/v1/rm", Access.WRITE, "force dryRun"),
  /** {@link CommandHost#mount}. */
  MOUNT("mount", "POST", "/v1/mount", Access.WRITE, "dryRun"),
  /** {@link CommandHost#umount}: {@code {"target": …}}. */
  UMOUNT("umount", "POST", "/v1/umount", Access.WRITE, "lazy dryRun"),
  /** {@link CommandHost#usage}. */
  USAGE("stats", "GET", "/v1/stacks/{name}/usage", Access.READ, ""),
  /** {@link CommandHost#sharedLowers}: {@code {"lowers": […]}}. */
  LOWERS("stats", "GET", "/v1/lowers", Access.READ, ""),
  /** {@link CommandHost#changes}: a line a change, then the result. */
  CHANGES("changes", "GET", "/v1/stacks/{name}/changes", Access.READ, ""),
  /** {@link CommandHost#size}: {@code {"bytes": …}}. */
  SIZE("size", "GET", "/v1/stacks/{name}/size", Access.READ, ""),
  /** {@link CommandHost#diff}: the archive; a {@link Tally} behind it. */
  DIFF("diff", "GET", "/v1/stacks/{name}/diff", Access.WRITE, "", "format compress"),
  /** {@link CommandHost#apply}: lines of progress, then the result. */
  APPLY("apply", "POST", "/v1/stacks/{name}/apply", Access.WRITE, "dryRun", "format"),
  /** {@link CommandHost#commit}: lines of progress, then the result. */
  COMMIT("commit", "POST", "/v1/stacks/{name}/commit", Access.WRITE, "dryRun move", "id"),
  /** {@link CommandHost#merge}: lines of progress, then the result. */
  MERGE("merge", "POST", "/v1/stacks/{name}/merge", Access.WRITE, "dryRun"),
  /** {@link CommandHost#flatten}: lines of progress, then the result. */
  FLATTEN("flatten", "POST", "/v1/stacks/{name}/flatten", Access.WRITE, "dryRun", "id"),
  /** {@link CommandHost#levels}: {@code {"levels": […]}}. */
  TREE("tree", "GET", "/v1/stacks/{name}/tree", Access.READ, ""),
  /** {@link CommandHost#which}, a question with a body: {@code {"paths": […]}} both ways. */
  WHICH("which", "POST", "/v1/stacks/{name}/which", Access.READ, ""),
  /** {@link CommandHost#shares}, a question with a body: {@code {"paths": […]}} both ways. */
  SHARES("which", "POST", "/v1/stacks/{name}/shares", Access.READ, ""),
  /** {@link CommandHost#wasted}: {@code {"paths": […]}} to {@code {"files": […]}}. */
  WASTED("which", "POST", "/v1/stacks/{name}/wasted", Access.READ, ""),
  /** {@link CommandHost#copyUp}: {@code {"paths": […]}}; lines of progress, then the result. */
  COPY_UP("copy-up", "POST", "/v1/stacks/{name}/copy-up", Access.WRITE, "dryRun"),
  /** {@link CommandHost#fsck}: lines of progress, then the result. */
  FSCK("fsck", "POST", "/v1/stacks/{name}/fsck", Access.WRITE, "dryRun repair lowers"),
  /** {@link CommandHost#layers}: {@code {"layers": […]}}. */
  LAYERS("layer ls", "GET", "/v1/layers", Access.READ, "", "driver"),
  /** {@link CommandHost#createLayer}. */
  LAYER_CREATE("layer create", "POST", "/v1/layers", Access.WRITE, "dryRun"),
  /** {@link CommandHost#layer}. */
  LAYER_INSPECT("layer inspect", "GET", "/v1/layers/{name}", Access.READ, "", "driver"),
  /** {@link CommandHost#removeLayer}. */
  LAYER_REMOVE("layer rm", "DELETE", "/v1/layers/{name}", Access.WRITE, "dryRun", "driver"),
  /** {@link CommandHost#commitLayer}. */
  LAYER_COMMIT(
      "layer commit", "POST", "/v1/layers/{name}/commit", Access.WRITE, "dryRun", "driver"),
  /** {@link CommandHost#getLayer}. */
  LAYER_GET("layer get", "POST", "/v1/layers/{name}/get", Access.WRITE, "dryRun", "driver"),
  /** {@link CommandHost#putLayer}. */
  LAYER_PUT("layer put", "POST", "/v1/layers/{name}/put", Access.WRITE, "dryRun", "driver"),
  /** {@link CommandHost#changes}: a line a change, then the result. */
  LAYER_CHANGES(
      "layer changes", "GET", "/v1/layers/{name}/changes", Access.READ, "", "driver against"),
  /** {@link CommandHost#size}: {@code {"bytes": …}}. */
  LAYER_SIZE("layer size", "GET", "/v1/layers/{name}/size", Access.READ, "", "driver against"),
  /** {@link CommandHost#diff}: the archive; a {@link Tally} behind it. */
  LAYER_DIFF(
      "layer diff",
      "GET",
      "/v1/layers/{name}/diff",
      Access.WRITE,
      "",
      "driver against format compress"),
  /** {@link CommandHost#apply}: lines of progress, then the result. */
  LAYER_APPLY(
      "layer apply", "POST", "/v1/layers/{name}/apply", Access.WRITE, "dryRun", "driver format"),
  /** {@link CommandHost#convertLayers}: lines of progress, then the result. */
  LAYER_CONVERT(
      "layer convert", "POST", "/v1/layer-convert", Access.WRITE, "dryRun keep", "from to"),
  /** {@link CommandHost#driverStatus}. Beside the layers, since one may be called status. */
  LAYER_STATUS("layer status", "GET", "/v1/layer-status", Access.READ, "", "driver"),
  /** {@link CommandHost#cleanUpLayers}. */
  LAYER_CLEANUP("layer cleanup", "POST", "/v1/layer-cleanup", Access.WRITE, "dryRun", "driver"),
  /** {@link CommandHost#probe}. */
  INFO("info", "GET", "/v1/info", Access.READ, ""),
  /** What happens, a line an event, for as long as the client listens. */
  EVENTS("events", "GET", "/v1/events", Access.READ, ""),
  /** Counters in the text format of Prometheus. */
  METRICS("metrics", "GET", "/v1/metrics", Access.READ, ""),
  /** The OpenAPI document. */
  OPENAPI("openapi", "GET", "/v1/openapi.json", Access.READ, "");

  /** What a request needs. */
  public enum Access {
    /** It changes nothing. */
    READ,
    /** It changes something, or reads what is in all files, which equals root. */
    WRITE
  }

  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  private final String verb;
  private final String method;
  private final String template;
  private final Access access;

  /** Separated by blanks. */
  private final String flags;

  /** Separated by blanks. */
  private final String texts;

  Route(String verb, String method, String template, Access access, String flags) {
    this(verb, method, template, access, flags, "");
  }

  Route(String verb, String method, String template, Access access, String flags, String texts) {
    this.verb = verb;
    this.method = method;
    this.template = template;
    this.access = access;
    this.flags = flags;
    this.texts = texts;
  }

  /** What is done, as ovlctl names it where it has a verb for it. */
  public String verb() {
    return verb;
  }

  /** {@code GET} and the like. */
  public String method() {
    return method;
  }

  /** The path, in which {@code {name}} stands for a stack's name or a layer's id. */
  public String template() {
    return template;
  }

  /** What it needs. */
  public Access access() {
    return access;
  }

  /** Names of parameters in the query that are {@code true} or {@code false}, the default. */
  public List<String> flags() {
    return words(flags);
  }

  /** Names of parameters in the query that are texts. */
  public List<String> texts() {
    return words(texts);
  }

  private static List<String> words(String text) {
    return text.isEmpty() ? List.of() : List.of(text.split(" "));
  }

  /** The path for a stack or layer; {@code name} is ignored where none is in it. */
  public String path(String name) {
    return template.replace("{name}", encode(name));
  }

  /**
   * The name in a path of this route; an empty text for a route without one.
   *
   * @return absent: the path is not of this route
   */
  public Optional<String> match(String path) {
    int before = template.indexOf("{name}");
    if (before < 0) {
      return path.equals(template) ? Optional.of("") : Optional.empty();
    }
    String prefix = template.substring(0, before);
    String suffix = template.substring(before + "{name}".length());
    if (!path.startsWith(prefix)
        || !path.endsWith(suffix)
        || path.length() <= prefix.length() + suffix.length()) {
      return Optional.empty();
    }
    String name = path.substring(prefix.length(), path.length() - suffix.length());
    return name.contains("/") ? Optional.empty() : decode(name);
  }

  /** Percent-encoded, as RFC 3986 wants it within a path and within a value of a query. */
  static String encode(String name) {
    StringBuilder path = new StringBuilder();
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      if (c < 0x80 && (Character.isLetterOrDigit(c) || "-._~".indexOf(c) >= 0)) {
        path.append(c);
      } else {
        path.append('%').append(HEX.toHexDigits(b));
      }
    }
    return path.toString();
  }

  private static Optional<String> decode(String name) {
    try {
      // a plus is a plus within a path
      return Optional.of(URLDecoder.decode(name.replace("+", "%2B"), StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
