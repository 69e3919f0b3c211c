package dev.ovl.server.api;

import dev.ovl.api.CommandHost;
import dev.ovl.api.Done;
import dev.ovl.api.Failure;
import dev.ovl.api.HostException;
import dev.ovl.api.HostInfo;
import dev.ovl.api.LowerUsage;
import dev.ovl.api.MountDraft;
import dev.ovl.api.Route;
import dev.ovl.api.StackCopy;
import dev.ovl.api.StackDraft;
import dev.ovl.api.StackEntry;
import dev.ovl.api.StackPatch;
import dev.ovl.api.StackUsage;
import dev.ovl.json.Json;
import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import dev.ovl.server.event.Change;
import dev.ovl.server.event.Changes;
import dev.ovl.server.event.EventStream;
import dev.ovl.server.http.HttpAnswer;
import dev.ovl.server.http.HttpRequest;
import dev.ovl.server.http.RequestHandler;
import dev.ovl.server.metric.MetricText;
import dev.ovl.server.metric.OperationMetrics;
import dev.ovl.server.metric.ProcessMetrics;
import dev.ovl.server.metric.UsageMonitor;
import dev.ovl.server.work.Lanes;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Peer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers the requests of the API ({@link Route}). For any number of threads. */
public final class ApiHandler implements RequestHandler {
  private static final Logger LOG = LoggerFactory.getLogger(ApiHandler.class);
  private static final String JSON = "application/json";
  private static final String METRICS = "text/plain; version=0.0.4; charset=utf-8";
  private static final String LINES = "application/x-ndjson";

  /** Before a stack's name; with a slash, which none has, so that it is no other's lane. */
  private static final String QUESTIONS = "?/";

  private static final int QUESTIONS_AT_ONCE = 8;

  /** After this time without an event an empty line tells the client that we are still there. */
  private static final Duration HEARTBEAT = Duration.ofSeconds(15);

  /** How often it is looked whether a client still listens, and whether the daemon ends. */
  private static final Duration LOOK = Duration.ofMillis(500);

  private final CommandHost host;
  private final HostInfo info;
  private final Lanes lanes;
  private final Changes changes;
  private final int uid;
  private final OptionalInt group;
  private final Json json = new Json();
  private final OperationMetrics operations = new OperationMetrics();
  private final UsageMonitor usage;
  private volatile Limits limits;

  /**
   * What may change while the daemon runs.
   *
   * @param forGroup what the socket's group may do
   * @param deadline after so long a request is answered, done or not
   * @param usageInterval between two measurements of what uppers take; zero: none
   */
  public record Limits(GroupAccess forGroup, Duration deadline, Duration usageInterval) {}

  /**
   * @param host carries out
   * @param info who this daemon is
   * @param lanes where work is done
   * @param changes is told of every attempt to change something
   * @param uid the daemon's own
   * @param group of the socket; absent: there is none
   */
  public ApiHandler(
      CommandHost host,
      HostInfo info,
      Lanes lanes,
      Changes changes,
      int uid,
      OptionalInt group,
      Limits limits) {
    this.host = host;
    this.info = info;
    this.lanes = lanes;
    this.changes = changes;
    this.uid = uid;
    this.group = group;
    this.limits = limits;
    this.usage = new UsageMonitor(new Measurements(), limits.usageInterval());
    changes.listen(operations);
  }

  /** Begins what goes on in the background. */
  public void start() {
    usage.start();
  }

  /** From the next request on. */
  public void limit(Limits now) {
    limits = now;
    usage.every(now.usageInterval());
  }

  /** Asked in lanes as others are, so that a file system that hangs holds up only its own stack. */
  private final class Measurements implements UsageMonitor.Source {
    @Override
    public List<String> mounted() {
      try {
        return ask(Route.LIST, host::list).stream()
            .filter(entry -> entry instanceof StackEntry.Known known && known.summary().up())
            .map(StackEntry::name)
            .toList();
      } catch (HostException e) {
        LOG.warn("cannot tell which stacks are up: {}", e.getMessage());
        return List.of();
      }
    }

    @Override
    public Optional<StackUsage> measure(String name) {
      try {
        return Optional.of(ask(name, () -> host.usage(name)));
      } catch (HostException e) {
        LOG.debug("cannot measure {}: {}", name, e.getMessage());
        return Optional.empty();
      }
    }

