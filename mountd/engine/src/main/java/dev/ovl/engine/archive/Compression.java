package dev.ovl.engine.archive;

/** How an archive is packed. */
public enum Compression {
  /** Not at all. */
  NONE,
  /** gzip, RFC 1952. */
  GZIP,
  /** Zstandard, RFC 8878. */
  ZSTD;

  /** Packs what it takes; {@link ByteSink#finish} must be called, which finishes {@code to} too. */
  public CompressedSink into(ByteSink to) {
    return switch (this) {
      case NONE -> new CompressedSink.Plain(to);
      case GZIP -> new CompressedSink.Gzip(to);
      case ZSTD -> new CompressedSink.Zstd(to);
    };
  }
}
