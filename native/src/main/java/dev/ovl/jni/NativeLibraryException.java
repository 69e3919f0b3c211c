package dev.ovl.jni;

/** The library is missing, or not of this build; the message says where it was looked for. */
public final class NativeLibraryException extends Exception {
  private static final long serialVersionUID = 1;

  NativeLibraryException(String message) {
    super(message);
  }
}
