package dev.ovl.api;

import dev.ovl.json.Json;
import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.function.Predicate;

/**
 * A daemon, reached through its socket. One connection, opened when it is needed; one request at a
 * time.
 */
public final class HttpHost implements CommandHost {
  private static final Duration FIRST_PATIENCE = Duration.ofSeconds(5);

  /** What a daemon may take beyond its own deadline. */
  private static final Duration SLACK = Duration.ofSeconds(10);

  private final UnixDomainSocketAddress address;
  private final String name;
  private final Json json = new Json();
  private Optional<UnixHttp> connection = Optional.empty();
  private Optional<Duration> patience;

  /**
   * @param address of the socket
   * @param name of the socket, as errors show it
   */
  public HttpHost(UnixDomainSocketAddress address, String name) {
    this(address, name, FIRST_PATIENCE);
  }

  /**
   * @param patience with a daemon that has not yet said how long it may take
   */
  HttpHost(UnixDomainSocketAddress address, String name, Duration patience) {
    this.address = address;
    this.name = name;
    this.patience = Optional.of(patience);
  }

  /**
   * Who the daemon is. To be asked first: the answer says how long to wait for others.
   *
   * @throws HostException nobody listens, this user may not, or what answers is no daemon of ovl
   */
  public HostInfo about() throws HostException {
    HostInfo info = get(Route.VERSION, "", HostInfo::of);
    patience = Optional.of(Duration.ofSeconds(info.deadlineSeconds()).plus(SLACK));
    return info;
  }

  @Override
  public List<StackEntry> list() throws HostException {
    return get(
        Route.LIST,
        "",
        answer -> {
          List<StackEntry> entries = new ArrayList<>();
          for (JsonFields entry : answer.objects("stacks")) {
            entries.add(StackEntry.of(entry));
          }
          return entries;
        });
  }

  @Override
  public List<String> namesByDependency() throws HostException {
    return get(Route.NAMES, "", answer -> answer.strings("names"));
  }

  @Override
  public StackSummary status(String name) throws HostException {
    return get(Route.STATUS, name, StackSummary::of);
  }

  @Override
  public StackReport inspect(String name) throws HostException {
    return get(Route.INSPECT, name, StackReport::of);
  }

  @Override
  public Done create(StackDraft draft, boolean up, boolean dryRun) throws HostException {
    return change(Route.CREATE, draft.name(), Optional.of(draft.json()), up, dryRun);
  }

  @Override
  public Done set(String name, StackPatch patch, boolean dryRun) throws HostException {
    return change(Route.SET, name, Optional.of(patch.json()), dryRun);
  }

  @Override
  public Done copy(String name, StackCopy copy, boolean dryRun) throws HostException {
    return change(Route.CLONE, name, Optional.of(copy.json()), dryRun);
  }

  @Override
  public Done up(String name, boolean acceptVolatile, boolean dryRun) throws HostException {
    return change(Route.UP, name, Optional.empty(), acceptVolatile, dryRun);
  }

  @Override
  public Done down(String name, boolean lazy, boolean dryRun) throws HostException {
    return change(Route.DOWN, name, Optional.empty(), lazy, dryRun);
  }

  @Override
  public Done remove(String name, boolean force, boolean dryRun) throws HostException {
    return change(Route.REMOVE, name, Optional.empty(), force, dryRun);
  }

  @Override
  public Done mount(MountDraft draft, boolean dryRun) throws HostException {
    return change(Route.MOUNT, draft.target(), Optional.of(draft.json()), dryRun);
  }

  @Override
  public Done umount(String target, boolean lazy, boolean dryRun) throws HostException {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("target", target);
    return change(Route.UMOUNT, target, Optional.of(body), lazy, dryRun);
  }

  @Override
  public StackUsage usage(String name) throws HostException {
    return get(Route.USAGE, name, StackUsage::of);
  }

  @Override
  public List<LowerUsage> sharedLowers() throws HostException {
    return get(
        Route.LOWERS,
        "",
        answer -> {
          List<LowerUsage> lowers = new ArrayList<>();
          for (JsonFields lower : answer.objects("lowers")) {
            lowers.add(LowerUsage.of(lower));
          }
          return lowers;
        });
  }

  @Override
  public Map<String, Object> probe() throws HostException {
    return get(Route.INFO, "", JsonFields::all);
  }

