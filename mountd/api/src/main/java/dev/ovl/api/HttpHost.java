package dev.ovl.api;

import dev.ovl.json.Json;
import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;

/**
 * A daemon, reached through its socket. One connection, opened when it is needed; one request at a
 * time.
 */
public final class HttpHost implements CommandHost {
  /** Of the archive that an answer is: a trailer behind it, {@link Tally} as JSON. */
  public static final String TALLY = "Ovl-Tally";

  /** Of a request that the daemon makes of itself: the process id of the client it does it for. */
  public static final String CLIENT = "Ovl-Client";

  private static final int BUFFER_BYTES = 128 * 1024;
  private static final Duration FIRST_PATIENCE = Duration.ofSeconds(5);

  /** What a daemon may take beyond its own deadline. */
  private static final Duration SLACK = Duration.ofSeconds(10);

  private final UnixDomainSocketAddress address;
  private final String name;
  private final OptionalInt client;
  private final Json json = new Json();
  private Optional<UnixHttp> connection = Optional.empty();
  private Optional<Duration> patience;

  /**
   * @param address of the socket
   * @param name of the socket, as errors show it
   */
  public HttpHost(UnixDomainSocketAddress address, String name) {
    this(address, name, OptionalInt.empty());
  }

  /**
   * @param address of the socket
   * @param name of the socket, as errors show it
   * @param client the process that it is done for, if that is not this one; the daemon believes it
   *     of itself alone
   */
  public HttpHost(UnixDomainSocketAddress address, String name, OptionalInt client) {
    this(address, name, client, FIRST_PATIENCE);
  }

