package dev.ovl.cli.host;

import dev.ovl.api.CommandHost;
import dev.ovl.api.Failure;
import dev.ovl.api.HostException;
import dev.ovl.api.HostInfo;
import dev.ovl.api.HttpHost;
import dev.ovl.cli.session.Place;
import dev.ovl.service.EngineHost;
import dev.ovl.sys.OsPath;
import java.net.UnixDomainSocketAddress;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Chooses the host of a command. A daemon is the right one when it has the same root directory and
 * the same mount namespace: a mount anywhere else would be a lie.
 *
 * @param root the command's root directory
 * @param run its run directory
 * @param place where the command runs
 * @param engine makes the engine of this process, if that is to do it
 * @param note told why a daemon that is there was not taken, if that is odd
 */
public record HostChoice(
    OsPath root, OsPath run, Place place, Supplier<EngineHost> engine, Consumer<String> note) {
  /** {@code --host} for the engine in this process. */
  public static final String NONE = "none";

  /** {@code --host} for the daemon if it is the right one. */
  public static final String AUTO = "auto";

  private static final String UNIX = "unix://";

  /** The daemon's socket, within the run directory. */
  private static final String SOCKET = "mountd.sock";

  /**
   * The host that was asked for.
   *
   * @param wanted {@code none}, {@code auto} or {@code unix://PATH}, with an absolute path
   * @throws HostException the daemon asked for is not there, or not the right one
   */
  public CommandHost open(String wanted) throws HostException {
    if (wanted.equals(NONE)) {
      return engine.get();
    }
    if (wanted.equals(AUTO)) {
      Optional<CommandHost> daemon = daemonIfRight(run.resolve(SOCKET));
      return daemon.isPresent() ? daemon.get() : engine.get();
    }
    if (!wanted.startsWith(UNIX)) {
      throw new IllegalArgumentException("no host: " + wanted);
    }
    return daemon(OsPath.of(wanted.substring(UNIX.length())));
  }

  private Optional<CommandHost> daemonIfRight(OsPath socket) {
    if (place.fileId(socket).isEmpty()) {
      return Optional.empty();
    }
    try {
      HttpHost host = new HttpHost(address(socket), socket.quoted(), place.client());
      try {
        if (whyWrong(host.about()).isEmpty()) {
          return Optional.of(host);
        }
      } catch (HostException e) {
        if (e.failure().kind() != Failure.Kind.UNAVAILABLE) {
          note.accept("working without the daemon: " + e.getMessage());
        }
      }
      host.close();
    } catch (HostException e) {
      // an address that Java cannot express
      note.accept("working without the daemon: " + e.getMessage());
    }
    return Optional.empty();
  }

  private CommandHost daemon(OsPath socket) throws HostException {
    HttpHost host = new HttpHost(address(socket), socket.quoted(), place.client());
    boolean right = false;
    try {
      Optional<String> wrong = whyWrong(host.about());
      if (wrong.isPresent()) {
        throw new HostException(
            Failure.of(
                Failure.Kind.FAILED,
                "the daemon on " + socket.quoted() + " is the wrong one: " + wrong.get()));
      }
      right = true;
      return host;
    } finally {
      if (!right) {
        host.close();
      }
    }
  }

  private Optional<String> whyWrong(HostInfo info) {
    if (!info.mountNamespace().equals(place.mountNamespace())) {
      return Optional.of(
          "its mounts are made in mount namespace "
              + info.mountNamespace()
              + ", not in "
              + place.mountNamespace());
    }
    Optional<String> ours = place.fileId(root);
    if (ours.isEmpty() || !info.rootId().equals(ours.get())) {
      return Optional.of("its root is " + OsPath.quoted(info.root()) + ", not " + root.quoted());
    }
    return Optional.empty();
  }

  private static UnixDomainSocketAddress address(OsPath socket) throws HostException {
    try {
      return UnixDomainSocketAddress.of(socket.toString());
    } catch (IllegalArgumentException e) {
      throw new HostException(
          Failure.of(
              Failure.Kind.UNAVAILABLE,
              "Java cannot reach a socket of this name in this locale: " + socket.quoted()),
          e);
    }
  }
}
