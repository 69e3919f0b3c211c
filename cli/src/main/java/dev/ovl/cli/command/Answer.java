package dev.ovl.cli.command;

import dev.ovl.cli.session.Session;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** What a person at a terminal answers to a question: one line. */
final class Answer {
  private Answer() {}

  /**
   * Waits for it, no longer than the user wants to.
   *
   * @return without the newline; what there was where the input ends; empty when the user wants to
   *     stop
   * @throws IOException standard input cannot be read
   */
  static String of(Session session) throws IOException {
    FutureTask<String> line = new FutureTask<>(() -> line(session.in()));
    // a read of a terminal cannot be interrupted: the thread stays until the next line or the end
    Thread.ofPlatform().name("answer").daemon().start(line);
    session.cancellation().onRequest(() -> line.cancel(false));
    try {
      return line.get();
    } catch (CancellationException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    } catch (ExecutionException e) {
      throw new IOException(e.getCause().getMessage(), e);
    }
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    // no more than the line: what follows is for who reads next
    for (int read = in.read(); read >= 0 && read != '\n'; read = in.read()) {
      line.append((char) read);
    }
    return line.toString();
  }
}
