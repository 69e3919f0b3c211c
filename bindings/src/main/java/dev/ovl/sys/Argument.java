package dev.ovl.sys;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Locale;

/** How one argument of a system call is written, as strace(1) writes it. */
sealed interface Argument permits Argument.Plain, Flags {

  /**
   * The argument's text; empty when it is not to be shown.
   *
   * @param all the call's arguments
   * @param index which of them
   */
  String render(Object[] all, int index);

  /** Arguments that are no flags. */
  enum Plain implements Argument {
    /** A descriptor or a directory that paths are relative to. */
    DESCRIPTOR,
    /** A path. */
    PATH,
    /** Text, never NULL. */
    TEXT,
    /** Text, NULL when empty. */
    TEXT_OR_NULL,
    /** Bytes of text, NULL when empty. */
    BYTES_OR_NULL,
    /** The value of fsconfig(2): the command before it says whether empty is NULL. */
    CONFIG_VALUE,
    /** Bytes followed by their number. */
    SIZED_BYTES,
    /** A number. */
    NUMBER,
    /** An id, in hexadecimal. */
    ID,
    /** The type in struct file_handle; {@link #HANDLE} follows. */
    HANDLE_TYPE,
    /** The bytes in struct file_handle. */
    HANDLE,
    /** Permissions. */
    MODE,
    /** Permissions that matter only when the flags before them create a file. */
    CREATION_MODE,
    /** File type and permissions. */
    FILE_MODE,
    /** First half of a device number; {@link #MINOR} follows. */
    MAJOR,
    /** Second half of a device number. */
    MINOR,
    /** The request of ioctl(2). */
    REQUEST,
    /** Descriptors that are passed on (SCM_RIGHTS). */
    DESCRIPTORS,
    /** Buffer that the kernel reads, and its size. */
    SENT,
    /** Buffer that the kernel fills, and its size. */
    RECEIVED,
    /** Buffer without a size. */
    BUFFER,
    /** The descriptor of poll(2); {@link #POLL_EVENTS} follows. */
    POLL_DESCRIPTOR,
    /** What is waited for, with the number of descriptors. */
    POLL_EVENTS,
    /** struct sockaddr_un and its size. */
    UNIX_ADDRESS,
    /** struct timespec. */
    TIMESTAMP,
    /** struct mount_attr and its size. */
    MOUNT_ATTR,
    /** struct open_how and its size. */
    OPEN_HOW;

    /** As many bytes of a buffer are shown. */
    private static final int SHOWN_BYTES = 32;

    @Override
    public String render(Object[] all, int index) {
      Object value = all[index];
      return switch (this) {
        case DESCRIPTOR -> descriptor((int) value);
        case PATH -> quote(((OsPath) value).rawBytes());
        case TEXT -> quote(OsPath.encode((String) value));
        case TEXT_OR_NULL -> ((String) value).isEmpty() ? "NULL" : TEXT.render(all, index);
        case BYTES_OR_NULL -> ((byte[]) value).length == 0 ? "NULL" : quote((byte[]) value);
        case CONFIG_VALUE -> configValue((int) all[1], (byte[]) value);
        case SIZED_BYTES -> quote((byte[]) value) + ", " + ((byte[]) value).length;
        case NUMBER -> value.toString();
        case ID -> Flags.hexadecimal(((Number) value).longValue());
        case HANDLE_TYPE ->
            "{handle_bytes=" + ((byte[]) all[index + 1]).length + ", handle_type=" + value;
        case HANDLE -> "f_handle=0x" + HexFormat.of().formatHex((byte[]) value) + "}";
        case MODE -> octal((int) value);
        case CREATION_MODE -> creates((int) all[index - 1]) ? octal((int) value) : "";
        case FILE_MODE -> fileMode((int) value);
        case MAJOR -> "makedev(" + value;
        case MINOR -> value + ")";
        case REQUEST -> Flags.IOCTL.render(all, index);
        case DESCRIPTORS -> value.toString();
        case SENT -> sent((ByteBuffer) value);
        case RECEIVED -> "..., " + ((ByteBuffer) value).remaining();
        case BUFFER -> "...";
        case POLL_DESCRIPTOR -> "[{fd=" + value;
        case POLL_EVENTS -> "events=" + Flags.POLL.render(all, index) + "}], 1";
        case UNIX_ADDRESS -> unixAddress((UnixAddress) value);
        case TIMESTAMP -> timestamp((Timestamp) value);
        case MOUNT_ATTR -> mountAttr((MountAttr) value);
        case OPEN_HOW -> openHow((OpenHow) value);
      };
    }

    private static String descriptor(int number) {
      return number == Linux.AT_FDCWD ? "AT_FDCWD" : Integer.toString(number);
    }

    private static String configValue(int command, byte[] value) {
      return LinuxSyscalls.passesEmptyValue(command) || value.length > 0 ? quote(value) : "NULL";
    }

    private static boolean creates(int openFlags) {
      return (openFlags & Linux.O_CREAT) != 0 || (openFlags & Linux.O_TMPFILE) == Linux.O_TMPFILE;
    }

    private static String sent(ByteBuffer buffer) {
      byte[] shown = new byte[Math.min(buffer.remaining(), SHOWN_BYTES)];
      buffer.get(buffer.position(), shown);
      String rest = shown.length < buffer.remaining() ? "..." : "";
      return quote(shown) + rest + ", " + buffer.remaining();
    }

    private static String unixAddress(UnixAddress address) {
      return "{sa_family=AF_UNIX, sun_path="
          + (address.isAbstract() ? "@" : "")
          + quote(address.name())
          + "}, "
          + address.size();
    }

    private static String timestamp(Timestamp time) {
      if (time.nanoseconds() == Linux.UTIME_NOW) {
        return "UTIME_NOW";
      }
      if (time.nanoseconds() == Linux.UTIME_OMIT) {
        return "UTIME_OMIT";
      }
      return "{tv_sec=" + time.seconds() + ", tv_nsec=" + time.nanoseconds() + "}";
    }

    private static String mountAttr(MountAttr attr) {
      return "{attr_set="
          + Flags.MOUNT_ATTR.render(attr.set())
          + ", attr_clr="
          + Flags.MOUNT_ATTR.render(attr.clear())
          + ", propagation="
          + Flags.MOUNT.render(attr.propagation())
          + ", userns_fd="
          + attr.userNamespace()
          + "}, 32";
    }

    private static String openHow(OpenHow how) {
      return "{flags="
          + Flags.OPEN.render(how.flags())
          + ", mode="
          + octal(how.mode())
          + ", resolve="
          + Flags.RESOLVE.render(how.resolve())
          + "}, 24";
    }
  }

  /** A file's type and permissions, {@code S_IFREG|0644}. */
  static String fileMode(int mode) {
    int type = mode & Linux.S_IFMT;
    String permissions = octal(mode & ~Linux.S_IFMT);
    return type == 0 ? permissions : Flags.FILE_TYPE.render(type) + "|" + permissions;
  }

  private static String octal(long mode) {
    return mode == 0 ? "0" : String.format(Locale.ROOT, "0%03o", mode);
  }

  /** Bytes as a C string literal. */
  static String quote(byte[] bytes) {
    StringBuilder out = new StringBuilder(bytes.length + 2).append('"');
    for (byte b : bytes) {
      switch (b) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\t' -> out.append("\\t");
        case '\r' -> out.append("\\r");
        default -> {
          if (b >= ' ' && b < 0x7F) {
            out.append((char) b);
          } else {
            out.append(String.format(Locale.ROOT, "\\%03o", b & 0xFF));
          }
        }
      }
    }
    return out.append('"').toString();
  }
}
