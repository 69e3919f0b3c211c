package dev.ovl.sys;

import dev.ovl.sys.gen.ucred;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Who is at the other end of a connected unix socket, as it was when the connection was made: the
 * kernel's word, not the peer's (SO_PEERCRED and SO_PEERGROUPS of unix(7)).
 *
 * @param pid process id in the caller's pid namespace, 0 where it has none there
 * @param uid effective user id
 * @param gid effective group id
 * @param groups supplementary group ids, in the kernel's order
 */
public record Peer(int pid, int uid, int gid, List<Integer> groups) {

  public Peer {
    groups = List.copyOf(groups);
  }

  /**
   * Asks the kernel.
   *
   * @param socket a connected socket of AF_UNIX
   * @throws ErrnoException ENOTSOCK; ENODATA: the socket has no peer, or is no unix socket
   */
  public static Peer of(Syscalls sys, int socket) throws ErrnoException {
    ByteBuffer groups = option(sys, socket, Linux.SO_PEERGROUPS);
    ByteBuffer credentials = option(sys, socket, Linux.SO_PEERCRED);
    List<Integer> ids = new ArrayList<>();
    while (groups.hasRemaining()) {
      ids.add(groups.getInt());
    }
    return new Peer(
        credentials.getInt((int) ucred.pid$offset()),
        credentials.getInt((int) ucred.uid$offset()),
        credentials.getInt((int) ucred.gid$offset()),
        ids);
  }

  private static ByteBuffer option(Syscalls sys, int socket, int option) throws ErrnoException {
    return ByteBuffer.wrap(sys.getsockopt(socket, Linux.SOL_SOCKET, option))
        .order(ByteOrder.nativeOrder());
  }
}
