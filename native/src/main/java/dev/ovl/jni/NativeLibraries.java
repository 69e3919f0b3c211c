package dev.ovl.jni;

import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Where the libraries of this module are: beside its classes or their archive. */
public final class NativeLibraries {
  private static final String NAME = NativeLibraries.class.getName();
  private static final String RESOURCE = "version.properties";

  private NativeLibraries() {}

  /** {@code libovl-exdev.so}, which makes renames work that meet EXDEV, if it is there. */
  public static Optional<OsPath> exdev() {
    return Optional.of(place("libovl-exdev.so"))
        .filter(Files::isRegularFile)
        .map(file -> OsPath.of(file.toString()));
  }

  /** Where a file of this build's would be that lies beside its classes; absolute. */
  public static Path place(String name) {
    return classes().resolveSibling(name).toAbsolutePath();
  }

  /**
   * The archive of this class, or the directory that it is loaded from. The class itself does not
   * know: one that comes out of an archive for class-data sharing tells where that was made.
   */
  private static Path classes() {
    URL resource = NativeLibraries.class.getResource(RESOURCE);
    try {
      if (resource.openConnection() instanceof JarURLConnection jar) {
        return Path.of(jar.getJarFileURL().toURI());
      }
      Path file = Path.of(resource.toURI());
      for (int depth = NAME.split("\\.").length; depth > 0; depth--) {
        file = file.getParent();
      }
      return file;
    } catch (IOException | URISyntaxException e) {
      throw new IllegalStateException("classes lie at no address", e);
    }
  }
}
