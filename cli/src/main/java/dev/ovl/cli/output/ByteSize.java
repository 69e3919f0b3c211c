package dev.ovl.cli.output;

import java.util.Locale;

/** Sizes for people. */
public final class ByteSize {
  private static final String[] UNITS = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  private static final int STEP = 1024;

  private ByteSize() {}

  /** {@code 0 B}, {@code 12.0 KiB}: in the largest unit of which it is one or more. */
  public static String text(long bytes) {
    if (bytes < STEP) {
      return bytes + " B";
    }
    double size = bytes;
    int unit = -1;
    while (size >= STEP && unit + 1 < UNITS.length) {
      size /= STEP;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f %s", size, UNITS[unit]);
  }
}
