package dev.ovl.cli;

import dev.ovl.cli.command.Ovlctl;
import dev.ovl.cli.session.Cancellation;
import dev.ovl.cli.session.Session;
import dev.ovl.sys.OsPath;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The process {@code ovlctl}: makes a {@link Session} of it. The only class here that knows the
 * process.
 *
 * <p>Arguments and environment are read from /proc as bytes, since the JVM has by then replaced
 * what does not fit its charset.
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
            environment(),
            new Session.Terminal(isTerminal(1), isTerminal(2)),
            cancellation);
    Thread main = Thread.currentThread();
    Thread hook = new Thread(() -> stop(cancellation, main), "ovl-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    int status = new Ovlctl(session).run(arguments(args.length));
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

  private static List<String> arguments(int count) throws IOException {
    List<String> all = zeroTerminated("cmdline");
    return all.subList(all.size() - count, all.size());
  }

  private static Map<String, String> environment() throws IOException {
    Map<String, String> map = new HashMap<>();
    for (String variable : zeroTerminated("environ")) {
      int equals = variable.indexOf('=');
      if (equals > 0) {
        map.putIfAbsent(variable.substring(0, equals), variable.substring(equals + 1));
      }
    }
    return Map.copyOf(map);
  }

  private static List<String> zeroTerminated(String file) throws IOException {
    byte[] bytes = Files.readAllBytes(Path.of("/proc/self", file));
    List<String> words = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        words.add(OsPath.decode(bytes, start, i - start));
        start = i + 1;
      }
    }
    return words;
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
