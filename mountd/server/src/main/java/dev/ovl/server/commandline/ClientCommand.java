package dev.ovl.server.commandline;

import dev.ovl.cli.ProcessPlace;
import dev.ovl.cli.command.Demand;
import dev.ovl.cli.command.Ovlctl;
import dev.ovl.cli.session.Cancellation;
import dev.ovl.cli.session.Session;
import dev.ovl.server.commandline.ClientChannel.Kind;
import dev.ovl.server.commandline.ClientChannel.Message;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Peer;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.net.ProtocolException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client and its command line. It is refused, or accepted; when the client, which may have lost
 * its patience, says go, it is carried out. A client that is gone wants it to be stopped.
 */
final class ClientCommand {
  private static final Logger LOG = LoggerFactory.getLogger(ClientCommand.class);

  /** A client says at once what it wants. */
  private static final int PATIENCE_MILLIS = 5_000;

  private final Syscalls sys;
  private final ClientChannel channel;
  private final Kinship kinship;
  private final String build;
  private final Executor threads;
  private final Cancellation cancellation = new Cancellation();

  /** What the client tells of its program; nothing when it is gone. */
  private final BlockingQueue<Optional<Message>> heard = new LinkedBlockingQueue<>();

  /** Open when the client has said go, or is gone. */
  private final CountDownLatch answered = new CountDownLatch(1);

  /** Open when nobody listens to the client any more. */
  private final CountDownLatch silent = new CountDownLatch(1);

  private final ClientPrograms programs;
  private volatile boolean gone;
  private boolean listening;
  private boolean accepted;

  /**
   * @param build of this process
   * @param threads for listening to the client meanwhile
   */
  ClientCommand(
      Syscalls sys, ClientChannel channel, Kinship kinship, String build, Executor threads) {
    this.sys = sys;
    this.channel = channel;
    this.kinship = kinship;
    this.build = build;
    this.threads = threads;
    this.programs = new ClientPrograms(sys, channel, heard);
  }

  /** Whether it only waits for the end of a program of the client's. */
  boolean isWaiting() {
    return programs.isWaiting();
  }

  /** From the request to the end of the connection. */
  void serve() {
    try {
      OptionalInt status = carryOut();
      if (!gone) {
        channel.send(status.isPresent() ? Kind.DONE : Kind.REFUSED, status.orElse(0));
      }
    } catch (IOException e) {
      LOG.debug("a client is gone: {}", e.getMessage());
    } finally {
      end();
    }
  }

  /**
   * Returns the exit status; absent: refused. The client's streams are closed then: whoever it
   * tells that it is done may want to unmount where they lead to.
   */
  private OptionalInt carryOut() throws IOException {
    try (ClientRequest request = request()) {
      Peer peer = Peer.of(sys, channel.number());
      Optional<String> difference = difference(request, peer);
      if (difference.isPresent()) {
        LOG.debug("a command line is refused: {}", difference.get());
        return OptionalInt.empty();
      }
      channel.send(Kind.HEARD, 0);
      threads.execute(this::listen);
      listening = true;
      try (ClientInput in =
          new ClientInput(
              sys, request.streams().get(0), () -> gone || cancellation.isRequested())) {
        return new Ovlctl(session(request, peer, in), programs)
            .runIf(demand -> admit(demand, request), request.arguments());
      }
    }
  }

  /** Only when nobody uses its descriptor any more can that become another's. */
  private void end() {
    try {
      channel.hangUp();
    } catch (ErrnoException e) {
      // it has ended already
      LOG.trace("a connection is not ended: {}", e.getMessage());
    }
    if (listening) {
      awaitSilence();
    }
    channel.close();
    heard.forEach(message -> message.ifPresent(Message::close));
  }

  private void awaitSilence() {
    boolean interrupted = false;
    while (true) {
      try {
        silent.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private ClientRequest request() throws IOException {
    if (!channel.awaits(PATIENCE_MILLIS)) {
      throw new ProtocolException("a client that says nothing");
    }
    Message message =
        channel.receive().orElseThrow(() -> new ProtocolException("a client that says nothing"));
    boolean taken = false;
    try {
      ClientRequest request = ClientRequest.of(message);
      taken = true;
      return request;
    } finally {
      if (!taken) {
        message.close();
      }
    }
  }

  private Optional<String> difference(ClientRequest request, Peer peer) throws ErrnoException {
    return request.build().equals(build)
        ? kinship.difference(peer)
        : Optional.of("it is of another build");
  }

  private Session session(ClientRequest request, Peer peer, ClientInput in) {
    return new Session(
        in,
        new ClientOutput(sys, request.streams().get(1), () -> gone),
        new ClientOutput(sys, request.streams().get(2), () -> gone),
        new ClientPlace(request.directory(), OptionalInt.of(peer.pid()), new ProcessPlace()),
        request.environment(),
        request.terminal(),
        cancellation);
  }

  private boolean admit(Demand demand, ClientRequest request) {
    if (accepted) {
      return true;
    }
    if (!kinship.serves(demand, request.arguments())) {
      return false;
    }
    try {
      channel.send(Kind.ACCEPTED, 0);
      answered.await();
    } catch (ErrnoException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    accepted = !gone;
    return accepted;
  }

  /** In a thread of its own, until the client is gone. */
  private void listen() {
    try {
      for (Optional<Message> message = channel.receive();
          message.isPresent();
          message = channel.receive()) {
        hear(message.get());
      }
    } catch (IOException e) {
      LOG.debug("a client is gone: {}", e.getMessage());
    } finally {
      gone = true;
      answered.countDown();
      heard.add(Optional.empty());
      cancellation.request();
      silent.countDown();
    }
  }

  private void hear(Message message) {
    switch (message.kind()) {
      case GO -> answered.countDown();
      case CANCEL -> cancellation.request();
      case NOTE, FAILED, RUNNING, ENDED -> heard.add(Optional.of(message));
      default -> message.close();
    }
  }
}
