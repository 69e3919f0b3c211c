package dev.ovl.it;

import dev.ovl.testkit.Requires;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What {@code mountd/dist} made: the tree that is installed, and its packages. */
final class Dist {
  private static final Path DIRECTORY = Path.of(property("ovl.dist.dir"));
  private static final String VERSION = property("ovl.dist.version");

  private Dist() {}

  private static String property(String name) {
    String value = System.getProperty(name);
    if (value == null) {
      throw new AssertionError("the system property " + name + " must be set");
    }
    return value;
  }

  /** The tree. Skips the test unless {@code package} made one. */
  static Path tree() {
    return made("ovl-" + VERSION);
  }

  /** The tree, packed. Skips the test unless {@code package} made one. */
  static Path packed() {
    return made("ovl-" + VERSION + "-linux-x86_64.tar.gz");
  }

  /** The Debian package. Skips the test unless {@code package} made one. */
  static Path deb() {
    return made("ovl_" + VERSION.replace("-SNAPSHOT", "~snapshot") + "_amd64.deb");
  }

  private static Path made(String name) {
    Path path = DIRECTORY.resolve(name);
    Requires.that(
        "dist",
        Files.exists(path)
            ? Optional.empty()
            : Optional.of(path + " is made by the phase package, before these tests in verify"));
    return path;
  }

  /** The jars of the tree. */
  static List<Path> jars() {
    try (Stream<Path> files = Files.list(tree().resolve("lib"))) {
      return files.filter(file -> file.toString().endsWith(".jar")).sorted().toList();
    } catch (IOException e) {
      throw new AssertionError("cannot list the jars", e);
    }
  }
}
