package dev.ovl.engine.mount;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import java.util.List;

/** The kernel refused a mount; nothing is mounted. */
public final class MountFailure extends Exception {
  private static final long serialVersionUID = 1L;

  private final ErrnoException refusal;
  private final List<String> messages;

  MountFailure(ErrnoException refusal, List<String> messages) {
    super(refusal.getMessage(), refusal);
    this.refusal = refusal;
    this.messages = List.copyOf(messages);
  }

  /** The call that failed. */
  public ErrnoException refusal() {
    return refusal;
  }

  /** Its errno. */
  public Errno errno() {
    return refusal.errno();
  }

  /** What the kernel said beside the errno; empty for mount(2), which says nothing. */
  public List<String> messages() {
    return messages;
  }
}
