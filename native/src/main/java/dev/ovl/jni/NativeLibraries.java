package dev.ovl.jni;

import dev.ovl.sys.OsPath;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Where the libraries of this module are: beside its classes or their archive. */
public final class NativeLibraries {
  private NativeLibraries() {}

  /** {@code libovl-exdev.so}, which makes renames work that meet EXDEV, if it is there. */
  public static Optional<OsPath> exdev() {
    return Optional.of(place("libovl-exdev.so"))
        .filter(Files::isRegularFile)
        .map(file -> OsPath.of(file.toString()));
  }

  /** Where a file of this build's would be that lies beside its classes; absolute. */
  public static Path place(String name) {
    try {
      Path classes =
          Path.of(
              NativeLibraries.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      return classes.resolveSibling(name).toAbsolutePath();
    } catch (URISyntaxException e) {
      throw new IllegalStateException("classes lie at no address", e);
    }
  }
}