  /**
   * Listens to what happens, until the listener has enough or the daemon ends.
   *
   * @param listener gets each event; false: enough
   */
  public void events(Predicate<Map<String, Object>> listener) throws HostException {
    patience = Optional.empty();
    exchange(
        Route.EVENTS,
        Route.EVENTS.template(),
        Optional.empty(),
        body -> {
          StringBuilder line = new StringBuilder();
          for (int b = body.read(); b >= 0; b = body.read()) {
            if (b != '\n') {
              line.append((char) b);
              continue;
            }
            byte[] text = line.toString().getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
            line.setLength(0);
            // a daemon sends empty lines to see whether we are there
            if (text.length > 0 && !listener.test(json.readObject(text).all())) {
              return false;
            }
          }
          return true;
        });
  }

  /** How an answer is read. */
  private interface Reader<T> {
    T read(JsonFields answer) throws JsonException;
  }

  private <T> T get(Route route, String name, Reader<T> reader) throws HostException {
    return exchange(
        route,
        route.path(name),
        Optional.empty(),
        body -> reader.read(json.readObject(body.readAllBytes())));
  }

  /**
   * @param flags for the names that the route has, in their order
   */
  private Done change(
      Route route, String name, Optional<Map<String, Object>> body, boolean... flags)
      throws HostException {
    StringJoiner query = new StringJoiner("&", "?", "").setEmptyValue("");
    for (int i = 0; i < flags.length; i++) {
      if (flags[i]) {
        query.add(route.flags().get(i) + "=true");
      }
    }
    return exchange(
        route,
        route.path(name) + query,
        body.map(json::writeLine),
        answer -> Done.of(json.readObject(answer.readAllBytes())));
  }

  /** How the body of an answer is read. */
  private interface BodyReader<T> {
    T read(InputStream body) throws IOException, JsonException;
  }

  private <T> T exchange(Route route, String target, Optional<byte[]> request, BodyReader<T> reader)
      throws HostException {
    UnixHttp http = connection();
    boolean whole = false;
    try {
      UnixHttp.Answer answer = http.ask(route.method(), target, request, patience);
      if (answer.status() >= 300) {
        Failure failure = failure(answer);
        whole = http.isReusable();
        throw new HostException(failure);
      }
      T result = reader.read(answer.body());
      whole = http.isReusable();
      return result;
    } catch (InterruptedIOException e) {
      throw lost(Failure.Kind.TIMEOUT, "the daemon does not answer", route, e);
    } catch (UnixHttp.NoDaemonException e) {
      throw lost(Failure.Kind.UNAVAILABLE, e.getMessage(), route, e);
    } catch (IOException e) {
      throw lost(Failure.Kind.UNAVAILABLE, "the daemon ended before it had answered", route, e);
    } catch (JsonException e) {
      throw lost(
          Failure.Kind.UNAVAILABLE,
          "the daemon's answer cannot be read: " + e.getMessage(),
          route,
          e);
    } finally {
      if (!whole) {
        close();
      }
    }
  }

  private Failure failure(UnixHttp.Answer answer) throws IOException {
    byte[] body = answer.body().readAllBytes();
    try {
      Optional<JsonFields> error = json.readObject(body).object("error");
      if (error.isPresent()) {
        return Failure.of(error.get());
      }
    } catch (JsonException e) {
      return Failure.of(
          Failure.Kind.FAILED, "what answers is no ovl daemon (HTTP " + answer.status() + ")");
    }
    return Failure.of(Failure.Kind.FAILED, "HTTP " + answer.status());
  }

  private HostException lost(Failure.Kind kind, String what, Route route, Exception cause) {
    String message =
        what
            + " ("
            + name
            + ")"
            + (route.access() == Route.Access.WRITE ? "; whether it was done is not known" : "");
    return new HostException(Failure.of(kind, message), cause);
  }

  private UnixHttp connection() throws HostException {
    if (connection.isPresent() && connection.get().hasEnded()) {
      close();
    }
    if (connection.isEmpty()) {
      try {
        connection = Optional.of(UnixHttp.connect(address));
      } catch (IOException e) {
        throw new HostException(
            Failure.of(
                Failure.Kind.UNAVAILABLE, "cannot connect to " + name + ": " + e.getMessage()),
            e);
      }
    }
    return connection.get();
  }

  @Override
  public void close() {
    Optional<UnixHttp> open = connection;
    connection = Optional.empty();
    if (open.isPresent()) {
      try {
        open.get().close();
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }
  }
}
