package dev.ovl.bench;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.StatMount;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.gen.statfs;
import dev.ovl.sys.gen.statmount;
import dev.ovl.sys.gen.statx;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Passes system calls on and writes them down as a {@link Script}, so that another program can make
 * the very same ones. What the kernel names anew each time (descriptors, mount ids, device numbers)
 * is written as where it came from.
 *
 * <p>A proxy, because {@link dev.ovl.sys.ObservedSyscalls} shows its subclasses text. Calls are
 * taken to come one after the other, on whatever thread.
 */
final class Recording {
  /** Offset of the id in struct mnt_ns_info. */
  private static final int NAMESPACE_ID = 8;

  /** More than struct ustat has. */
  private static final int USTAT_BYTES = 64;

  /** What {@link dev.ovl.sys.LinuxSyscalls} has room for at first. */
  private static final int ANSWER_BYTES = 4096;

  private static final String DESCRIPTORS = "/proc/self/fd/";

  private final Syscalls sys;
  private final Syscalls recorded;
  private List<Script.Call> calls = new ArrayList<>();
  private boolean on;

  /** Call that opened a descriptor, by descriptor. */
  private final Map<Integer, Integer> open = new HashMap<>();

  /** Where an id of a mount or namespace was seen last. */
  private final Map<Long, String> ids = new HashMap<>();

  /** Where a device number was seen last. */
  private final Map<Long, String> devices = new HashMap<>();

  Recording(Syscalls sys) {
    this.sys = sys;
    this.recorded =
        (Syscalls)
            Proxy.newProxyInstance(
                Recording.class.getClassLoader(),
                new Class<?>[] {Syscalls.class},
                (proxy, method, arguments) ->
                    handle(method, arguments == null ? new Object[0] : arguments));
  }

  /** What makes the calls and writes them down. */
  Syscalls syscalls() {
    return recorded;
  }

  synchronized void start() {
    calls = new ArrayList<>();
    open.clear();
    ids.clear();
    devices.clear();
    on = true;
  }

  synchronized Script stop() {
    on = false;
    return new Script(Optional.empty(), calls);
  }

  private synchronized Object handle(Method method, Object[] a) throws ErrnoException {
    if (!on) {
      return perform(method, a);
    }
    List<String> arguments = arguments(method.getName(), a);
    int errno = 0;
    try {
      Object result = perform(method, a);
      if (result instanceof Boolean success && !success) {
        errno = (method.getName().equals("flock") ? Errno.EAGAIN : Errno.EINVAL).number();
      }
      note(method.getName(), a, result);
      return result;
    } catch (ErrnoException e) {
      errno = e.errno().number();
      throw e;
    } finally {
      calls.add(new Script.Call(method.getName(), errno, arguments));
    }
  }

