package dev.ovl.server.commandline;

import dev.ovl.jni.CommandPlan;
import dev.ovl.jni.CommandRunner;
import dev.ovl.jni.Problem;
import dev.ovl.jni.RunningCommand;
import dev.ovl.jni.StartException;
import dev.ovl.server.commandline.ClientChannel.Kind;
import dev.ovl.server.commandline.ClientChannel.Message;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;

/**
 * Programs that a client starts, as its children: it gets the mounts and the plan, and tells how it
 * goes. They go on when this process ends.
 */
final class ClientPrograms implements CommandRunner {
  private static final int NOT_STARTED = 125;

  /** 128 + SIGKILL, as for a process that was killed. */
  private static final int KILLED = 137;

  /** So soon all processes of a client that was killed are gone. */
  private static final int DEATH_MILLIS = 10_000;

  private final Syscalls sys;
  private final ClientChannel channel;
  private final BlockingQueue<Optional<Message>> heard;
  private volatile boolean waiting;

  /**
   * @param heard what the client tells of its program, and nothing when it is gone
   */
  ClientPrograms(Syscalls sys, ClientChannel channel, BlockingQueue<Optional<Message>> heard) {
    this.sys = sys;
    this.channel = channel;
    this.heard = heard;
  }

  /** Whether a program is under way. */
  boolean isWaiting() {
    return waiting;
  }

  @Override
  public RunningCommand start(CommandPlan plan, Consumer<Problem> notes) throws StartException {
    List<Integer> trees = new ArrayList<>();
    trees.add(plan.root().number());
    plan.volumes().forEach(volume -> trees.add(volume.tree().number()));
    try {
      channel.send(Kind.PROGRAM, content(plan), trees);
    } catch (ErrnoException e) {
      throw gone(e.errno());
    }
    while (true) {
      Message message = next().orElseThrow(() -> gone(Errno.EPIPE));
      switch (message.kind()) {
        case NOTE -> notes.accept(problem(message.content()));
        case FAILED -> {
          int status = message.content().getInt();
          throw new StartException(status, problem(message.content()));
        }
        case RUNNING -> {
          Optional<Fd> process = message.descriptors().stream().findFirst();
          return () -> await(process);
        }
        default -> message.close();
      }
    }
  }

  private static StartException gone(Errno why) {
    return new StartException(
        NOT_STARTED, new Problem("the client is gone", Optional.empty(), Optional.of(why)));
  }

  private int await(Optional<Fd> process) {
    waiting = true;
    try {
      Optional<Message> message = next();
      while (message.isPresent() && message.get().kind() != Kind.ENDED) {
        message.get().close();
        message = next();
      }
      if (message.isPresent()) {
        return message.get().content().getInt();
      }
      if (process.isPresent()) {
        // the stack is in use until then
        sys.poll(process.get().number(), Linux.POLLIN, DEATH_MILLIS);
      }
      return KILLED;
    } catch (ErrnoException e) {
      throw new IllegalStateException("a process cannot be waited for", e);
    } finally {
      waiting = false;
      process.ifPresent(Fd::close);
    }
  }

  private Optional<Message> next() {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return heard.take();
        } catch (InterruptedException e) {
          // a program's end is waited for in any case
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static Problem problem(ByteBuffer content) {
    int errno = content.getInt();
    boolean isAbout = content.getInt() != 0;
    byte[] what = text(content);
    return new Problem(
        OsPath.of(what).toString(),
        isAbout ? Optional.of(OsPath.of(text(content))) : Optional.empty(),
        errno == 0 ? Optional.empty() : Optional.of(Errno.of(errno)));
  }

  private static byte[] text(ByteBuffer content) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (byte b = content.get(); b != 0; b = content.get()) {
      bytes.write(b);
    }
    return bytes.toByteArray();
  }

  // ---- the plan -----------------------------------------------------------------------------

  private static byte[] content(CommandPlan plan) {
    Writer out = new Writer();
    out.number(plan.user().uid());
    out.number(plan.user().gid());
    out.number(plan.ownNetwork() ? 1 : 0);
    out.number(plan.terminal() ? 1 : 0);
    out.number(plan.user().groups().size());
    out.number(plan.volumes().size());
    out.number(plan.arguments().size());
    out.number(plan.environment().size());
    plan.user().groups().forEach(out::number);
    for (CommandPlan.Volume volume : plan.volumes()) {
      out.number((volume.directory() ? 1 : 0) | (volume.readOnly() ? 2 : 0));
    }
    out.text(plan.directory());
    plan.volumes().forEach(volume -> out.text(volume.target()));
    plan.arguments().forEach(out::text);
    plan.environment().forEach(out::text);
    return out.bytes.toByteArray();
  }

  private static final class Writer {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    void number(int number) {
      bytes.writeBytes(
          ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder()).putInt(number).array());
    }

    void text(OsPath text) {
      bytes.writeBytes(text.bytes());
      bytes.write(0);
    }
  }
}