    @Override
    public List<LowerUsage> sharedLowers() {
      try {
        return ask(Route.LOWERS, host::sharedLowers);
      } catch (HostException e) {
        LOG.debug("cannot tell what of shared lowers is cached: {}", e.getMessage());
        return List.of();
      }
    }
  }

  @Override
  public HttpAnswer handle(HttpRequest request) {
    try {
      return answer(request);
    } catch (HostException e) {
      return failure(e.failure());
    } catch (RuntimeException e) {
      return failure(internal(e));
    }
  }

  private static Failure internal(RuntimeException defect) {
    LOG.error("a defect", defect);
    return Failure.of(Failure.Kind.INTERNAL, "internal error: " + defect);
  }

  @Override
  public HttpAnswer.Whole refuse(int status, String message) {
    return new HttpAnswer.Whole(
        status,
        JSON,
        json.writeLine(Map.of("error", Failure.of(Failure.Kind.USAGE, message).json())));
  }

  // ---- routes -------------------------------------------------------------------------------

  /** A request whose route was found. */
  private record Asked(Route route, String name, HttpRequest request) {
    boolean flag(String flag) {
      return Boolean.parseBoolean(request.query().get(flag));
    }

    boolean dryRun() {
      return flag("dryRun");
    }
  }

  private HttpAnswer answer(HttpRequest request) throws HostException {
    Asked asked = find(request);
    Optional<Failure> refusal =
        new Access(uid, group, limits.forGroup()).refusal(request.peer(), asked.route().access());
    if (refusal.isPresent()) {
      if (asked.route().access() == Route.Access.WRITE) {
        tell(
            asked.route().verb(),
            asked.name(),
            request.peer(),
            System.nanoTime(),
            Optional.empty(),
            refusal);
      }
      throw new HostException(refusal.get());
    }
    return switch (asked.route()) {
      case VERSION -> value(info.json());
      case LIST -> value(Map.of("stacks", list()));
      case NAMES -> value(Map.of("names", ask(Route.NAMES, host::namesByDependency)));
      case INSPECT -> value(ask(asked.name(), () -> host.inspect(asked.name())).json());
      case STATUS -> value(ask(asked.name(), () -> host.status(asked.name())).json());
      case USAGE -> value(ask(asked.name(), () -> host.usage(asked.name())).json());
      case LOWERS -> value(Map.of("lowers", lowers()));
      case INFO -> value(ask(Route.INFO, host::probe));
      case CREATE -> create(asked);
      case SET -> set(asked);
      case CLONE -> copy(asked);
      case UP -> done(asked, asked.name(), () -> up(asked, asked.name()));
      case DOWN -> done(asked, asked.name(), () -> down(asked, asked.name()));
      case REMOVE -> done(asked, asked.name(), () -> remove(asked, asked.name()));
      case UP_MANY -> many(asked, false, name -> up(asked, name));
      case DOWN_MANY -> many(asked, true, name -> down(asked, name));
      case REMOVE_MANY -> many(asked, true, name -> remove(asked, name));
      case MOUNT -> mount(asked);
      case UMOUNT -> umount(asked);
      case EVENTS -> new HttpAnswer.Lines(200, LINES, this::events);
      case METRICS -> new HttpAnswer.Whole(200, METRICS, OsPath.encode(metrics()));
      case OPENAPI -> new HttpAnswer.Whole(200, JSON, openApi());
    };
  }

  private static Asked find(HttpRequest request) throws HostException {
    boolean known = false;
    for (Route route : Route.values()) {
      Optional<String> name = route.match(request.path());
      if (name.isPresent() && route.method().equals(request.method())) {
        for (Map.Entry<String, String> parameter : request.query().entrySet()) {
          check(route, parameter.getKey(), parameter.getValue());
        }
        return new Asked(route, name.get(), request);
      }
      known |= name.isPresent();
    }
    throw usage(
        "no such route: "
            + request.method()
            + " "
            + OsPath.quoted(request.path())
            + (known ? ", other methods exist" : ""));
  }

  private static void check(Route route, String parameter, String value) throws HostException {
    if (!route.flags().contains(parameter)) {
      throw usage("unknown parameter " + OsPath.quoted(parameter));
    }
    if (!value.equals("true") && !value.equals("false")) {
      throw usage(parameter + " is neither true nor false: " + OsPath.quoted(value));
    }
  }

  private List<Map<String, Object>> list() throws HostException {
    return ask(Route.LIST, host::list).stream().map(StackEntry::json).toList();
  }

