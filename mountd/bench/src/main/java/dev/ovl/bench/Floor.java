package dev.ovl.bench;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** The C program {@code floor}, which makes the calls of {@link Script}s; it ends with this. */
final class Floor implements AutoCloseable {
  private final Process process;
  private final BufferedWriter commands;
  private final BufferedReader answers;
  private final Path scripts;

  /**
   * @param program compiled from {@code floor.c}
   * @param scripts an existing directory for script files
   */
  Floor(Path program, Path scripts) throws IOException {
    this.scripts = scripts;
    this.process =
        new ProcessBuilder(program.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    this.commands =
        new BufferedWriter(
            new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
    this.answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /** A call ended otherwise than it was recorded: the world has changed since. */
  static final class Diverged extends Exception {
    private static final long serialVersionUID = 1L;

    private Diverged(String message) {
      super(message);
    }
  }

  void load(int slot, Script script) throws IOException, Diverged {
    Path file = scripts.resolve(slot + ".calls");
    Files.write(file, script.lines(), StandardCharsets.US_ASCII);
    ask("load " + slot + " " + file);
  }

  /** Makes the calls of a slot's script so many times; nanoseconds of each time. */
  long[] run(int slot, int times) throws IOException, Diverged {
    return numbers(ask("run " + slot + " " + times));
  }

  /** Makes them so many times; nanoseconds of each call on average. */
  long[] profile(int slot, int times) throws IOException, Diverged {
    return numbers(ask("profile " + slot + " " + times));
  }

  private static long[] numbers(String text) {
    return Arrays.stream(text.split(" ")).mapToLong(Long::parseLong).toArray();
  }

  private String ask(String command) throws IOException, Diverged {
    commands.write(command + "\n");
    commands.flush();
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException("the C program ended at: " + command);
    }
    List<String> words = List.of(answer.split(" ", 2));
    if (!words.get(0).equals("ok")) {
      throw new Diverged(words.get(words.size() - 1));
    }
    return words.get(1);
  }

  @Override
  public void close() throws IOException {
    commands.close();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
