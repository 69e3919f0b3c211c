package dev.ovl.server.systemd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.UnixAddress;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Scratch;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The environment of sd_listen_fds(3), sd_watchdog_enabled(3) and sd_notify(3). */
class ServiceManagerTest {
  private static final long PID = 4711;

  @RegisterExtension final Scratch scratch = Scratch.directory();
  private final Syscalls sys = new LinuxSyscalls();

  private ServiceManager with(Map<String, String> environment) {
    return new ServiceManager(sys, environment, PID);
  }

  @Test
  void aSocketHandedOverIsTheThirdDescriptor() {
    assertEquals(
        OptionalInt.of(3),
        with(Map.of("LISTEN_PID", "4711", "LISTEN_FDS", "1")).listeningDescriptor());
    // meant for another process, which was our parent perhaps
    assertEquals(
        OptionalInt.empty(),
        with(Map.of("LISTEN_PID", "4712", "LISTEN_FDS", "1")).listeningDescriptor());
    assertEquals(OptionalInt.empty(), with(Map.of("LISTEN_FDS", "1")).listeningDescriptor());
    assertEquals(OptionalInt.empty(), with(Map.of("LISTEN_PID", "4711")).listeningDescriptor());
    assertEquals(
        OptionalInt.empty(),
        with(Map.of("LISTEN_PID", "4711", "LISTEN_FDS", "0")).listeningDescriptor());
    assertEquals(OptionalInt.empty(), with(Map.of()).listeningDescriptor());
  }

  @Test
  void severalSocketsAreRefused() {
    ServiceManager manager = with(Map.of("LISTEN_PID", "4711", "LISTEN_FDS", "2"));
    assertTrue(
        assertThrows(IllegalArgumentException.class, manager::listeningDescriptor)
            .getMessage()
            .contains("LISTEN_FDS"));
  }

  @Test
  void aWatchdogIsForThisProcess() {
    assertEquals(
        Optional.of(Duration.ofSeconds(30)), with(Map.of("WATCHDOG_USEC", "30000000")).watchdog());
    assertEquals(
        Optional.of(Duration.ofNanos(1000)),
        with(Map.of("WATCHDOG_USEC", "1", "WATCHDOG_PID", "4711")).watchdog());
    assertEquals(
        Optional.empty(),
        with(Map.of("WATCHDOG_USEC", "30000000", "WATCHDOG_PID", "1")).watchdog());
    for (String none : new String[] {"", "0", "-1", "x", "1.5", "9999999999999999999999"}) {
      assertEquals(Optional.empty(), with(Map.of("WATCHDOG_USEC", none)).watchdog(), none);
    }
    assertEquals(Optional.empty(), with(Map.of()).watchdog());
  }

  /** A socket as the service manager has it. */
  private Fd manager(UnixAddress address) throws ErrnoException {
    Fd socket = new Fd(sys, sys.socket(Linux.AF_UNIX, Linux.SOCK_DGRAM, 0));
    sys.bind(socket.number(), address);
    return socket;
  }

  private String received(Fd socket) throws ErrnoException {
    ByteBuffer message = ByteBuffer.allocateDirect(1000);
    assertTrue(sys.poll(socket.number(), Linux.POLLIN, 10_000) != 0, "nothing came");
    byte[] bytes = new byte[sys.read(socket.number(), message)];
    message.flip().get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private void assertTells(ServiceManager manager, Fd socket) throws ErrnoException {
    Leaks leaks = Leaks.beneath(scratch.path());
    manager.ready("Serving");
    assertEquals("READY=1\nSTATUS=Serving", received(socket));
    manager.alive();
    assertEquals("WATCHDOG=1", received(socket));
    long before = System.nanoTime() / 1000;
    manager.reloading();
    String reloading = received(socket);
    assertTrue(reloading.matches("RELOADING=1\nMONOTONIC_USEC=[0-9]+"), reloading);
    long time = Long.parseLong(reloading.replaceFirst("(?s).*=", ""));
    assertTrue(before <= time && time <= System.nanoTime() / 1000, reloading);
    manager.stopping();
    assertTrue(received(socket).startsWith("STOPPING=1\n"));
    leaks.assertNone();
  }

  @Test
  void itIsToldHowItGoes() throws ErrnoException {
    OsPath path = scratch.resolve("notify");
    try (Fd socket = manager(new UnixAddress(path))) {
      assertTells(with(Map.of("NOTIFY_SOCKET", path.toString())), socket);
    }
    OsPath abstractName = OsPath.of("@ovl-test-" + ProcessHandle.current().pid());
    try (Fd socket = manager(new UnixAddress(abstractName))) {
      assertTells(with(Map.of("NOTIFY_SOCKET", abstractName.toString())), socket);
    }
  }

  @Test
  void whereNobodyWantsToKnowNobodyIsTold() throws ErrnoException {
    with(Map.of()).ready("Serving");
    with(Map.of("NOTIFY_SOCKET", "")).alive();
    // vsock:… of virtual machines
    with(Map.of("NOTIFY_SOCKET", "vsock:2:1234")).alive();
  }

  @Test
  void aManagerThatIsGoneIsAnError() {
    ServiceManager manager = with(Map.of("NOTIFY_SOCKET", scratch.resolve("nosuch").toString()));
    assertEquals(Errno.ENOENT, assertThrows(ErrnoException.class, manager::stopping).errno());
  }
}
