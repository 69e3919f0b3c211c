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
    /** It changes something, which equals root. */
    WRITE
  }

  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  private final String verb;
  private final String method;
  private final String template;
  private final Access access;

  /** Separated by blanks. */
  private final String flags;

  Route(String verb, String method, String template, Access access, String flags) {
    this.verb = verb;
    this.method = method;
    this.template = template;
    this.access = access;
    this.flags = flags;
  }

  /** What is done, as ovlctl names it where it has a verb for it. */
  public String verb() {
    return verb;
  }

  /** {@code GET} and the like. */
  public String method() {
    return method;
  }

  /** The path, in which {@code {name}} stands for a stack's name. */
  public String template() {
    return template;
  }

  /** What it needs. */
  public Access access() {
    return access;
  }

  /** Names of parameters in the query that are {@code true} or {@code false}, the default. */
  public List<String> flags() {
    return flags.isEmpty() ? List.of() : List.of(flags.split(" "));
  }

  /** The path for a stack; {@code name} is ignored where none is in it. */
  public String path(String name) {
    return template.replace("{name}", encode(name));
  }

  /**
   * The stack's name in a path of this route; an empty text for a route without one.
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

  /** Percent-encoded, as RFC 3986 wants it within a path. */
  private static String encode(String name) {
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