  private Object perform(Method method, Object[] arguments) throws ErrnoException {
    try {
      return method.invoke(sys, arguments);
    } catch (InvocationTargetException e) {
      switch (e.getCause()) {
        case ErrnoException failure -> throw failure;
        case RuntimeException failure -> throw failure;
        default -> throw new IllegalStateException(e.getCause());
      }
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  // ---- what goes in ---------------------------------------------------------------------------

  /** The arguments of the system call itself, as {@link dev.ovl.sys.LinuxSyscalls} passes them. */
  private List<String> arguments(String name, Object[] a) {
    return switch (name) {
      case "openat" ->
          List.of(descriptor(a[0]), text(a[1]), number((int) a[2] | Linux.O_CLOEXEC), number(a[3]));
      case "close", "fchdir", "fsync", "syncfs" -> List.of(descriptor(a[0]));
      case "read", "getdents64" -> List.of(descriptor(a[0]), room(a[1]), number(size(a[1])));
      case "write" -> List.of(descriptor(a[0]), buffer(a[1]), number(size(a[1])));
      case "statx" ->
          List.of(descriptor(a[0]), text(a[1]), number(a[2]), number(a[3]), "o" + statx.sizeof());
      case "statfs" -> List.of(text(a[0]), "o" + statfs.sizeof());
      case "readlinkat" ->
          List.of(descriptor(a[0]), text(a[1]), "o" + ANSWER_BYTES, number(ANSWER_BYTES));
      case "flock" -> List.of(descriptor(a[0]), number(a[1]));
      case "ioctl" ->
          List.of(
              descriptor(a[0]),
              number(a[1]),
              a[2] instanceof ByteBuffer ? buffer(a[2]) : number(a[2]));
      case "listmount" -> List.of(id(a[0]), id(a[1]), id(a[2]), number(a[3]));
      case "statmount" -> List.of(id(a[0]), id(a[1]), number(a[2]), number(ANSWER_BYTES));
      case "ustat" -> List.of(device((int) a[0], (int) a[1]), "o" + USTAT_BYTES);
      case "mount" ->
          List.of(text(a[0]), text(a[1]), textOrNull(a[2]), number(a[3]), textOrNull(a[4]));
      case "umount2" -> List.of(text(a[0]), number(a[1]));
      case "fsopen" -> List.of(text(a[0]), number((int) a[1] | Linux.FSOPEN_CLOEXEC));
      case "fsconfig" ->
          List.of(
              descriptor(a[0]),
              number(a[1]),
              textOrNull(a[2]),
              (int) a[1] == Linux.FSCONFIG_SET_STRING ? text(a[3]) : textOrNull(a[3]),
              (int) a[1] == Linux.FSCONFIG_SET_FD ? descriptor(a[4]) : number(a[4]));
      case "fsmount" ->
          List.of(descriptor(a[0]), number((int) a[1] | Linux.FSMOUNT_CLOEXEC), number(a[2]));
      case "move_mount" ->
          List.of(descriptor(a[0]), text(a[1]), descriptor(a[2]), text(a[3]), number(a[4]));
      case "unshare" -> List.of(number(a[0]));
      case "mkdirat", "fchmodat", "unlinkat" -> List.of(descriptor(a[0]), text(a[1]), number(a[2]));
      case "fchownat" ->
          List.of(descriptor(a[0]), text(a[1]), number(a[2]), number(a[3]), number(a[4]));
      case "symlinkat" -> List.of(text(a[0]), descriptor(a[1]), text(a[2]));
      case "renameat2" ->
          List.of(descriptor(a[0]), text(a[1]), descriptor(a[2]), text(a[3]), number(a[4]));
      case "geteuid" -> List.of();
      default -> throw new IllegalStateException("teach Recording and floor.c the call " + name);
    };
  }

  /** The 64-bit number at an offset of what a call filled. */
  private static String number(int call, long offset) {
    return "x" + call + "." + offset + "." + Long.BYTES;
  }

  private static String number(Object value) {
    return "i" + ((Number) value).longValue();
  }

  private String descriptor(Object value) {
    Integer opener = open.get((Integer) value);
    return opener == null ? number(value) : "r" + opener;
  }

  private String id(Object value) {
    String seen = ids.get((Long) value);
    return seen == null ? number(value) : seen;
  }

  private String device(int major, int minor) {
    String seen = devices.get(key(major, minor));
    if (seen == null) {
      throw new IllegalStateException("a device number from nowhere: " + major + ":" + minor);
    }
    return seen;
  }

  private static long key(int major, int minor) {
    return (long) major << 32 | Integer.toUnsignedLong(minor);
  }

  private String text(Object value) {
    byte[] bytes =
        switch (value) {
          case OsPath path -> path.bytes();
          case String text -> OsPath.encode(text);
          default -> (byte[]) value;
        };
    String text = OsPath.decode(bytes);
    if (text.startsWith(DESCRIPTORS)) {
      String digits = text.substring(DESCRIPTORS.length());
      Integer opener = digits.matches("\\d+") ? open.get(Integer.valueOf(digits)) : null;
      if (opener != null) {
        return "n" + opener + ":" + DESCRIPTORS;
      }
    }
    return "s" + escaped(bytes);
  }

  private String textOrNull(Object value) {
    boolean empty = value instanceof String text ? text.isEmpty() : ((byte[]) value).length == 0;
    return empty ? "i0" : text(value);
  }

  private static int size(Object buffer) {
    return ((ByteBuffer) buffer).remaining();
  }

  private static String room(Object buffer) {
    return "o" + size(buffer);
  }

  private static String buffer(Object value) {
    ByteBuffer buffer = (ByteBuffer) value;
    byte[] content = new byte[buffer.remaining()];
    buffer.get(buffer.position(), content);
    return "b" + escaped(content);
  }

  private static String escaped(byte[] bytes) {
    StringBuilder out = new StringBuilder(bytes.length);
    for (byte b : bytes) {
      if (b > ' ' && b < 0x7F && b != '%') {
        out.append((char) b);
      } else {
        out.append(String.format(Locale.ROOT, "%%%02x", b & 0xFF));
      }
    }
    return out.toString();
  }

  // ---- what comes out -------------------------------------------------------------------------

  private void note(String name, Object[] a, Object result) {
    int call = calls.size();
    switch (name) {
      case "openat", "fsopen", "fsmount" -> open.put((Integer) result, call);
      case "close" -> open.remove((Integer) a[0]);
      case "ioctl" -> {
        long request = (Long) a[1];
        if (request == Linux.NS_MNT_GET_NEXT || request == Linux.NS_MNT_GET_PREV) {
          open.put((Integer) result, call);
          ByteBuffer info = ((ByteBuffer) a[2]).duplicate().order(ByteOrder.nativeOrder());
          ids.put(info.getLong(info.position() + NAMESPACE_ID), number(call, NAMESPACE_ID));
        }
      }
      case "statx" -> {
        Statx stat = (Statx) result;
        devices.put(
            key(stat.devMajor(), stat.devMinor()), "d" + call + "." + statx.stx_dev_major$offset());
        if ((stat.mask() & (Linux.STATX_MNT_ID | Linux.STATX_MNT_ID_UNIQUE)) != 0) {
          ids.put(stat.mountId(), number(call, statx.stx_mnt_id$offset()));
        }
      }
      case "statmount" -> {
        StatMount mount = (StatMount) result;
        devices.put(
            key(mount.deviceMajor(), mount.deviceMinor()),
            "d" + call + "." + statmount.sb_dev_major$offset());
        ids.put(mount.id(), number(call, statmount.mnt_id$offset()));
      }
      case "listmount" -> {
        long[] found = (long[]) result;
        for (int i = 0; i < found.length; i++) {
          ids.put(found[i], "l" + call + "." + (found.length - 1 - i));
        }
      }
      default -> {}
    }
  }
}
