package dev.ovl.jni;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;

/** {@code libovl-jni.so}, which lies beside the classes of this package or their archive. */
final class NativeLibrary {
  private static final String NAME = "libovl-jni.so";

  private static boolean loaded;

  private NativeLibrary() {}

  /**
   * Loads the library, once in a process.
   *
   * @throws NativeLibraryException it is missing, cannot be loaded, or is not of this build
   */
  static synchronized void load() throws NativeLibraryException {
    if (loaded) {
      return;
    }
    Path file = NativeLibraries.place(NAME);
    if (!Files.isRegularFile(file)) {
      throw new NativeLibraryException("there is no " + file);
    }
    String found;
    try {
      System.load(file.toString());
      found = version();
    } catch (UnsatisfiedLinkError e) {
      throw new NativeLibraryException("cannot load " + file + ": " + e.getMessage());
    }
    String wanted = wantedVersion();
    if (!found.equals(wanted)) {
      throw new NativeLibraryException(
          file + " is of another build: it is version " + found + ", and this is " + wanted);
    }
    loaded = true;
  }

  private static String wantedVersion() throws NativeLibraryException {
    try (InputStream in = NativeLibrary.class.getResourceAsStream("version.properties")) {
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version");
    } catch (IOException e) {
      throw new NativeLibraryException("cannot tell the version of this build: " + e.getMessage());
    }
  }

  private static native String version();
}
