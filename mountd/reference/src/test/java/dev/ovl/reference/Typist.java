package dev.ovl.reference;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Somebody at a terminal: types to a shell, and waits for its prompt. */
final class Typist implements AutoCloseable {
  /** What the shell must have as its prompt. */
  static final String PROMPT = "ready%";

  private static final int PATIENCE_SECONDS = 60;

  private final Process script;
  private final StringBuilder seen = new StringBuilder();

  /** Starts a shell, as a command line of sh, on a terminal of its own. */
  Typist(String shell, Path directory, Map<String, String> environment) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(List.of("script", "-qec", shell, "/dev/null"))
            .directory(directory.toFile());
    builder.environment().putAll(environment);
    script = builder.redirectErrorStream(true).start();
  }

  /** Types, and waits until the prompt is there again. */
  void type(String text) throws Exception {
    script.getOutputStream().write(text.getBytes(UTF_8));
    script.getOutputStream().flush();
    awaitPrompt();
  }

  /** Waits for a prompt. */
  void awaitPrompt() throws Exception {
    CompletableFuture<Void> prompt = CompletableFuture.runAsync(this::readToPrompt);
    try {
      prompt.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError("no prompt; the terminal shows: " + seen, e);
    }
  }

  private void readToPrompt() {
    StringBuilder now = new StringBuilder();
    try {
      InputStream in = script.getInputStream();
      while (now.indexOf(PROMPT) < 0) {
        int c = in.read();
        if (c < 0) {
          throw new AssertionError("the shell ended; the terminal shows: " + seen);
        }
        now.append((char) c);
        seen.append((char) c);
      }
    } catch (IOException e) {
      throw new AssertionError("cannot read from the terminal", e);
    }
  }

  @Override
  public String toString() {
    return seen.toString();
  }

  @Override
  public void close() {
    script.descendants().forEach(ProcessHandle::destroyForcibly);
    script.destroyForcibly();
  }
}
