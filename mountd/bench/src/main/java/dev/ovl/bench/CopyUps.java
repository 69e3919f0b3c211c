package dev.ovl.bench;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * A byte is appended to a large file of the only layer, through an overlay and through an aufs, by
 * turns, each time into a writable directory without that file: all of it is copied.
 */
final class CopyUps {
  private static final String NAME = "large";
  private static final int MEBIBYTE = 1 << 20;

  private final Files files;
  private final Path place;
  private final int mebibytes;
  private final int rounds;

  /**
   * @param sys what to call
   * @param place a directory on the file system
   * @param mebibytes of the file
   * @param rounds of each
   */
  CopyUps(Syscalls sys, Path place, int mebibytes, int rounds) {
    this.files = new Files(sys);
    this.place = place;
    this.mebibytes = mebibytes;
    this.rounds = rounds;
  }

  /**
   * Milliseconds.
   *
   * @param append until the file is closed
   * @param durable until it is on the disk as well
   */
  private record Cost(double append, double durable) {}

  /**
   * Prints a row.
   *
   * @param layer the only one of both
   */
  void run(String fileSystem, OsPath layer, Union overlay, Union aufs) throws Exception {
    Path file = Path.of(layer.toString()).resolve(NAME);
    write(file);
    List<Union> unions = List.of(overlay, aufs);
    double[][] append = new double[unions.size()][rounds];
    double[][] durable = new double[unions.size()][rounds];
    for (Union union : unions) {
      cost(union); // to warm up
    }
    for (int round = 0; round < rounds; round++) {
      for (int way = 0; way < unions.size(); way++) {
        Cost cost = cost(unions.get(way));
        append[way][round] = cost.append();
        durable[way][round] = cost.durable();
      }
    }
    java.nio.file.Files.delete(file);
    sync();
    System.out.printf(
        Locale.ROOT,
        "| %s | %d | %s | %s |%n",
        fileSystem,
        mebibytes,
        columns(append),
        columns(durable));
  }

  private static String columns(double[][] millis) {
    return String.format(
        Locale.ROOT,
        "%.0f | %.0f | %s",
        Samples.median(millis[0]),
        Samples.median(millis[1]),
        Turns.Outcome.of(millis[0], millis[1]).ratios());
  }

  /** Nothing in it is zero, since what is need not be copied. */
  private void write(Path file) throws IOException {
    byte[] content = new byte[MEBIBYTE];
    new Random(1).nextBytes(content);
    try (OutputStream out = java.nio.file.Files.newOutputStream(file)) {
      for (int i = 0; i < mebibytes; i++) {
        out.write(content);
      }
    }
  }

  private Cost cost(Union union) throws Exception {
    union.mount();
    Cost cost;
    try {
      sync();
      long start = System.nanoTime();
      append(union.root().resolve(NAME));
      long appended = System.nanoTime();
      sync();
      cost = new Cost((appended - start) / 1e6, (System.nanoTime() - start) / 1e6);
    } finally {
      union.unmount();
    }
    Path copy = union.upper().resolve(NAME);
    if (java.nio.file.Files.size(copy) != (long) mebibytes * MEBIBYTE + 1) {
      throw new IOException("not copied up: " + copy);
    }
    java.nio.file.Files.delete(copy);
    sync();
    return cost;
  }

  private static void append(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.APPEND)) {
      channel.write(ByteBuffer.wrap(new byte[] {'\n'}));
    }
  }

  private void sync() throws ErrnoException {
    files.syncFileSystem(OsPath.of(place.toString()));
  }
}
