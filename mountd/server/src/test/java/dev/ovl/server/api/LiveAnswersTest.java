package dev.ovl.server.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.api.Route;
import dev.ovl.server.Daemon;
import dev.ovl.server.DaemonOptions;
import dev.ovl.server.http.RawClient;
import dev.ovl.server.log.Logging;
import dev.ovl.server.systemd.ServiceManager;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Container;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a running daemon answers, on every route, is as the OpenAPI document says. */
@Timeout(120)
class LiveAnswersTest {
  private static final String JSON = "application/json";
  private static final String LINES = "application/x-ndjson";
  private static final String EMPTY_TAR = "\0".repeat(10_240);

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();
  private final OpenApi document = OpenApi.read();
  private final Set<Route> asked = EnumSet.noneOf(Route.class);
  private Daemon daemon;
  private CompletableFuture<Void> served;
  private RawClient client;

  @BeforeEach
  void start() throws Exception {
    Requires.overlay();
    for (String directory : new String[] {"lower", "base", "target"}) {
      scratch.mkdirs(directory);
    }
    Syscalls sys = new LinuxSyscalls();
    daemon =
        Daemon.start(
            sys,
            new DaemonOptions(
                scratch.resolve("root"),
                scratch.resolve("run"),
                Optional.of("root"),
                8,
                new DaemonOptions.Live(
                    GroupAccess.READ,
                    Duration.ofSeconds(30),
                    Duration.ZERO,
                    Logging.Verbosity.INFO)),
            new ServiceManager(sys, Map.of(), ProcessHandle.current().pid()),
            "1.2.3");
    served = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                daemon.serve();
                served.complete(null);
              } catch (ErrnoException | RuntimeException e) {
                served.completeExceptionally(e);
              }
            });
    client = connect();
  }

  private RawClient connect() throws IOException {
    return new RawClient(UnixDomainSocketAddress.of(scratch.resolve("run/mountd.sock").toString()));
  }

  @AfterEach
  void stop() throws Exception {
    client.close();
    daemon.stop();
    served.get();
  }

  /** Asks, and compares the answer with what is documented of the route. */
  private String ask(int status, Route route, String name, String query, String body)
      throws IOException {
    if (body.startsWith("{") || body.startsWith("[")) {
      Map<?, ?> content =
          OpenApi.object(OpenApi.object(document.operation(route), "requestBody"), "content");
      String schema = OpenApi.schemaName(OpenApi.object(content, JSON));
      if (status == 200) {
        document.assertValid(schema, body);
      }
    }
    RawClient.Answer answer = ask(route.method(), route.path(name) + query, body);
    assertEquals(status, answer.status(), answer::body);
    assertDocumented(route, answer);
    asked.add(route);
    return answer.body();
  }

  /** On the same connection, unless the daemon ends it. */
  private RawClient.Answer ask(String method, String target, String body) throws IOException {
    RawClient.Answer answer = client.ask(method, target, body);
    if (answer.header("Connection").orElse("").equals("close")) {
      client.assertEnded();
      client.close();
      client = connect();
    }
    return answer;
  }

  private void assertDocumented(Route route, RawClient.Answer answer) {
    Map<?, ?> content = OpenApi.object(document.response(route, answer.status()), "content");
    String type = answer.header("Content-Type").orElseThrow().replaceFirst(";.*", "");
    assertTrue(content.containsKey(type), route::name);
    String schema = OpenApi.schemaName(OpenApi.object(content, type));
    List<String> values =
        switch (type) {
          case JSON -> List.of(answer.body());
          case LINES -> answer.body().lines().filter(line -> !line.isEmpty()).toList();
          default -> List.of();
        };
    for (String value : values) {
      if (!schema.isEmpty()) {
        document.assertValid(schema, value);
      }
    }
  }

  private String ask(Route route, String name, String query, String body) throws IOException {
    return ask(200, route, name, query, body);
  }

  private String ask(Route route) throws IOException {
    return ask(200, route, "", "", "");
  }

  @Test
  void everyRouteAnswersAsDocumented() throws Exception {
    String here = scratch.path().toString();
    String lowers = "[\"" + here + "/lower\", \"" + here + "/base\"]";
    try (RawClient listener = connect()) {
      listener.say("GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n").head();
      assertEquals("\n", listener.chunk().orElseThrow(), "a sign of life at once");
      ask(Route.VERSION);
      ask(Route.OPENAPI);
      ask(Route.INFO);

      ask(Route.CREATE, "", "?dryRun=true", "{\"name\": \"web\", \"lower\": " + lowers + "}");
      ask(Route.CREATE, "", "?up=true", "{\"name\": \"web\", \"lower\": " + lowers + "}");
      ask(
          Route.CREATE,
          "",
          "",
          "{\"name\": \"ro\", \"readOnly\": true, \"lower\": "
              + lowers
              + ", \"target\": \""
              + here
              + "/target\", \"propagation\": \"private\"}");
      ask(Route.CLONE, "web", "", "{\"as\": \"a b+ü\", \"changes\": {\"method\": \"fd\"}}");
      ask(Route.SET, "a b+ü", "", "{\"options\": [\"index=off\"]}");
      ask(Route.UP, "a b+ü", "?acceptVolatile=false", "");
      ask(Route.UP, "ro", "?dryRun=true", "");
      ask(Route.LIST);
      ask(Route.NAMES);
      for (String name : List.of("web", "ro", "a b+ü")) {
        ask(Route.INSPECT, name, "", "");
        ask(Route.STATUS, name, "", "");
        ask(Route.USAGE, name, "", "");
      }
      ask(Route.LOWERS);
      ask(Route.METRICS);
      ask(Route.DOWN, "web", "?lazy=false", "");
      ask(Route.REMOVE, "a b+ü", "?force=true", "");

      String up = ask(Route.UP_MANY, "", "", "{\"stacks\": [\"web\", \"nosuch\", \"ro\"]}");
      assertEquals(4, up.lines().count(), up);
      assertTrue(up.endsWith("{\"result\":{\"done\":2,\"failed\":1}}\n"), up);
      ask(Route.DOWN_MANY, "", "", "{\"all\": true}");
      ask(Route.REMOVE_MANY, "", "?dryRun=true", "{\"stacks\": [\"web\"]}");
      ask(Route.REMOVE_MANY, "", "", "{\"stacks\": [\"web\", \"ro\"]}");

      attached(lowers);
      branches(lowers);
      layers();
      String target = "\"target\": \"" + here + "/target\"";
      ask(Route.MOUNT, "", "", "{\"lower\": " + lowers + ", " + target + "}");
      ask(Route.UMOUNT, "", "?dryRun=true", "{" + target + "}");
      ask(Route.UMOUNT, "", "", "{" + target + "}");

      assertEvents(listener);
    }
    assertEquals(EnumSet.allOf(Route.class), asked);
  }

  private void attached(String lowers) throws IOException {
    ask(Route.CREATE, "", "", "{\"name\": \"in\", \"lower\": " + lowers + "}");
    String namespace = Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
    try (Container container = Container.start(scratch.resolve("target"))) {
      String process = "\"pid\": " + container.pid() + ", \"pidNamespace\": \"" + namespace + "\"";
      String place = "{" + process + ", \"target\": \"/mnt\"}";
      ask(Route.ATTACH, "in", "?dryRun=true", place);
      String attached = ask(Route.ATTACH, "in", "?acceptVolatile=false", place);
      assertTrue(attached.contains("\"target\":\"/mnt\""), attached);
      String report = ask(Route.INSPECT, "in", "", "");
      assertTrue(report.contains("\"pid\":" + container.pid()), report);
      ask(Route.STATUS, "in", "", "");
      ask(400, Route.DETACH, "in", "", place);
      ask(Route.DETACH, "in", "?dryRun=true", "{" + process + "}");
      ask(Route.DETACH, "in", "?lazy=false", "{" + process + "}");
      String elsewhere = "{\"pid\": 1, \"pidNamespace\": \"pid:[1]\"}";
      ask(409, Route.DETACH, "in", "", elsewhere);
    }
    ask(Route.REMOVE, "in", "", "");
  }

  /** A stack of aufs can be written down where no kernel mounts it. */
  private void branches(String lowers) throws IOException {
    String stack = "{\"name\": \"au\", \"driver\": \"aufs\", \"lower\": ";
    String branch = scratch.path() + "/target=ro";
    ask(Route.CREATE, "", "", stack + lowers + ", \"options\": [\"create=mfs\"]}");
    String add = "{\"change\": \"add\", \"branch\": \"" + branch + "\", \"index\": 1}";
    ask(Route.BRANCH, "au", "?dryRun=true", add);
    ask(Route.BRANCH, "au", "", add);
    String report = ask(Route.INSPECT, "au", "", "");
    assertTrue(report.contains("\"" + branch + "\""), report);
    ask(Route.REMOVE, "au", "", "");
  }

  private void layers() throws IOException {
    ask(Route.LAYER_CREATE, "", "?dryRun=true", "{\"id\": \"base\"}");
    ask(Route.LAYER_CREATE, "", "", "{\"id\": \"base\", \"driver\": \"overlay2\"}");
    ask(Route.LAYER_APPLY, "base", "?dryRun=true", EMPTY_TAR);
    String applied = ask(Route.LAYER_APPLY, "base", "?format=overlay", EMPTY_TAR);
    assertLast("{\"result\":{\"entries\":0,\"bytes\":10240,\"sockets\":0}}", applied);
    String broken = ask(Route.LAYER_APPLY, "base", "", "no archive");
    assertTrue(broken.lines().toList().getLast().startsWith("{\"error\":{\"kind\":"), broken);
    ask(Route.LAYER_COMMIT, "base", "?driver=overlay2", "");
    String top = "{\"id\": \"top\", \"parent\": \"base\", \"readWrite\": true}";
    ask(Route.LAYER_CREATE, "", "", top);
    String got = ask(Route.LAYER_GET, "top", "", "");
    Path place = Path.of(got.replaceFirst("(?s).*\"target\":\"([^\"]+)\".*", "$1"));
    Files.writeString(place.resolve("new"), "new");
    ask(Route.LAYER_INSPECT, "top", "", "");
    ask(Route.LAYER_PUT, "top", "", "");
    assertEquals(
        "{\"kind\":\"A\",\"path\":\"/new\"}\n{\"result\":{\"changes\":1}}\n",
        ask(Route.LAYER_CHANGES, "top", "?against=base", ""));
    assertEquals("{\"bytes\":3}\n", ask(Route.LAYER_SIZE, "top", "", ""));
    for (String query : List.of("", "?compress=none&format=aufs")) {
      ask(Route.LAYER_DIFF, "top", query, "");
    }
    ask(Route.LAYER_COMMIT, "top", "", "");
    ask(Route.CREATE, "", "", "{\"name\": \"on\", \"parent\": \"top\"}");
    ask(Route.INSPECT, "on", "", "");
    ask(Route.CHANGES, "on", "", "");
    ask(Route.SIZE, "on", "", "");
    ask(Route.DIFF, "on", "?format=overlay", "");
    ask(Route.APPLY, "on", "", EMPTY_TAR);
    ask(Route.TREE, "on", "", "");
    String held = ask(Route.WHICH, "on", "", "{\"paths\": [\"/new\", \"/none\"]}");
    assertTrue(held.contains("\"layer\":\"top\""), held);
    String shares = ask(Route.SHARES, "on", "", "{\"paths\": [\"/\", \"/none\"]}");
    assertTrue(shares.contains("\"layer\":\"top\""), shares);
    ask(Route.WASTED, "on", "", "{\"paths\": [\"/\"]}");
    ask(Route.UP, "on", "", "");
    ask(Route.COPY_UP, "on", "?dryRun=true", "{\"paths\": [\"/\"]}");
    ask(Route.COPY_UP, "on", "", "{\"paths\": [\"/new\"]}");
    ask(Route.DOWN, "on", "", "");
    assertLast("{\"result\":{\"findings\":[]}}", ask(Route.FSCK, "on", "?lowers=true", ""));
    ask(Route.FSCK, "on", "?repair=true&dryRun=true", "");
    assertLast("{\"result\":{\"findings\":[]}}", ask(Route.FSCK, "on", "?repair=true", ""));
    ask(Route.COMMIT, "on", "?dryRun=true&id=next", "");
    assertLast("{\"result\":{\"layer\":\"next\"}}", ask(Route.COMMIT, "on", "?id=next", ""));
    ask(409, Route.MERGE, "on", "?dryRun=true", "");
    ask(Route.LAYER_REMOVE, "next", "", "");
    ask(Route.MERGE, "on", "?dryRun=true", "");
    String merged = ask(Route.MERGE, "on", "", "");
    assertTrue(merged.contains("\"layer\":\"top\""), merged);
    ask(Route.FLATTEN, "on", "?dryRun=true&id=flat", "");
    assertLast("{\"result\":{\"layer\":\"flat\"}}", ask(Route.FLATTEN, "on", "?id=flat", ""));
    ask(Route.COMMIT, "on", "?move=true&dryRun=true", "");
    String moved = ask(Route.COMMIT, "on", "?move=true", "").lines().toList().getLast();
    ask(Route.LAYERS, "", "?driver=overlay2", "");
    ask(Route.LAYER_STATUS);
    ask(Route.LAYER_CLEANUP);
    ask(Route.REMOVE, "on", "", "");
    ask(Route.LAYER_CONVERT, "", "?to=vfs&dryRun=true", "");
    String converted = ask(Route.LAYER_CONVERT, "", "?to=vfs", "");
    assertTrue(converted.contains("\"flat\""), converted);
    ask(Route.LAYER_REMOVE, "flat", "?dryRun=true", "");
    String frozen = moved.replaceFirst(".*\"layer\":\"([^\"]+)\".*", "$1");
    for (String id : List.of("flat", frozen, "top", "base")) {
      ask(Route.LAYER_REMOVE, id, "", "");
    }
  }

  /** Lines of progress may come before. */
  private static void assertLast(String expected, String lines) {
    assertEquals(expected, lines.lines().toList().getLast());
  }

  private void assertEvents(RawClient listener) throws IOException {
    List<String> actions = new ArrayList<>();
    while (!actions.contains("umount")) {
      String line = listener.chunk().orElseThrow();
      if (!line.isBlank()) {
        document.assertValid("EventLine", line);
        actions.add(line.replaceFirst("(?s).*\"action\":\"([a-z -]+)\".*", "$1"));
      }
    }
    asked.add(Route.EVENTS);
    assertEquals(
        List.of(
            "create",
            "create",
            "clone",
            "set",
            "up",
            "down",
            "rm",
            "up",
            "up",
            "up",
            "down",
            "down",
            "rm",
            "rm",
            "create",
            "up",
            "down",
            "down",
            "down",
            "rm",
            "create",
            "branch",
            "rm",
            "layer create",
            "layer apply",
            "layer apply",
            "layer commit",
            "layer create",
            "layer get",
            "layer put",
            "layer commit",
            "create",
            "apply",
            "up",
            "copy-up",
            "down",
            "fsck",
            "commit",
            "layer rm",
            "merge",
            "flatten",
            "commit",
            "layer cleanup",
            "rm",
            "layer convert",
            "layer rm",
            "layer rm",
            "layer rm",
            "layer rm",
            "mount",
            "umount"),
        actions,
        "checks are none, questions neither");
  }

  @Test
  void errorsAreAsDocumented() throws IOException {
    String here = scratch.path().toString();
    ask(404, Route.UP, "nosuch", "", "");
    ask(404, Route.INSPECT, "nosuch", "", "");
    ask(404, Route.LAYER_REMOVE, "nosuch", "", "");
    ask(404, Route.LAYER_CHANGES, "nosuch", "", "");
    ask(404, Route.LAYER_DIFF, "nosuch", "", "");
    ask(404, Route.LAYER_APPLY, "nosuch", "", EMPTY_TAR);
    ask(404, Route.APPLY, "nosuch", "", EMPTY_TAR);
    ask(404, Route.TREE, "nosuch", "", "");
    ask(404, Route.WHICH, "nosuch", "", "{\"paths\": [\"/\"]}");
    ask(400, Route.WHICH, "on", "", "{\"paths\": [1]}");
    ask(400, Route.WHICH, "on", "", "{}");
    ask(404, Route.BRANCH, "nosuch", "", "{\"change\": \"rm\", \"branch\": \"/a\"}");
    ask(400, Route.BRANCH, "on", "", "{\"change\": \"turn\", \"branch\": \"/a\"}");
    ask(404, Route.FSCK, "nosuch", "", "");
    ask(404, Route.FSCK, "nosuch", "?repair=true", "");
    ask(404, Route.COMMIT, "nosuch", "", "");
    ask(404, Route.MERGE, "nosuch", "", "");
    ask(404, Route.FLATTEN, "nosuch", "", "");
    ask(400, Route.FLATTEN, "nosuch", "?id=-", "");
    ask(404, Route.COMMIT, "nosuch", "?move=true", "");
    ask(400, Route.COMMIT, "nosuch", "?move=true&id=a", "");
    ask(400, Route.LAYER_CONVERT, "", "", "");
    ask(400, Route.LAYER_CONVERT, "", "?to=nosuch", "");
    ask(400, Route.LAYER_INSPECT, "-", "", "");
    ask(400, Route.LAYERS, "", "?driver=nosuch", "");
    ask(400, Route.LAYER_DIFF, "nosuch", "?format=zip", "");
    ask(400, Route.LAYER_APPLY, "nosuch", "?format=zip", EMPTY_TAR);
    ask(400, Route.LAYER_CREATE, "", "", "{\"id\": \"a/b\"}");
    ask(409, Route.LAYER_CREATE, "", "", "{\"id\": \"a\", \"parent\": \"nosuch\"}");
    ask(409, Route.UMOUNT, "", "", "{\"target\": \"" + here + "/target\"}");
    ask(400, Route.LIST, "", "?x=true", "");
    ask(400, Route.UP, "web", "?dryRun=yes", "");
    ask(400, Route.UP, "a/b", "", "");
    ask(400, Route.CREATE, "", "", "no JSON");
    ask(400, Route.CREATE, "", "", "{\"name\": \"web\", \"lower\": [\"relative\"]}");
    ask(413, Route.CREATE, "", "", " ".repeat((1 << 20) + 1));
  }

  /** Of bodies that no record stands for the daemon wants what the schema says, too. */
  @Test
  void bodiesAreReadStrictly() throws IOException {
    for (String body : List.of("{}", "{\"target\": 1}", "{\"target\": \"/\", \"x\": 1}", "[]")) {
      ask(400, Route.UMOUNT, "", "?dryRun=true", body);
    }
    for (Route route : List.of(Route.UP_MANY, Route.DOWN_MANY, Route.REMOVE_MANY)) {
      for (String body :
          List.of(
              "{}",
              "{\"all\": false}",
              "{\"all\": true, \"stacks\": []}",
              "{\"all\": \"yes\"}",
              "{\"stacks\": [1]}",
              "{\"stacks\": [], \"x\": 1}")) {
        ask(400, route, "", "?dryRun=true", body);
      }
      ask(route, "", "?dryRun=true", "{\"stacks\": [], \"all\": false}");
      ask(route, "", "?dryRun=true", "{\"all\": true}");
    }
  }

  @Test
  void whatIsNoRouteSaysSo() throws IOException {
    RawClient.Answer answer = ask("GET", "/v1/nosuch", "");
    assertEquals(400, answer.status());
    document.assertValid("Error", answer.body());
    assertTrue(answer.body().contains("no such route: GET /v1/nosuch\""), answer::body);
    answer = ask("PUT", "/v1/stacks/web", "");
    assertEquals(400, answer.status());
    assertTrue(answer.body().contains("other methods exist"), answer::body);
  }
}
