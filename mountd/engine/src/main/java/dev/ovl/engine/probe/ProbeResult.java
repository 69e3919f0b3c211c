package dev.ovl.engine.probe;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import java.util.List;
import java.util.Optional;

/** How a question came out: yes, no, or not asked. Nothing is ever assumed. */
public sealed interface ProbeResult {

  /**
   * It was done and it worked.
   *
   * @param detail what else is worth knowing, in words; empty for nothing
   */
  record Yes(String detail) implements ProbeResult {
    @Override
    public String word() {
      return "yes";
    }
  }

  /**
   * It was tried and did not work, or what it needs is not there.
   *
   * @param errno what the kernel said; empty where the reason is no errno
   * @param reason in words, not empty
   */
  record No(Optional<Errno> errno, String reason) implements ProbeResult {
    @Override
    public String word() {
      return "no";
    }

    @Override
    public String detail() {
      return errno.map(e -> reason + " (" + e.name() + ")").orElse(reason);
    }
  }

  /**
   * It could not be tried: neither yes nor no is known.
   *
   * @param reason in words, not empty
   */
  record NotProbed(String reason) implements ProbeResult {
    @Override
    public String word() {
      return "not probed";
    }

    @Override
    public String detail() {
      return reason;
    }
  }

  /** {@code yes}, {@code no} or {@code not probed}. */
  String word();

  /** What there is to say about it, on one line; empty for a plain yes. */
  String detail();

  /** True for {@link Yes}. */
  default boolean isYes() {
    return this instanceof Yes;
  }

  /** A plain yes. */
  static ProbeResult yes() {
    return new Yes("");
  }

  /** A yes with something to add. */
  static ProbeResult yes(String detail) {
    return new Yes(detail);
  }

  /** A no for a reason that no errno names. */
  static ProbeResult no(String reason) {
    return new No(Optional.empty(), reason);
  }

  /** Not tried, and why. */
  static ProbeResult notProbed(String reason) {
    return new NotProbed(reason);
  }

  /**
   * What a failed call says about the feature that it was to use. Most errnos are a no. A missing
   * permission and exhaustion of something are not: they say nothing about the feature.
   */
  static ProbeResult refused(ErrnoException e) {
    return refused(e, e.is(Errno.ENODEV) ? "this kernel does not have it" : e.errno().message());
  }

  /**
   * As {@link #refused(ErrnoException)}, in the kernel's own words.
   *
   * @param messages what it said; may be none
   */
  static ProbeResult refused(ErrnoException e, List<String> messages) {
    return messages.isEmpty() ? refused(e) : refused(e, String.join("; ", messages));
  }

  /**
   * As {@link #refused(ErrnoException)}, for a reason that is known better.
   *
   * @param reason why, not empty
   */
  static ProbeResult refused(ErrnoException e, String reason) {
    return switch (e.errno()) {
      case EPERM, EACCES ->
          notProbed("this user is not permitted to try it (" + e.errno().name() + ")");
      case ENOMEM, EMFILE, ENFILE, ENOSPC, EDQUOT, EINTR, EIO ->
          notProbed("the attempt failed for another reason: " + e.getMessage());
      default -> new No(Optional.of(e.errno()), reason);
    };
  }
}
