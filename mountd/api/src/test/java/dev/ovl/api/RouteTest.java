package dev.ovl.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a stack is called, its path leads to it and to nothing else. */
class RouteTest {
  private static final String NAME = "{name}";

  private static List<Route> named() {
    return Arrays.stream(Route.values()).filter(route -> route.template().contains(NAME)).toList();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "web",
        "a+b",
        "ü",
        "a b",
        "a%2Fb",
        "%",
        "%2",
        "/",
        "a/b",
        "?",
        "a?b=c",
        "#",
        "..",
        "status",
        "up",
        "{name}",
        "€\ud83d\ude00",
        "a\nb",
        "\"",
        "\\",
        ";=&",
        "~-._"
      })
  void everyNameSurvives(String name) {
    for (Route route : named()) {
      String path = route.path(name);
      assertTrue(path.matches("[A-Za-z0-9._~%/-]+"), path);
      assertEquals(
          route.template().chars().filter(c -> c == '/').count(),
          path.chars().filter(c -> c == '/').count(),
          path);
      assertEquals(Optional.of(name), route.match(path), path);
      // and no other route of that method takes it
      for (Route other : Route.values()) {
        if (other != route && other.method().equals(route.method())) {
          assertEquals(Optional.empty(), other.match(path), other + " takes " + path);
        }
      }
    }
  }

  @Test
  void pathsMayBeEncodedMoreThanNeeded() {
    assertEquals(Optional.of("web"), Route.INSPECT.match("/v1/stacks/%77eb"));
    assertEquals(Optional.of("a/b"), Route.INSPECT.match("/v1/stacks/a%2fb"));
    assertEquals(Optional.of("a+b"), Route.INSPECT.match("/v1/stacks/a+b"));
    assertEquals(Optional.of("a+b"), Route.INSPECT.match("/v1/stacks/a%2Bb"));
  }

  @Test
  void whatIsNoPathOfARouteIsNotTaken() {
    for (String path :
        List.of(
            "",
            "/",
            "/v1",
            "/v1/",
            "/v2/stacks",
            "/v1/stacks/",
            "/v1/stacks//status",
            "/v1/stacks/a/b/status",
            "/v1/stacks/a/",
            "/v1/stacks/a/status/",
            "/V1/stacks",
            "v1/stacks",
            "/v1/stacks/%zz",
            "/v1/stacks/%2",
            "/v1/stacks/%")) {
      for (Route route : Route.values()) {
        assertEquals(Optional.empty(), route.match(path), route + " takes " + path);
      }
    }
    assertEquals(Optional.of(""), Route.LIST.match("/v1/stacks"));
  }

  @Test
  void noTwoRoutesAreTheSame() {
    List<String> all =
        Arrays.stream(Route.values()).map(route -> route.method() + route.template()).toList();
    assertEquals(all.size(), all.stream().distinct().count());
  }

  /**
   * What a group may ask must not change anything, whoever adds a route; and all that does not
   * change anything, but what files hold, it may ask.
   */
  @Test
  void whatIsReadIsAGet() {
    List<Route> ofContent = List.of(Route.DIFF, Route.LAYER_DIFF);
    // their question is a body: paths are too long, and too many, for a query
    List<Route> aboutPaths = List.of(Route.WHICH, Route.SHARES, Route.WASTED);
    for (Route route : Route.values()) {
      boolean asks = route.method().equals("GET") || aboutPaths.contains(route);
      assertEquals(
          route.access() == Route.Access.READ || ofContent.contains(route) ? "asks" : "changes",
          asks ? "asks" : "changes",
          route::name);
    }
  }
}
