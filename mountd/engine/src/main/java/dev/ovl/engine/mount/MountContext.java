package dev.ovl.engine.mount;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A mount in the making: fsopen(2), then fsconfig(2) for each parameter, then fsmount(2), which
 * gives a mount that is attached nowhere and ends with its descriptor. Not shared between threads.
 */
public final class MountContext implements AutoCloseable {
  private static final int MESSAGE_BYTES = 1024;

  private final Syscalls sys;
  private final Fd context;

  /**
   * Begins with a file system type. The kernel loads its module when it has one and needs it.
   *
   * @throws ErrnoException ENODEV: no such type; EPERM; ENOSYS: kernel before 5.2
   */
  public MountContext(Syscalls sys, String type) throws ErrnoException {
    this.sys = sys;
    this.context = new Fd(sys, sys.fsopen(type, Linux.FSOPEN_CLOEXEC));
  }

  /** Gives a parameter as text, 255 bytes at most. */
  public MountContext set(String key, OsPath value) throws ErrnoException {
    configure(Linux.FSCONFIG_SET_STRING, key, value.bytes(), 0);
    return this;
  }

  /** Gives a parameter as text, 255 bytes at most. */
  public MountContext set(String key, String value) throws ErrnoException {
    return set(key, OsPath.of(value));
  }

  /** Gives a parameter without a value. */
  public MountContext set(String key) throws ErrnoException {
    configure(Linux.FSCONFIG_SET_FLAG, key, new byte[0], 0);
    return this;
  }

  /** Gives a directory by its descriptor. */
  public MountContext set(String key, Fd directory) throws ErrnoException {
    configure(Linux.FSCONFIG_SET_FD, key, new byte[0], directory.number());
    return this;
  }

  /** {@link #mount(int)} without attributes. */
  public Fd mount() throws ErrnoException {
    return mount(0);
  }

  /**
   * Makes the mount. What is wrong with a parameter shows here at the latest: kernels before 6.5
   * keep overlay's parameters unread until now.
   *
   * @param attributes MOUNT_ATTR_ bits
   */
  public Fd mount(int attributes) throws ErrnoException {
    configure(Linux.FSCONFIG_CMD_CREATE, "", new byte[0], 0);
    return new Fd(sys, sys.fsmount(context.number(), Linux.FSMOUNT_CLOEXEC, attributes));
  }

  private void configure(int command, String key, byte[] value, int aux) throws ErrnoException {
    sys.fsconfig(context.number(), command, key, value, aux);
  }

  /**
   * What the kernel has said so far, a line each, without the letter for its gravity. Each line is
   * given once.
   */
  public List<String> messages() {
    List<String> messages = new ArrayList<>();
    ByteBuffer buffer = ByteBuffer.allocateDirect(MESSAGE_BYTES);
    while (true) {
      try {
        sys.read(context.number(), buffer.clear());
      } catch (ErrnoException e) {
        // ENODATA ends the log; whatever else comes, the refusal itself is what is told
        return messages;
      }
      byte[] line = new byte[buffer.flip().remaining()];
      buffer.get(line);
      if (line.length == 0) {
        return messages;
      }
      String text = OsPath.decode(line).strip();
      messages.add(text.length() > 2 && text.charAt(1) == ' ' ? text.substring(2) : text);
    }
  }

  @Override
  public void close() {
    context.close();
  }
}
