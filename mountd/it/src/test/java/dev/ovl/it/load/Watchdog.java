package dev.ovl.it.load;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.UnixAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** In the service manager's place: hears whether a daemon is alive. */
final class Watchdog implements AutoCloseable {
  private static final int MESSAGE_BYTES = 4096;

  private final Syscalls sys = new LinuxSyscalls();
  private final OsPath path;
  private final Fd socket;

  /**
   * @param path of the socket, which does not exist
   */
  Watchdog(OsPath path) throws ErrnoException {
    this.path = path;
    this.socket = new Fd(sys, sys.socket(Linux.AF_UNIX, Linux.SOCK_DGRAM, 0));
    sys.bind(socket.number(), new UnixAddress(path));
  }

  /** What a daemon is to find in its environment, so that it shows life. */
  Map<String, String> environment(Duration within) {
    return Map.of(
        "NOTIFY_SOCKET",
        path.toString(),
        "WATCHDOG_USEC",
        String.valueOf(TimeUnit.NANOSECONDS.toMicros(within.toNanos())));
  }

  /** Waits for the next sign of life; what it had said before does not count. */
  void awaitLife(Duration patience) throws ErrnoException {
    while (sys.poll(socket.number(), Linux.POLLIN, 0) != 0) {
      message();
    }
    long end = System.nanoTime() + patience.toNanos();
    while (!message(end).contains("WATCHDOG=1")) {
      // something else that it had to say
    }
  }

  private String message(long end) throws ErrnoException {
    long millis = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
    if (sys.poll(socket.number(), Linux.POLLIN, (int) Math.max(0, millis)) == 0) {
      throw new AssertionError("the daemon shows no life: " + Errno.ETIMEDOUT);
    }
    return message();
  }

  private String message() throws ErrnoException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(MESSAGE_BYTES);
    sys.read(socket.number(), bytes);
    byte[] text = new byte[bytes.flip().remaining()];
    bytes.get(text);
    return OsPath.decode(text);
  }

  @Override
  public void close() {
    socket.close();
  }
}
