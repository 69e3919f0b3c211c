package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/** The real directories that a merged one is made of, open. */
final class OpenStack implements AutoCloseable {
  private final List<OpenDirectory> directories;

  /**
   * @param stack topmost first; each is opened when it is first needed
   * @param access O_PATH, or O_RDONLY when they are to be listed
   */
  OpenStack(List<Place> stack, int access) {
    this.directories =
        stack.stream()
            .map(place -> new OpenDirectory(place.layer(), place.path(), access))
            .toList();
  }

  /** Topmost first. */
  List<OpenDirectory> directories() {
    return directories;
  }

  /** All names in them, those that are not seen included. */
  SortedSet<OsPath> names() throws EngineException {
    SortedSet<OsPath> names = new TreeSet<>();
    for (OpenDirectory directory : directories) {
      directory.layer().list(directory, names);
    }
    return names;
  }

  @Override
  public void close() {
    directories.forEach(OpenDirectory::close);
  }
}
