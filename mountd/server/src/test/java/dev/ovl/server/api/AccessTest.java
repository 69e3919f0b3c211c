package dev.ovl.server.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.api.Failure;
import dev.ovl.api.Route;
import dev.ovl.sys.Peer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may do what, by the whole table. */
class AccessTest {
  private static final int OWN = 500;
  private static final int GROUP = 77;

  private static final Peer ROOT = new Peer(1, 0, 0, List.of());
  private static final Peer SELF = new Peer(1, OWN, 600, List.of());
  private static final Peer PRIMARY = new Peer(1, 1000, GROUP, List.of());
  private static final Peer MEMBER = new Peer(1, 1000, 1000, List.of(4, GROUP, 90));
  private static final Peer STRANGER = new Peer(1, 1000, 1000, List.of(4, 7, 770));

  private static boolean may(GroupAccess access, OptionalInt group, Peer peer, Route.Access what) {
    Optional<Failure> refusal = new Access(OWN, group, access).refusal(peer, what);
    refusal.ifPresent(
        failure -> {
          assertEquals(Failure.Kind.FORBIDDEN, failure.kind());
          assertEquals(Optional.of("EACCES"), failure.errno());
          assertTrue(failure.message().startsWith("uid 1000 may "), failure::message);
          assertTrue(failure.message().endsWith(" (EACCES)"), failure::message);
          assertEquals(1, failure.message().lines().count());
        });
    return refusal.isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "NONE,  READ,  false",
    "NONE,  WRITE, false",
    "READ,  READ,  true",
    "READ,  WRITE, false",
    "WRITE, READ,  true",
    "WRITE, WRITE, true"
  })
  void membersMayWhatWasConfigured(GroupAccess access, Route.Access what, boolean expected) {
    OptionalInt group = OptionalInt.of(GROUP);
    assertEquals(expected, may(access, group, PRIMARY, what));
    assertEquals(expected, may(access, group, MEMBER, what));
  }

  @ParameterizedTest
  @CsvSource({"NONE", "READ", "WRITE"})
  void rootAndTheDaemonsOwnUserMayAllAndStrangersNothing(GroupAccess access) {
    for (OptionalInt group : List.of(OptionalInt.of(GROUP), OptionalInt.empty())) {
      for (Route.Access what : Route.Access.values()) {
        assertTrue(may(access, group, ROOT, what));
        assertTrue(may(access, group, SELF, what));
        assertEquals(false, may(access, group, STRANGER, what));
      }
    }
    assertEquals(false, may(access, OptionalInt.empty(), MEMBER, Route.Access.READ));
  }

  @Test
  void theRefusalSaysWhatIsInTheWay() {
    OptionalInt group = OptionalInt.of(GROUP);
    assertEquals(
        "uid 1000 may not use this daemon: only root and the socket's group may (EACCES)",
        new Access(OWN, group, GroupAccess.WRITE)
            .refusal(STRANGER, Route.Access.READ)
            .orElseThrow()
            .message());
    assertEquals(
        "uid 1000 may only ask: the group may not change anything (group-access) (EACCES)",
        new Access(OWN, group, GroupAccess.READ)
            .refusal(MEMBER, Route.Access.WRITE)
            .orElseThrow()
            .message());
    assertEquals(
        "uid 1000 may not use this daemon: the group may not (group-access) (EACCES)",
        new Access(OWN, group, GroupAccess.NONE)
            .refusal(MEMBER, Route.Access.READ)
            .orElseThrow()
            .message());
  }
}
