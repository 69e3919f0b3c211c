package dev.ovl.reference;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Writes all that is told of the programs on the class path into a directory: {@code man/man1},
 * {@code man/man5}, {@code man/man7}, {@code man/man8}, {@code completions/bash}, {@code
 * completions/zsh}, {@code completions/fish} and {@code config.toml}. The build of what is
 * installed runs it.
 */
public final class Reference {
  private static final String FSCK_PAGE = "fsck.overlay.8";
  private static final String MOUNT_PAGE = "mount.ovl.8";
  private static final String PRELOAD_PAGE = "ovl-exdev.7";

  private Reference() {}

  /**
   * @param arguments the directory
   */
  public static void main(String[] arguments) throws IOException {
    if (arguments.length != 1) {
      throw new IllegalArgumentException("one argument is wanted: the directory to write to");
    }
    Path directory = Path.of(arguments[0]);
    List<DocumentedProgram> programs =
        ServiceLoader.load(DocumentedProgram.class).stream()
            .map(ServiceLoader.Provider::get)
            .sorted(Comparator.comparing(program -> program.model().name()))
            .toList();
    for (Map.Entry<String, String> file : files(programs).entrySet()) {
      Path path = directory.resolve(file.getKey());
      Files.createDirectories(path.getParent());
      Files.writeString(path, file.getValue());
    }
  }

  /** The texts of all files, by their paths below the directory. */
  public static Map<String, String> files(List<DocumentedProgram> programs) {
    Map<String, String> files = new TreeMap<>();
    for (DocumentedProgram program : programs) {
      CommandSpec model = program.model();
      for (CommandPage page : CommandPage.of(program)) {
        files.put("man/" + page.path(), page.text());
      }
      for (Shell shell : Shell.values()) {
        files.put("completions/" + shell.word() + "/" + shell.file(model), shell.script(model));
      }
    }
    files.put("man/man5/" + ConfigurationPage.NAME + ".5", ConfigurationPage.text());
    files.put("man/man7/" + PRELOAD_PAGE, Resources.text(PRELOAD_PAGE));
    files.put("man/man8/" + FSCK_PAGE, Resources.text(FSCK_PAGE));
    files.put("man/man8/" + MOUNT_PAGE, Resources.text(MOUNT_PAGE));
    files.put("config.toml", ConfigurationPage.file());
    return files;
  }
}