  private List<Map<String, Object>> lowers() throws HostException {
    return ask(Route.LOWERS, host::sharedLowers).stream().map(LowerUsage::json).toList();
  }

  private String metrics() throws HostException {
    MetricText text = new MetricText();
    operations.writeTo(text);
    Map<String, Long> counts = new TreeMap<>(Map.of("up", 0L, "down", 0L, "unreadable", 0L));
    for (StackEntry entry : ask(Route.LIST, host::list)) {
      counts.merge(
          switch (entry) {
            case StackEntry.Known known -> known.summary().state();
            case StackEntry.Unknown unknown -> "unreadable";
          },
          1L,
          Long::sum);
    }
    text.family("ovl_stacks", "gauge", "Stacks by state.");
    counts.forEach((state, count) -> text.sample(Map.of("state", state), count));
    text.family("ovl_requests_in_progress", "gauge", "Requests under way or waiting.");
    text.sample(Map.of(), lanes.load());
    usage.writeTo(text);
    ProcessMetrics.writeTo(text);
    return text.toString();
  }

  private HttpAnswer create(Asked asked) throws HostException {
    StackDraft draft = body(asked, StackDraft::of);
    return done(asked, draft.name(), () -> host.create(draft, asked.flag("up"), asked.dryRun()));
  }

  private HttpAnswer set(Asked asked) throws HostException {
    StackPatch patch = body(asked, StackPatch::of);
    return done(asked, asked.name(), () -> host.set(asked.name(), patch, asked.dryRun()));
  }

  private HttpAnswer copy(Asked asked) throws HostException {
    StackCopy copy = body(asked, StackCopy::of);
    return done(asked, copy.as(), () -> host.copy(asked.name(), copy, asked.dryRun()));
  }

  private Done up(Asked asked, String name) throws HostException {
    return host.up(name, asked.flag("acceptVolatile"), asked.dryRun());
  }

  private Done down(Asked asked, String name) throws HostException {
    return host.down(name, asked.flag("lazy"), asked.dryRun());
  }

  private Done remove(Asked asked, String name) throws HostException {
    return host.remove(name, asked.flag("force"), asked.dryRun());
  }

  private HttpAnswer mount(Asked asked) throws HostException {
    MountDraft draft = body(asked, MountDraft::of);
    return done(asked, draft.target(), () -> host.mount(draft, asked.dryRun()));
  }

  private HttpAnswer umount(Asked asked) throws HostException {
    String target = body(asked, ApiHandler::target);
    return done(asked, target, () -> host.umount(target, asked.flag("lazy"), asked.dryRun()));
  }

  private static String target(JsonFields body) throws JsonException {
    String target = body.string("target");
    body.end();
    return target;
  }

