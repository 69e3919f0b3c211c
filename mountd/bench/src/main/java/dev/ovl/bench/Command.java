package dev.ovl.bench;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A program that is run to its end, as a peer or to prepare a measurement. */
final class Command {
  private Command() {}

  /** Runs it; what it prints is lost, but for errors. */
  static void run(String... command) throws IOException, InterruptedException {
    runIn(Path.of("/"), command);
  }

  /** Runs it in a directory. */
  static void runIn(Path directory, String... command) throws IOException, InterruptedException {
    int status =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectInput(new File("/dev/null"))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()
            .waitFor();
    if (status != 0) {
      throw new IOException(List.of(command) + " ended with " + status);
    }
  }
}
