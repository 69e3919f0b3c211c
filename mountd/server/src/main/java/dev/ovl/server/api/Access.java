package dev.ovl.server.api;

import dev.ovl.api.Failure;
import dev.ovl.api.Route;
import dev.ovl.sys.Peer;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Who may do what: root and the daemon's own user all, the socket's group what was configured,
 * others nothing. The mode of the socket keeps most of them out before; this holds when it was
 * changed, and tells the reason.
 *
 * @param uid the daemon's own
 * @param group of the socket; absent: there is none
 * @param forGroup what its members may do
 */
record Access(int uid, OptionalInt group, GroupAccess forGroup) {

  /** Why a peer may not; absent: it may. */
  Optional<Failure> refusal(Peer peer, Route.Access wanted) {
    if (peer.uid() == 0 || peer.uid() == uid) {
      return Optional.empty();
    }
    String who = "uid " + peer.uid();
    if (group.isEmpty() || !isMember(peer, group.getAsInt())) {
      return refused(who + " may not use this daemon: only root and the socket's group may");
    }
    return switch (forGroup) {
      case WRITE -> Optional.empty();
      case READ ->
          wanted == Route.Access.READ
              ? Optional.empty()
              : refused(who + " may only ask: the group may not change anything (group-access)");
      case NONE -> refused(who + " may not use this daemon: the group may not (group-access)");
    };
  }

  private static boolean isMember(Peer peer, int group) {
    return peer.gid() == group || peer.groups().contains(group);
  }

  private static Optional<Failure> refused(String message) {
    return Optional.of(
        new Failure(Failure.Kind.FORBIDDEN, message + " (EACCES)", Optional.of("EACCES")));
  }
}
