package dev.ovl.server.systemd;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.UnixAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** The service manager that started this process, as its environment describes it. */
public final class ServiceManager {
  /** SD_LISTEN_FDS_START of sd_listen_fds(3). */
  private static final int FIRST_DESCRIPTOR = 3;

  private final Syscalls sys;
  private final Map<String, String> environment;
  private final long pid;

  /**
   * @param environment of this process
   * @param pid of this process
   */
  public ServiceManager(Syscalls sys, Map<String, String> environment, long pid) {
    this.sys = sys;
    this.environment = environment;
    this.pid = pid;
  }

  /**
   * The listening socket that was handed over; absent: none was.
   *
   * @throws IllegalArgumentException more than one was
   */
  public OptionalInt listeningDescriptor() {
    if (!isForUs("LISTEN_PID") || !environment.containsKey("LISTEN_FDS")) {
      return OptionalInt.empty();
    }
    long count = number("LISTEN_FDS").orElse(0L);
    if (count > 1) {
      throw new IllegalArgumentException(
          "one socket is wanted, " + count + " were handed over (LISTEN_FDS)");
    }
    return count == 1 ? OptionalInt.of(FIRST_DESCRIPTOR) : OptionalInt.empty();
  }

  /** Within which time a sign of life is wanted, again and again; absent: none is. */
  public Optional<Duration> watchdog() {
    if (environment.containsKey("WATCHDOG_PID") && !isForUs("WATCHDOG_PID")) {
      return Optional.empty();
    }
    return number("WATCHDOG_USEC")
        .filter(micros -> micros > 0)
        .map(micros -> Duration.ofNanos(micros * 1000));
  }

  private boolean isForUs(String variable) {
    return number(variable).filter(number -> number == pid).isPresent();
  }

  private Optional<Long> number(String variable) {
    String text = environment.getOrDefault(variable, "");
    return text.matches("[0-9]{1,18}") ? Optional.of(Long.valueOf(text)) : Optional.empty();
  }

  /** Ready to serve, or again after a reload. */
  public void ready(String status) throws ErrnoException {
    tell("READY=1\nSTATUS=" + status);
  }

  /** About to read the configuration anew; {@link #ready} ends it. */
  public void reloading() throws ErrnoException {
    tell("RELOADING=1\nMONOTONIC_USEC=" + System.nanoTime() / 1000);
  }

  /** About to end. */
  public void stopping() throws ErrnoException {
    tell("STOPPING=1\nSTATUS=Stopping; mounts stay");
  }

  /** Alive. */
  public void alive() throws ErrnoException {
    tell("WATCHDOG=1");
  }

  /** Sends a message to whoever wants one. */
  private void tell(String message) throws ErrnoException {
    String address = environment.getOrDefault("NOTIFY_SOCKET", "");
    if (!address.startsWith("/") && !address.startsWith("@")) {
      return;
    }
    byte[] text = OsPath.encode(message);
    ByteBuffer bytes = ByteBuffer.allocateDirect(text.length).put(text).flip();
    try (Fd socket = new Fd(sys, sys.socket(Linux.AF_UNIX, Linux.SOCK_DGRAM, 0))) {
      sys.sendto(socket.number(), bytes, Linux.MSG_NOSIGNAL, new UnixAddress(OsPath.of(address)));
    }
  }
}