  /**
   * @param patience with a daemon that has not yet said how long it may take
   */
  HttpHost(UnixDomainSocketAddress address, String name, OptionalInt client, Duration patience) {
    this.client = client;
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
  public Done changeBranch(String name, BranchPatch patch, boolean dryRun) throws HostException {
    return change(Route.BRANCH, name, Optional.of(patch.json()), dryRun);
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
  public Done attach(String name, Attachment to, boolean acceptVolatile, boolean dryRun)
      throws HostException {
    return change(Route.ATTACH, name, Optional.of(to.json()), acceptVolatile, dryRun);
  }

  @Override
  public Done detach(String name, Attachment from, boolean lazy, boolean dryRun)
      throws HostException {
    return change(Route.DETACH, name, Optional.of(from.json()), lazy, dryRun);
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
    exchange(
        call(Route.EVENTS, "").forever(Watch.NONE),
        answer -> {
          LineReader lines = new LineReader(answer.body());
          for (Optional<byte[]> line = lines.next(); line.isPresent(); line = lines.next()) {
            // a daemon sends empty lines to see whether we are there
            if (line.get().length > 0 && !listener.test(json.readObject(line.get()).all())) {
              return false;
            }
          }
          return true;
        });
  }

  // ---- content of stacks and layers ---------------------------------------------------------

  @Override
  public List<StackLevel> levels(String name, Watch watch) throws HostException {
    return exchange(
        call(Route.TREE, name).forever(watch),
        whole(
            answer -> {
              List<StackLevel> levels = new ArrayList<>();
              for (JsonFields level : answer.objects("levels")) {
                levels.add(StackLevel.of(level));
              }
              return levels;
            }));
  }

  @Override
  public List<PathReport> which(String name, List<String> paths) throws HostException {
    return aboutPaths(Route.WHICH, name, paths, Watch.NONE, "paths", PathReport::of);
  }

  @Override
  public List<SharesReport> shares(String name, List<String> paths, Watch watch)
      throws HostException {
    return aboutPaths(Route.SHARES, name, paths, watch, "paths", SharesReport::of);
  }

  @Override
  public List<WastedCopy> wasted(String name, List<String> paths, Watch watch)
      throws HostException {
    return aboutPaths(Route.WASTED, name, paths, watch, "files", WastedCopy::of);
  }

  @Override
  public Tally copyUp(String name, List<String> paths, boolean dryRun, Watch watch)
      throws HostException {
    return exchange(
        call(Route.COPY_UP, name)
            .flags(dryRun)
            .content(new UnixHttp.Content.Json(json.writeLine(Map.of("paths", paths))))
            .forever(watch),
        progress(watch, Tally::of));
  }

  /** Reads one of the records that an answer holds. */
  private interface RecordReader<T> {
    T read(JsonFields json) throws JsonException;
  }

  private <T> List<T> aboutPaths(
      Route route,
      String name,
      List<String> paths,
      Watch watch,
      String field,
      RecordReader<T> reader)
      throws HostException {
    return exchange(
        call(route, name)
            .content(new UnixHttp.Content.Json(json.writeLine(Map.of("paths", paths))))
            .forever(watch),
        whole(
            answer -> {
              List<T> records = new ArrayList<>();
              for (JsonFields record : answer.objects(field)) {
                records.add(reader.read(record));
              }
              return records;
            }));
  }

  @Override
  public List<StackFinding> fsck(
      String name, boolean repair, boolean lowers, boolean dryRun, Watch watch)
      throws HostException {
    return exchange(
        call(Route.FSCK, name).flags(dryRun, repair, lowers).forever(watch),
        progress(
            watch,
            result -> {
              List<StackFinding> findings = new ArrayList<>();
              for (JsonFields finding : result.objects("findings")) {
                findings.add(StackFinding.of(finding));
              }
              return findings;
            }));
  }

  @Override
  public String commit(String name, Optional<String> as, Watch watch) throws HostException {
    return exchange(
        call(Route.COMMIT, name).with("id", as).forever(watch),
        progress(watch, result -> result.string("layer")));
  }

  @Override
  public Done checkCommit(String name, Optional<String> as) throws HostException {
    return exchange(
        call(Route.COMMIT, name).with("id", as).flags(true).forever(Watch.NONE),
        progress(Watch.NONE, Done::of));
  }

  @Override
  public String commitByMove(String name) throws HostException {
    return exchange(
        call(Route.COMMIT, name).flags(false, true),
        progress(Watch.NONE, result -> result.string("layer")));
  }

  @Override
  public Done checkCommitByMove(String name) throws HostException {
    return exchange(call(Route.COMMIT, name).flags(true, true), progress(Watch.NONE, Done::of));
  }

  @Override
  public MergeReport merge(String name, Watch watch) throws HostException {
    return exchange(call(Route.MERGE, name).forever(watch), progress(watch, MergeReport::of));
  }

  @Override
  public Done checkMerge(String name) throws HostException {
    return exchange(
        call(Route.MERGE, name).flags(true).forever(Watch.NONE), progress(Watch.NONE, Done::of));
  }

  @Override
  public String flatten(String name, Optional<String> as, Watch watch) throws HostException {
    return exchange(
        call(Route.FLATTEN, name).with("id", as).forever(watch),
        progress(watch, result -> result.string("layer")));
  }

  @Override
  public Done checkFlatten(String name, Optional<String> as) throws HostException {
    return exchange(
        call(Route.FLATTEN, name).with("id", as).flags(true).forever(Watch.NONE),
        progress(Watch.NONE, Done::of));
  }

  /** A call that concerns the content of a stack, or of a layer by the other route. */
  private Call call(Route ofStack, Route ofLayer, Subject subject) {
    return switch (subject) {
      case Subject.Stack(String name) -> call(ofStack, name);
      case Subject.Layer(LayerName name) -> call(ofLayer, name);
    };
  }

  @Override
  public long changes(
      Subject of, Optional<String> against, Predicate<PathChange> listener, Watch watch)
      throws HostException {
    Call call = call(Route.CHANGES, Route.LAYER_CHANGES, of).with("against", against);
    return exchange(
        call.forever(watch),
        answer -> {
          LineReader lines = new LineReader(answer.body());
          long count = 0;
          watch.begun();
          while (true) {
            JsonFields line = nextLine(lines);
            Optional<JsonFields> result = line.object("result");
            if (result.isPresent()) {
              return result.get().number("changes");
            }
            watch.at(++count, 0);
            if (!listener.test(PathChange.of(line))) {
              return count;
            }
          }
        });
  }

  @Override
  public long size(Subject of, Optional<String> against, Watch watch) throws HostException {
    return exchange(
        call(Route.SIZE, Route.LAYER_SIZE, of).with("against", against).forever(watch),
        whole(answer -> answer.number("bytes")));
  }

  @Override
  public Tally diff(Subject of, Packing packing, WritableByteChannel to, Watch watch)
      throws HostException {
    Call call =
        call(Route.DIFF, Route.LAYER_DIFF, of)
            .with("against", packing.against())
            .with("format", packing.format())
            .with("compress", packing.compression());
    return exchange(
        call.forever(watch),
        answer -> {
          watch.begun();
          byte[] buffer = new byte[BUFFER_BYTES];
          long bytes = 0;
          for (int n = read(answer, buffer); n >= 0; n = read(answer, buffer)) {
            write(to, ByteBuffer.wrap(buffer, 0, n));
            bytes += n;
            watch.at(0, bytes);
          }
          String result = answer.trailers().getOrDefault(TALLY.toLowerCase(Locale.ROOT), "");
          return Tally.of(json.readObject(result.getBytes(StandardCharsets.UTF_8)));
        });
  }

  /** What fails in the middle can only be made to have no end: the log has the reason. */
  private int read(UnixHttp.Answer archive, byte[] buffer) throws IOException, HostException {
    try {
      return archive.body().read(buffer);
    } catch (UnixHttp.CancelledException | InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      throw lost(
          Failure.Kind.UNAVAILABLE, "the daemon ended in the middle of the archive", Route.DIFF, e);
    }
  }

  private static void write(WritableByteChannel to, ByteBuffer bytes) throws HostException {
    try {
      while (bytes.hasRemaining()) {
        to.write(bytes);
      }
    } catch (IOException e) {
      throw new HostException(
          Failure.of(Failure.Kind.FAILED, "cannot write the archive: " + e.getMessage()), e);
    }
  }

  @Override
  public Tally apply(
      Subject to, Optional<String> format, ReadableByteChannel archive, boolean dryRun, Watch watch)
      throws HostException {
    Call call =
        call(Route.APPLY, Route.LAYER_APPLY, to)
            .with("format", format)
            .flags(dryRun)
            .content(new UnixHttp.Content.Flow(archive));
    return exchange(call.forever(watch), progress(watch, Tally::of));
  }

  private JsonFields nextLine(LineReader lines) throws IOException, JsonException, HostException {
    JsonFields line = json.readObject(lines.next().orElseThrow(EOFException::new));
    Optional<JsonFields> error = line.object("error");
    if (error.isPresent()) {
      throw new HostException(Failure.of(error.get()));
    }
    return line;
  }

  /** Lines of progress, and then the result. */
  private <T> BodyReader<T> progress(Watch watch, Reader<T> reader) {
    return answer -> {
      LineReader lines = new LineReader(answer.body());
      watch.begun();
      while (true) {
        JsonFields line = nextLine(lines);
        Optional<JsonFields> result = line.object("result");
        if (result.isPresent()) {
          return reader.read(result.get());
        }
        Optional<JsonFields> progress = line.object("progress");
        if (progress.isPresent()) {
          watch.at(progress.get().number("entries"), progress.get().number("bytes"));
        }
      }
    };
  }

  // ---- layers -------------------------------------------------------------------------------

  @Override
  public List<LayerEntry> layers(Optional<String> driver) throws HostException {
    return exchange(
        call(Route.LAYERS, "").with("driver", driver),
        whole(
            answer -> {
              List<LayerEntry> entries = new ArrayList<>();
              for (JsonFields entry : answer.objects("layers")) {
                entries.add(LayerEntry.of(entry));
              }
              return entries;
            }));
  }

  @Override
  public LayerReport layer(LayerName layer) throws HostException {
    return exchange(call(Route.LAYER_INSPECT, layer), whole(LayerReport::of));
  }

  @Override
  public Done createLayer(LayerDraft draft, boolean dryRun) throws HostException {
    return change(Route.LAYER_CREATE, draft.id(), Optional.of(draft.json()), dryRun);
  }

  @Override
  public List<String> convertLayers(Optional<String> from, String to, boolean keep, Watch watch)
      throws HostException {
    return exchange(
        convert(from, to).flags(false, keep).forever(watch),
        progress(watch, result -> result.strings("layers")));
  }

  @Override
  public Done checkConvertLayers(Optional<String> from, String to) throws HostException {
    return exchange(
        convert(from, to).flags(true).forever(Watch.NONE), progress(Watch.NONE, Done::of));
  }

  private Call convert(Optional<String> from, String to) {
    return call(Route.LAYER_CONVERT, "").with("from", from).with("to", Optional.of(to));
  }

  @Override
  public Done commitLayer(LayerName layer, boolean dryRun) throws HostException {
    return change(Route.LAYER_COMMIT, layer, dryRun);
  }

  @Override
  public Done getLayer(LayerName layer, boolean dryRun) throws HostException {
    return change(Route.LAYER_GET, layer, dryRun);
  }

  @Override
  public Done putLayer(LayerName layer, boolean dryRun) throws HostException {
    return change(Route.LAYER_PUT, layer, dryRun);
  }

  @Override
  public Done removeLayer(LayerName layer, boolean dryRun) throws HostException {
    return change(Route.LAYER_REMOVE, layer, dryRun);
  }

  private Done change(Route route, LayerName layer, boolean dryRun) throws HostException {
    return exchange(call(route, layer).flags(dryRun), whole(Done::of));
  }

  @Override
  public DriverStatus driverStatus(Optional<String> driver) throws HostException {
    return exchange(call(Route.LAYER_STATUS, "").with("driver", driver), whole(DriverStatus::of));
  }

  @Override
  public Done cleanUpLayers(Optional<String> driver, boolean dryRun) throws HostException {
    return exchange(
        call(Route.LAYER_CLEANUP, "").with("driver", driver).flags(dryRun), whole(Done::of));
  }

  // ---- calls --------------------------------------------------------------------------------

  /** How an answer is read. */
  private interface Reader<T> {
    T read(JsonFields answer) throws JsonException;
  }

  private <T> T get(Route route, String name, Reader<T> reader) throws HostException {
    return exchange(call(route, name), whole(reader));
  }

  /**
   * @param flags for the names that the route has, in their order
   */
  private Done change(
      Route route, String name, Optional<Map<String, Object>> body, boolean... flags)
      throws HostException {
    Call call = call(route, name).flags(flags);
    return exchange(
        body.isPresent()
            ? call.content(new UnixHttp.Content.Json(json.writeLine(body.get())))
            : call,
        whole(Done::of));
  }

  /**
   * A request that is to be made.
   *
   * @param query with its question mark, or empty
   * @param patience how long to wait for each part of the answer; absent: for ever
   * @param watch ends it
   */
  private record Call(
      Route route,
      String name,
      String query,
      UnixHttp.Content content,
      Optional<Duration> patience,
      Watch watch) {

    private Call with(String parameter, Optional<String> value) {
      return value.isEmpty() ? this : and(parameter + "=" + Route.encode(value.get()));
    }

    /**
     * @param flags for the names that the route has, in their order
     */
    Call flags(boolean... flags) {
      Call call = this;
      for (int i = 0; i < flags.length; i++) {
        if (flags[i]) {
          call = call.and(route.flags().get(i) + "=true");
        }
      }
      return call;
    }

    private Call and(String pair) {
      String more = (query.isEmpty() ? "?" : query + "&") + pair;
      return new Call(route, name, more, content, patience, watch);
    }

    Call content(UnixHttp.Content body) {
      return new Call(route, name, query, body, patience, watch);
    }

    /** Waits as long as it takes, or until the watch ends it. */
    Call forever(Watch ended) {
      return new Call(route, name, query, content, Optional.empty(), ended);
    }

    UnixHttp.Request request() {
      return new UnixHttp.Request(
          route.method(), route.path(name) + query, content, patience, watch::isCancelled);
    }
  }

  private Call call(Route route, String name) {
    return new Call(route, name, "", new UnixHttp.Content.None(), patience, Watch.NONE);
  }

  private Call call(Route route, LayerName layer) {
    return call(route, layer.id()).with("driver", layer.driver());
  }

  /** How the body of an answer is read. */
  private interface BodyReader<T> {
    T read(UnixHttp.Answer answer) throws IOException, JsonException, HostException;
  }

  private <T> BodyReader<T> whole(Reader<T> reader) {
    return answer -> reader.read(json.readObject(answer.body().readAllBytes()));
  }

  private <T> T exchange(Call call, BodyReader<T> reader) throws HostException {
    UnixHttp http = connection();
    try {
      return exchange(http, call, reader);
    } catch (HostException e) {
      if (http.unread().isEmpty()) {
        throw e;
      }
      throw call.watch().isCancelled() ? cancelled(e) : unread(http.unread().get());
    }
  }

  private <T> T exchange(UnixHttp http, Call call, BodyReader<T> reader) throws HostException {
    Route route = call.route();
    boolean whole = false;
    try {
      UnixHttp.Answer answer = http.ask(call.request());
      if (answer.status() >= 300) {
        Failure failure = failure(answer);
        whole = http.isReusable();
        throw new HostException(failure);
      }
      T result = reader.read(answer);
      whole = http.isReusable();
      return result;
    } catch (UnixHttp.CancelledException e) {
      throw cancelled(e);
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

  private static HostException cancelled(Exception cause) {
    return new HostException(
        new Failure(Failure.Kind.FAILED, "cancelled (ECANCELED)", Optional.of("ECANCELED")), cause);
  }

  private static HostException unread(IOException e) {
    return new HostException(
        Failure.of(Failure.Kind.FAILED, "cannot read the archive: " + e.getMessage()), e);
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
            + (route.access() == Route.Access.WRITE && !route.method().equals("GET")
                ? "; whether it was done is not known"
                : "");
    return new HostException(Failure.of(kind, message), cause);
  }

  private UnixHttp connection() throws HostException {
    if (connection.isPresent() && connection.get().hasEnded()) {
      close();
    }
    if (connection.isEmpty()) {
      try {
        connection = Optional.of(UnixHttp.connect(address, client));
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
