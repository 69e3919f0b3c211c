package dev.ovl.server.http;

import java.util.Optional;

/** What a request is answered with. */
public sealed interface HttpAnswer {
  /** The status of HTTP. */
  int status();

  /** The media type. */
  String type();

  /** An answer that is ready. */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares answers
  record Whole(int status, String type, byte[] body) implements HttpAnswer {}

  /**
   * An answer that comes into being, line by line or piece by piece, in the connection's own
   * thread.
   */
  record Lines(int status, String type, Source source) implements HttpAnswer {}

  /** Where lines come from. */
  interface Source extends AutoCloseable {
    /** Writes lines until there are no more, or nobody is left to read them. */
    void writeTo(LineSink sink);

    /** The name of the trailer that {@link LineSink#end} gives; absent: there is none. */
    default Optional<String> trailer() {
      return Optional.empty();
    }

    /** Called in any case, also when nothing could be written. */
    @Override
    default void close() {}
  }

  /** Where lines go. */
  interface LineSink {
    /**
     * Sends a line; waits while the client is slow to read.
     *
     * @param line with its newline
     * @return false: no more lines are wanted, since the client is gone, which then did not get
     *     this one, or since the server ends
     */
    boolean write(byte[] line);

    /** Whether lines are still wanted. Asks the kernel; does not wait. */
    boolean isOpen();

    /** Whether {@link #write} of some bytes would not wait. Asks the kernel; does not wait. */
    boolean isReady();

    /** There is no more, but this trailer of one line. */
    void end(String trailer);

    /** There will be no more, although more is needed: the client is made to see that. */
    void giveUp();
  }
}
