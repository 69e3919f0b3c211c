package dev.ovl.server.api;

import dev.ovl.api.Attachment;
import dev.ovl.api.BranchPatch;
import dev.ovl.api.CommandHost;
import dev.ovl.api.Done;
import dev.ovl.api.Failure;
import dev.ovl.api.HostException;
import dev.ovl.api.HostInfo;
import dev.ovl.api.HttpHost;
import dev.ovl.api.LayerDraft;
import dev.ovl.api.LayerEntry;
import dev.ovl.api.LayerName;
import dev.ovl.api.LowerUsage;
import dev.ovl.api.MergeReport;
import dev.ovl.api.MountDraft;
import dev.ovl.api.Packing;
import dev.ovl.api.PathReport;
import dev.ovl.api.Route;
import dev.ovl.api.SharesReport;
import dev.ovl.api.StackCopy;
import dev.ovl.api.StackDraft;
import dev.ovl.api.StackEntry;
import dev.ovl.api.StackFinding;
import dev.ovl.api.StackLevel;
import dev.ovl.api.StackPatch;
import dev.ovl.api.StackUsage;
import dev.ovl.api.Subject;
import dev.ovl.api.Tally;
import dev.ovl.api.WastedCopy;
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
import java.nio.charset.StandardCharsets;
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
import java.util.function.Function;
import java.util.stream.Stream;
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

  /** Before a layer's id. */
  private static final String LAYER = "layer/";

  /** The lane of what concerns them all. */
  private static final String ALL_LAYERS = "layers/";

  /** The beginning of the paths of single layers. */
  private static final String LAYERS = "/v1/layers/";

  /** Before the name of what is read through. */
  private static final String READING = "read/";

  private static final int READING_AT_ONCE = 8;

  private static final String TAR = "application/x-tar";
  private static final Map<String, String> ARCHIVES =
      Map.of("gzip", "application/gzip", "zstd", "application/zstd");

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

    Optional<String> text(String parameter) {
      return Optional.ofNullable(request.query().get(parameter));
    }

    LayerName layer() {
      return new LayerName(name, text("driver"));
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
      case BRANCH -> changeBranch(asked);
      case CLONE -> copy(asked);
      case UP -> done(asked, asked.name(), () -> up(asked, asked.name()));
      case DOWN -> done(asked, asked.name(), () -> down(asked, asked.name()));
      case REMOVE -> done(asked, asked.name(), () -> remove(asked, asked.name()));
      case UP_MANY -> many(asked, false, name -> up(asked, name));
      case DOWN_MANY -> many(asked, true, name -> down(asked, name));
      case REMOVE_MANY -> many(asked, true, name -> remove(asked, name));
      case ATTACH -> attach(asked);
      case DETACH -> detach(asked);
      case MOUNT -> mount(asked);
      case UMOUNT -> umount(asked);
      case CHANGES -> changes(asked, new Subject.Stack(asked.name()));
      case LAYER_CHANGES -> changes(asked, new Subject.Layer(asked.layer()));
      case SIZE -> size(asked, new Subject.Stack(asked.name()));
      case LAYER_SIZE -> size(asked, new Subject.Layer(asked.layer()));
      case DIFF -> diff(asked, new Subject.Stack(asked.name()));
      case LAYER_DIFF -> diff(asked, new Subject.Layer(asked.layer()));
      case APPLY -> apply(asked, new Subject.Stack(asked.name()));
      case LAYER_APPLY -> apply(asked, new Subject.Layer(asked.layer()));
      case COMMIT -> commit(asked);
      case MERGE -> merge(asked);
      case FLATTEN -> flatten(asked);
      case TREE -> levels(asked);
      case WHICH -> which(asked);
      case SHARES -> shares(asked);
      case WASTED -> wasted(asked);
      case COPY_UP -> copyUp(asked);
      case FSCK -> fsck(asked);
      case LAYERS -> value(Map.of("layers", layers(asked)));
      case LAYER_INSPECT -> value(askLayer(asked, () -> host.layer(asked.layer())).json());
      case LAYER_STATUS ->
          value(ask(asked.route(), () -> host.driverStatus(asked.text("driver"))).json());
      case LAYER_CREATE -> createLayer(asked);
      case LAYER_REMOVE -> layerDone(asked, () -> host.removeLayer(asked.layer(), asked.dryRun()));
      case LAYER_COMMIT -> layerDone(asked, () -> host.commitLayer(asked.layer(), asked.dryRun()));
      case LAYER_GET -> layerDone(asked, () -> host.getLayer(asked.layer(), asked.dryRun()));
      case LAYER_PUT -> layerDone(asked, () -> host.putLayer(asked.layer(), asked.dryRun()));
      case LAYER_CLEANUP ->
          done(
              asked,
              ALL_LAYERS,
              asked.text("driver").orElse("layers"),
              () -> host.cleanUpLayers(asked.text("driver"), asked.dryRun()));
      case LAYER_CONVERT -> convert(asked);
      case EVENTS -> new HttpAnswer.Lines(200, LINES, this::events);
      case METRICS -> new HttpAnswer.Whole(200, METRICS, OsPath.encode(metrics()));
      case OPENAPI -> new HttpAnswer.Whole(200, JSON, openApi());
    };
  }

  @Override
  public boolean takesBodyAsItComes(String method, String path) {
    return Stream.of(Route.APPLY, Route.LAYER_APPLY)
        .anyMatch(route -> route.method().equals(method) && route.match(path).isPresent());
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
    if (route.texts().contains(parameter)) {
      return;
    }
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

  private HttpAnswer changeBranch(Asked asked) throws HostException {
    BranchPatch patch = body(asked, BranchPatch::of);
    return done(asked, asked.name(), () -> host.changeBranch(asked.name(), patch, asked.dryRun()));
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

  private HttpAnswer attach(Asked asked) throws HostException {
    Attachment to = body(asked, Attachment::of);
    boolean acceptVolatile = asked.flag("acceptVolatile");
    return done(
        asked, asked.name(), () -> host.attach(asked.name(), to, acceptVolatile, asked.dryRun()));
  }

  private HttpAnswer detach(Asked asked) throws HostException {
    Attachment from = body(asked, Attachment::of);
    boolean lazy = asked.flag("lazy");
    return done(asked, asked.name(), () -> host.detach(asked.name(), from, lazy, asked.dryRun()));
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

  // ---- layers -------------------------------------------------------------------------------

  private List<Map<String, Object>> layers(Asked asked) throws HostException {
    return ask(Route.LAYERS, () -> host.layers(asked.text("driver"))).stream()
        .map(LayerEntry::json)
        .toList();
  }

  private HttpAnswer createLayer(Asked asked) throws HostException {
    LayerDraft draft = body(asked, LayerDraft::of);
    return done(
        asked, LAYER + draft.id(), draft.id(), () -> host.createLayer(draft, asked.dryRun()));
  }

  private HttpAnswer layerDone(Asked asked, Work<Done> work) throws HostException {
    return done(asked, LAYER + asked.name(), asked.name(), work);
  }

  private <T> T askLayer(Asked asked, Work<T> question) throws HostException {
    return ask(LAYER + asked.name(), question);
  }

  // ---- content: as long as it takes ---------------------------------------------------------

  /** What reads goes beside changes, and beside what is asked in short. */
  private <T> LongWork<T> reading(Asked asked, LongWork.Job<T> job) throws HostException {
    String kind = asked.route().template().startsWith(LAYERS) ? LAYER : "";
    return begin(asked, READING + kind + asked.name(), READING_AT_ONCE, false, job);
  }

  private <T> LongWork<T> begin(
      Asked asked, String lane, int width, boolean joined, LongWork.Job<T> job)
      throws HostException {
    try {
      return new LongWork<>(lanes, lane, width, asked.request().client(), joined, job);
    } catch (Lanes.Full e) {
      throw full(e);
    }
  }

  /** An answer of one value. */
  private <T> HttpAnswer value(LongWork<T> work, Function<T, Map<String, Object>> json)
      throws HostException {
    try (work) {
      work.awaitEnd();
      return value(json.apply(work.result()));
    }
  }

  private HttpAnswer size(Asked asked, Subject of) throws HostException {
    return value(
        reading(asked, (watch, pieces) -> host.size(of, asked.text("against"), watch)),
        bytes -> Map.of("bytes", bytes));
  }

  private HttpAnswer levels(Asked asked) throws HostException {
    return value(
        reading(asked, (watch, pieces) -> host.levels(asked.name(), watch)),
        levels -> Map.of("levels", levels.stream().map(StackLevel::json).toList()));
  }

  private HttpAnswer which(Asked asked) throws HostException {
    List<String> paths = body(asked, ApiHandler::paths);
    return value(
        reading(asked, (watch, pieces) -> host.which(asked.name(), paths)),
        reports -> Map.of("paths", reports.stream().map(PathReport::json).toList()));
  }

  private HttpAnswer shares(Asked asked) throws HostException {
    List<String> paths = body(asked, ApiHandler::paths);
    return value(
        reading(asked, (watch, pieces) -> host.shares(asked.name(), paths, watch)),
        reports -> Map.of("paths", reports.stream().map(SharesReport::json).toList()));
  }

  private HttpAnswer wasted(Asked asked) throws HostException {
    List<String> paths = body(asked, ApiHandler::paths);
    return value(
        reading(asked, (watch, pieces) -> host.wasted(asked.name(), paths, watch)),
        files -> Map.of("files", files.stream().map(WastedCopy::json).toList()));
  }

  private HttpAnswer fsck(Asked asked) throws HostException {
    String name = asked.name();
    boolean repair = asked.flag("repair");
    LongWork.Job<List<StackFinding>> job =
        (watch, pieces) -> {
          Work<List<StackFinding>> work =
              () -> host.fsck(name, repair, asked.flag("lowers"), asked.dryRun(), watch);
          return repair ? told(asked, name, findings -> Optional.empty(), work) : work.run();
        };
    return lines(
        repair && !asked.dryRun() ? begin(asked, name, 1, true, job) : reading(asked, job),
        true,
        findings -> Map.of("findings", findings.stream().map(StackFinding::json).toList()));
  }

  private static List<String> paths(JsonFields body) throws JsonException {
    List<String> paths = body.strings("paths");
    body.end();
    return paths;
  }

  private HttpAnswer changes(Asked asked, Subject of) throws HostException {
    return lines(
        reading(
            asked,
            (watch, pieces) ->
                host.changes(
                    of,
                    asked.text("against"),
                    change -> pieces.take(json.writeLine(change.json())),
                    watch)),
        false,
        count -> Map.of("changes", count));
  }

  private HttpAnswer apply(Asked asked, Subject to) throws HostException {
    String lane = (to instanceof Subject.Layer ? LAYER : "") + asked.name();
    return lines(
        begin(
            asked,
            lane,
            1,
            true,
            (watch, pieces) ->
                told(
                    asked,
                    asked.name(),
                    tally -> Optional.empty(),
                    () ->
                        host.apply(
                            to,
                            asked.text("format"),
                            new StreamChannel(asked.request().content()),
                            asked.dryRun(),
                            watch))),
        true,
        Tally::json);
  }

  private HttpAnswer commit(Asked asked) throws HostException {
    String name = asked.name();
    Optional<String> as = asked.text("id");
    boolean move = asked.flag("move");
    if (move && as.isPresent()) {
      throw usage("a layer that was a stack's upper keeps its id");
    }
    if (asked.dryRun()) {
      return lines(
          reading(
              asked,
              (watch, pieces) -> move ? host.checkCommitByMove(name) : host.checkCommit(name, as)),
          false,
          Done::json);
    }
    LongWork.Job<String> job =
        (watch, pieces) ->
            told(
                asked,
                name,
                layer -> Optional.empty(),
                () -> move ? host.commitByMove(name) : host.commit(name, as, watch));
    // a copy changes nothing of the stack, which can go down and up meanwhile
    return lines(
        move ? begin(asked, name, 1, true, job) : reading(asked, job),
        true,
        layer -> Map.of("layer", layer));
  }

  private HttpAnswer convert(Asked asked) throws HostException {
    Optional<String> from = asked.text("from");
    String to = asked.text("to").orElseThrow(() -> usage("to is missing: a driver's name"));
    if (asked.dryRun()) {
      return lines(
          reading(asked, (watch, pieces) -> host.checkConvertLayers(from, to)), false, Done::json);
    }
    return lines(
        begin(
            asked,
            ALL_LAYERS,
            1,
            true,
            (watch, pieces) ->
                told(
                    asked,
                    to,
                    ids -> Optional.empty(),
                    () -> host.convertLayers(from, to, asked.flag("keep"), watch))),
        true,
        ids -> Map.of("layers", ids));
  }

  private HttpAnswer copyUp(Asked asked) throws HostException {
    String name = asked.name();
    List<String> paths = body(asked, ApiHandler::paths);
    return lines(
        // it works in the mount, and lets the stack go down meanwhile
        reading(
            asked,
            (watch, pieces) ->
                told(
                    asked,
                    name,
                    tally -> Optional.empty(),
                    () -> host.copyUp(name, paths, asked.dryRun(), watch))),
        true,
        Tally::json);
  }

  private HttpAnswer merge(Asked asked) throws HostException {
    String name = asked.name();
    if (asked.dryRun()) {
      return lines(reading(asked, (watch, pieces) -> host.checkMerge(name)), false, Done::json);
    }
    return lines(
        begin(
            asked,
            name,
            1,
            true,
            (watch, pieces) ->
                told(asked, name, report -> Optional.empty(), () -> host.merge(name, watch))),
        true,
        MergeReport::json);
  }

  private HttpAnswer flatten(Asked asked) throws HostException {
    String name = asked.name();
    Optional<String> as = asked.text("id");
    if (asked.dryRun()) {
      return lines(
          reading(asked, (watch, pieces) -> host.checkFlatten(name, as)), false, Done::json);
    }
    return lines(
        reading(
            asked,
            (watch, pieces) ->
                told(asked, name, layer -> Optional.empty(), () -> host.flatten(name, as, watch))),
        true,
        layer -> Map.of("layer", layer));
  }

  /** Lines that the work gives, perhaps how far it is, and a last one with how it ended. */
  private <T> HttpAnswer lines(
      LongWork<T> work, boolean progress, Function<T, Map<String, Object>> json)
      throws HostException {
    work.awaitBegun();
    Optional<LongWork.Telling> telling = progress ? Optional.of(this::progress) : Optional.empty();
    return new HttpAnswer.Lines(
        200,
        LINES,
        new HttpAnswer.Source() {
          @Override
          public void writeTo(HttpAnswer.LineSink sink) {
            if (work.send(sink, telling)) {
              sink.write(last(work, json));
            } else {
              sink.giveUp();
            }
          }

          @Override
          public void close() {
            work.close();
          }
        });
  }

  private byte[] progress(LongWork.Far far) {
    Map<String, Object> progress = new LinkedHashMap<>();
    progress.put("entries", far.entries());
    progress.put("bytes", far.bytes());
    return json.writeLine(Map.of("progress", progress));
  }

  private <T> byte[] last(LongWork<T> work, Function<T, Map<String, Object>> result) {
    try {
      return json.writeLine(Map.of("result", result.apply(work.result())));
    } catch (HostException e) {
      return json.writeLine(Map.of("error", e.failure().json()));
    } catch (RuntimeException e) {
      return json.writeLine(Map.of("error", internal(e).json()));
    }
  }

  private HttpAnswer diff(Asked asked, Subject of) throws HostException {
    Packing packing =
        new Packing(asked.text("against"), asked.text("format"), asked.text("compress"));
    LongWork<Tally> work = reading(asked, (watch, pieces) -> host.diff(of, packing, pieces, watch));
    work.awaitBegun();
    return new HttpAnswer.Lines(
        200, ARCHIVES.getOrDefault(packing.compression().orElse(""), TAR), new Archive(work));
  }

  /** An archive, and behind it what is in it; whoever gets no end has no archive. */
  private final class Archive implements HttpAnswer.Source {
    private final LongWork<Tally> work;

    Archive(LongWork<Tally> work) {
      this.work = work;
    }

    @Override
    public Optional<String> trailer() {
      return Optional.of(HttpHost.TALLY);
    }

    @Override
    public void writeTo(HttpAnswer.LineSink sink) {
      try {
        if (work.send(sink, Optional.empty())) {
          byte[] tally = json.writeLine(work.result().json());
          sink.end(new String(tally, StandardCharsets.US_ASCII).strip());
          return;
        }
      } catch (HostException e) {
        LOG.warn("an archive broke off: {}", e.getMessage());
      } catch (RuntimeException e) {
        var _ = internal(e);
      }
      sink.giveUp();
    }

    @Override
    public void close() {
      work.close();
    }
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
    return done(asked, object, object, work);
  }

  private HttpAnswer done(Asked asked, String lane, String object, Work<Done> work)
      throws HostException {
    return value(change(asked, lane, object, work).json());
  }

  /** A change, told to all who listen. */
  private Done change(Asked asked, String lane, String object, Work<Done> work)
      throws HostException {
    return asked.dryRun()
        ? ask(lane, work)
        : told(asked, object, Done::target, () -> inLane(lane, 1, work));
  }

  private <T> T told(Asked asked, String object, Function<T, Optional<String>> target, Work<T> work)
      throws HostException {
    if (asked.dryRun()) {
      return work.run();
    }
    long begin = System.nanoTime();
    Peer peer = asked.request().peer();
    try {
      T done = work.run();
      tell(asked.route().verb(), object, peer, begin, target.apply(done), Optional.empty());
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
      throw full(e);
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

  private static HostException full(Lanes.Full e) {
    return new HostException(
        Failure.of(Failure.Kind.UNAVAILABLE, "too many requests for it wait already (EAGAIN)"), e);
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
              outcome.putAll(change(asked, name, name, () -> each.on(name)).json());
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