  private static byte[] openApi() {
    try (InputStream document = ApiHandler.class.getResourceAsStream("openapi.json")) {
      return document.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // ---- work ---------------------------------------------------------------------------------

  /** What a lane carries out. */
  private interface Work<T> {
    T run() throws HostException;
  }

  /** Questions about one stack go beside its changes, a few at once. */
  private <T> T ask(String name, Work<T> question) throws HostException {
    return inLane(QUESTIONS + name, QUESTIONS_AT_ONCE, question);
  }

  /**
   * Questions about all stacks have a lane each: one that hangs on a lower holds up its like only.
   */
  private <T> T ask(Route route, Work<T> question) throws HostException {
    return inLane("? " + route.template(), QUESTIONS_AT_ONCE, question);
  }

  private HttpAnswer done(Asked asked, String object, Work<Done> work) throws HostException {
    return value(change(asked, object, work).json());
  }

  /** A change, told to all who listen. */
  private Done change(Asked asked, String object, Work<Done> work) throws HostException {
    if (asked.dryRun()) {
      return ask(object, work);
    }
    long begin = System.nanoTime();
    Peer peer = asked.request().peer();
    try {
      Done done = inLane(object, 1, work);
      tell(asked.route().verb(), object, peer, begin, done.target(), Optional.empty());
      return done;
    } catch (HostException e) {
      tell(asked.route().verb(), object, peer, begin, Optional.empty(), Optional.of(e.failure()));
      throw e;
    }
  }

  private void tell(
      String verb,
      String object,
      Peer peer,
      long begin,
      Optional<String> target,
      Optional<Failure> failure) {
    changes.tell(
        new Change(
            Instant.now(),
            verb,
            object,
            peer,
            Duration.ofNanos(System.nanoTime() - begin),
            target,
            failure));
  }

  private <T> T inLane(String lane, int width, Work<T> work) throws HostException {
    Duration deadline = limits.deadline();
    try {
      return lanes.run(lane, width, deadline, work::run);
    } catch (Lanes.Full e) {
      throw new HostException(
          Failure.of(Failure.Kind.UNAVAILABLE, "too many requests for it wait already (EAGAIN)"),
          e);
    } catch (Lanes.Late e) {
      String within = " within " + deadline.toSeconds() + " s";
      throw new HostException(
          Failure.of(
              Failure.Kind.TIMEOUT,
              e.begun()
                  ? "was not done" + within + " and goes on: a file system may hang (ETIMEDOUT)"
                  : "was not begun"
                      + within
                      + ": others that concern it are before it (ETIMEDOUT)"),
          e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case HostException refused -> throw refused;
        case RuntimeException defect -> throw new HostException(internal(defect), defect);
        case Error defect -> throw defect;
        default -> throw new IllegalStateException(e.getCause());
      }
    }
  }

  // ---- several stacks -----------------------------------------------------------------------

  /** What is done with each. */
  private interface Each {
    Done on(String name) throws HostException;
  }

  /** A line an outcome, and a last one with the result. One that fails does not stop the rest. */
  private HttpAnswer many(Asked asked, boolean dependentsFirst, Each each) throws HostException {
    List<String> names = names(asked, dependentsFirst);
    return new HttpAnswer.Lines(
        200,
        LINES,
        sink -> {
          int done = 0;
          int failed = 0;
          for (String name : names) {
            Map<String, Object> outcome = new LinkedHashMap<>();
            outcome.put("stack", name);
            try {
              outcome.putAll(change(asked, name, () -> each.on(name)).json());
              done++;
            } catch (HostException e) {
              outcome.put("error", e.failure().json());
              failed++;
            }
            if (!sink.write(json.writeLine(outcome))) {
              return;
            }
          }
          sink.write(json.writeLine(Map.of("result", result(done, failed))));
        });
  }

  private static Map<String, Object> result(int done, int failed) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("done", done);
    result.put("failed", failed);
    return result;
  }

  private List<String> names(Asked asked, boolean dependentsFirst) throws HostException {
    Optional<List<String>> given =
        body(
            asked,
            body -> {
              Optional<List<String>> stacks = body.optionalStrings("stacks");
              if (body.optionalTruth("all") == stacks.isPresent()) {
                throw new JsonException("either stacks or all must be given");
              }
              body.end();
              return stacks;
            });
    if (given.isPresent()) {
      return given.get();
    }
    List<String> all = new ArrayList<>(ask(Route.NAMES, host::namesByDependency));
    return dependentsFirst ? all.reversed() : all;
  }

  // ---- events -------------------------------------------------------------------------------

  private void events(HttpAnswer.LineSink sink) {
    try (EventStream stream = new EventStream(changes)) {
      boolean open = sink.write(new byte[] {'\n'});
      long heard = System.nanoTime();
      while (open) {
        Optional<Change> next = stream.next(LOOK);
        long lost = stream.takeLost();
        if (lost > 0) {
          sink.write(json.writeLine(Map.of("lost", lost)));
        }
        boolean silent = System.nanoTime() - heard > HEARTBEAT.toNanos();
        if (next.isEmpty() && !silent) {
          open = sink.isOpen();
          continue;
        }
        heard = System.nanoTime();
        open = sink.write(next.isPresent() ? json.writeLine(next.get().json()) : new byte[] {'\n'});
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // ---- JSON ---------------------------------------------------------------------------------

  /** How a body is read. */
  private interface BodyReader<T> {
    T read(JsonFields body) throws JsonException;
  }

  private <T> T body(Asked asked, BodyReader<T> reader) throws HostException {
    try {
      return reader.read(json.readObject(asked.request().body()));
    } catch (JsonException e) {
      throw usage("the request's body is wrong: " + e.getMessage());
    }
  }

  private HttpAnswer value(Map<String, Object> value) {
    return new HttpAnswer.Whole(200, JSON, json.writeLine(value));
  }

  private HttpAnswer failure(Failure failure) {
    return new HttpAnswer.Whole(
        failure.kind().status(), JSON, json.writeLine(Map.of("error", failure.json())));
  }

  private static HostException usage(String message) {
    return new HostException(Failure.of(Failure.Kind.USAGE, message));
  }
}
