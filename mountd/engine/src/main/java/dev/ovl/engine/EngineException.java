package dev.ovl.engine;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import java.util.Optional;

/**
 * A request that was refused or failed, told in one line for the person who made it: what, where
 * and why, with the errno in parentheses where there is one. The message does not repeat the verb
 * and the name of the stack or layer; the caller who knows them puts them in front.
 */
public final class EngineException extends Exception {
  private static final long serialVersionUID = 1L;

  /** What a caller can do about it. */
  public enum Kind {
    /** The request itself is wrong: another one is needed (exit status 2). */
    USAGE,
    /** There is no stack of that name. */
    NO_SUCH_STACK,
    /** There is no layer of that id. */
    NO_SUCH_LAYER,
    /** The request could not be carried out (exit status 1). */
    FAILED
  }

  private final Kind kind;
  private final Errno errno;

  private EngineException(Kind kind, String message, Errno errno, Throwable cause) {
    super(message, cause);
    this.kind = kind;
    this.errno = errno;
  }

  /** The request makes no sense, whatever the machine's state. */
  public static EngineException usage(String message) {
    return new EngineException(Kind.USAGE, message, null, null);
  }

  /** There is no such stack. */
  public static EngineException noSuchStack() {
    return new EngineException(
        Kind.NO_SUCH_STACK, "no such stack (" + Errno.ENOENT.name() + ")", Errno.ENOENT, null);
  }

  /** There is no such layer. */
  public static EngineException noSuchLayer() {
    return new EngineException(
        Kind.NO_SUCH_LAYER, "no such layer (" + Errno.ENOENT.name() + ")", Errno.ENOENT, null);
  }

  /** Refused or failed for a reason that no errno names. */
  public static EngineException failed(String message) {
    return new EngineException(Kind.FAILED, message, null, null);
  }

  /** Refused or failed with an errno, which is appended to the message. */
  public static EngineException failed(String message, Errno errno) {
    return new EngineException(Kind.FAILED, message + " (" + errno.name() + ")", errno, null);
  }

  /** A system call failed in a way that the caller explains; its errno is appended. */
  public static EngineException failed(String message, ErrnoException cause) {
    return new EngineException(
        Kind.FAILED, message + " (" + cause.errno().name() + ")", cause.errno(), cause);
  }

  /** A system call failed in a way that nobody foresaw: its own text tells it. */
  public static EngineException unexpected(ErrnoException cause) {
    return new EngineException(Kind.FAILED, cause.getMessage(), cause.errno(), cause);
  }

  /** The same failure with {@code prefix} before its message. */
  public EngineException within(String prefix) {
    return new EngineException(kind, prefix + getMessage(), errno, this);
  }

  /** What a caller can do about it. */
  public Kind kind() {
    return kind;
  }

  /** The errno behind it, where there is one. */
  public Optional<Errno> errno() {
    return Optional.ofNullable(errno);
  }
}
