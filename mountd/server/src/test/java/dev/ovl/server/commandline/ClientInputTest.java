package dev.ovl.server.commandline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ClientInputTest {
  private final Syscalls sys = new LinuxSyscalls();

  @TempDir private Path scratch;
  private OsPath fifo;

  @BeforeEach
  void fifo() throws Exception {
    fifo = OsPath.of(scratch.resolve("fifo").toString());
    sys.mknodat(Linux.AT_FDCWD, fifo, Linux.S_IFIFO | 0600, 0, 0);
  }

  /** Which never ends, since it could be written to by this very descriptor. */
  private Fd open() throws Exception {
    return new Fd(sys, sys.openat(Linux.AT_FDCWD, fifo, Linux.O_RDWR, 0));
  }

  private void write(Fd to, String text) throws Exception {
    ByteBuffer bytes = ByteBuffer.allocateDirect(text.length());
    sys.write(to.number(), bytes.put(text.getBytes(UTF_8)).flip());
  }

  @Test
  void noMoreIsReadThanWasAskedFor() throws Exception {
    try (Fd fd = open();
        ClientInput in = new ClientInput(sys, Optional.of(fd), () -> false)) {
      write(fd, "yes\nrest");
      assertEquals('y', in.read());
      assertEquals("es\n", new String(in.readNBytes(3), UTF_8));
      ByteBuffer rest = ByteBuffer.allocateDirect(9);
      assertEquals(4, sys.read(fd.number(), rest));
    }
  }

  @Test
  void whoWaitsIsToldWhenNobodyWantsItAnyMore() throws Exception {
    AtomicBoolean stopped = new AtomicBoolean();
    try (Fd fd = open();
        ClientInput in = new ClientInput(sys, Optional.of(fd), stopped::get)) {
      AtomicReference<IOException> failure = new AtomicReference<>();
      Thread reader = reading(in, failure);
      stopped.set(true);
      assertEquals("interrupted", ended(reader, failure));
      write(fd, "x");
      assertThrows(IOException.class, in::read, "nor does it begin again");
    }
  }

  @Test
  void afterItsCloseNobodyReadsFromTheDescriptor() throws Exception {
    try (Fd fd = open()) {
      AtomicReference<IOException> failure = new AtomicReference<>();
      ClientInput in = new ClientInput(sys, Optional.of(fd), () -> false);
      Thread reader = reading(in, failure);
      in.close();
      write(fd, "of another");
      assertEquals("closed", ended(reader, failure));
      assertEquals(10, sys.read(fd.number(), ByteBuffer.allocateDirect(20)));
    }
  }

  private static Thread reading(ClientInput in, AtomicReference<IOException> failure)
      throws InterruptedException {
    Thread reader =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  try {
                    in.read();
                  } catch (IOException e) {
                    failure.set(e);
                  }
                });
    Thread.sleep(50);
    return reader;
  }

  private static String ended(Thread reader, AtomicReference<IOException> failure)
      throws InterruptedException {
    assertTrue(reader.join(Duration.ofSeconds(10)), "it still waits");
    return failure.get().getMessage();
  }
}
