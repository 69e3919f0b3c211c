package dev.ovl.cli;

import dev.ovl.cli.command.Ovlctl;
import dev.ovl.cli.session.Cancellation;
import dev.ovl.cli.session.Session;
import dev.ovl.sys.ThisProcess;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The process {@code ovlctl}: makes a {@link Session} of it. The only class here that knows the
 * process.
 */
public final class Main {
  private static final long STOP_MILLIS = 20_000;

  private Main() {}

  /**
   * @param args their number is what counts
   */
  public static void main(String[] args) throws IOException {
    Cancellation cancellation = new Cancellation();
    Session session =
        new Session(
            new FileInputStream(FileDescriptor.in),
            new FileOutputStream(FileDescriptor.out),
            new FileOutputStream(FileDescriptor.err),
            new ProcessPlace(),
            ThisProcess.environment(),
            new Session.Terminal(isTerminal(0), isTerminal(1), isTerminal(2)),
            cancellation);
    Thread main = Thread.currentThread();
    Thread hook = new Thread(() -> stop(cancellation, main), "ovl-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    int status = new Ovlctl(session).run(ThisProcess.arguments(args.length));
    // halt, since the shutdown hook waits for this very thread
    Runtime.getRuntime().halt(status);
  }

  /** On a signal: lets the operation under way come to a good end. */
  private static void stop(Cancellation cancellation, Thread main) {
    cancellation.request();
    try {
      main.join(STOP_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean isTerminal(int descriptor) {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
      return target.startsWith("/dev/pts/")
          || target.startsWith("/dev/tty")
          || target.equals("/dev/console");
    } catch (IOException e) {
      // a closed descriptor is no terminal
      return false;
    }
  }
}
