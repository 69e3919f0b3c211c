package dev.ovl.cli.command;

import dev.ovl.engine.archive.ArchiveFormat;
import dev.ovl.engine.archive.Compression;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.Propagation;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.Locale;
import java.util.stream.Stream;

/** Words that completion offers. They are asked for then alone: no command pays for them. */
final class Candidates {
  private Candidates() {}

  /** Ways to mount. */
  static final class Methods implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Stream.concat(
              Stream.of("auto"), Arrays.stream(MountMethod.values()).map(MountMethod::word))
          .iterator();
    }
  }

  /** Kinds of propagation. */
  static final class Propagations implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(Propagation.values()).map(Propagation::word).iterator();
    }
  }

  /** Formats of archives. */
  static final class Formats implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return words(ArchiveFormat.values());
    }
  }

  /** Ways of compression. */
  static final class Compressions implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return words(Compression.values());
    }
  }

  private static Iterator<String> words(Enum<?>... constants) {
    return Arrays.stream(constants).map(one -> one.name().toLowerCase(Locale.ROOT)).iterator();
  }

  /** None: what is wanted is not there yet. */
  static final class Nothing implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Collections.emptyIterator();
    }
  }
}
