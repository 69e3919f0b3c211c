package dev.ovl.engine.tree;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;

/** Makes trees with all that a file can have. Needs root. */
public final class RichTree {
  /** version 2, entries user::rw-, user:1000:r--, group::r--, mask::r--, other::--- */
  public static final String ACL =
      "0200000001000600ffffffff02000400e803000004000400ffffffff10000400ffffffff20000000ffffffff";

  /** version 2, effective; cap_net_raw permitted. */
  public static final String CAPABILITY = "0100000200200000000000000000000000000000";

  private final Syscalls sys = new LinuxSyscalls();
  private final OsPath root;
  private long seconds = 1_000_000_000;

  /** In an existing directory. */
  public RichTree(OsPath root) {
    this.root = root;
  }

  /** All kinds, attributes and odd names, in some 40 files. */
  public RichTree all(boolean userXattrsOnFiles) throws ErrnoException {
    file("plain", "hello");
    file("empty", "");
    file("large", new Random(1), 3_000_000);
    mode("large", 0, 0, 06755);
    directory("dir");
    file("dir/b", "b");
    file("dir/a", "a");
    directory("dir/sub");
    file("dir/sub/deep", "deep");
    mode("dir/sub", 12, 34, 03751);
    directory("sealed");
    mode("sealed", 1000, 1000, 0);
    link("dir/sub/hard", "plain");
    link("plain-again", "plain");
    symlink("link", "dir/sub");
    symlink("dangling", "/nowhere/at/all");
    sys.fchownat(Linux.AT_FDCWD, at("link"), 7, 8, Linux.AT_SYMLINK_NOFOLLOW);
    node("null", Linux.S_IFCHR | 0666, 1, 3);
    node("sda", Linux.S_IFBLK | 0660, 8, 300);
    node("fifo", Linux.S_IFIFO | 0622, 0, 0);
    node("socket", Linux.S_IFSOCK | 0755, 0, 0);
    mode("sda", 0, 6, 0640);
    link("fifo-again", "fifo");
    file("capable", "#!");
    mode("capable", 5, 5, 0755);
    xattr("capable", "security.capability", HexFormat.of().parseHex(CAPABILITY));
    file("acl", "acl");
    xattr("acl", "system.posix_acl_access", HexFormat.of().parseHex(ACL));
    directory("inheriting");
    xattr("inheriting", "system.posix_acl_default", HexFormat.of().parseHex(ACL));
    file("inheriting/none", "has no ACL");
    directory("inheriting/sub");
    sys.removexattr(at("inheriting/none"), "system.posix_acl_access", false);
    sys.removexattr(at("inheriting/sub"), "system.posix_acl_access", false);
    sys.removexattr(at("inheriting/sub"), "system.posix_acl_default", false);
    mode("inheriting/sub", 0, 0, 0755);
    xattr("plain", "trusted.empty", new byte[0]);
    xattr("dir", "trusted.binary", new byte[] {0, '=', '\n', (byte) 0xFF});
    xattr("fifo", "trusted.on-fifo", new byte[] {1});
    sys.setxattr(at("link"), "trusted.on-link", new byte[] {2}, 0, false);
    if (userXattrsOnFiles) {
      xattr("plain", "user.comment", "text".getBytes(StandardCharsets.UTF_8));
    }
    holes("holes", 5_000_000);
    byte[] longest = new byte[255];
    Arrays.fill(longest, (byte) 'n');
    file(OsPath.of(longest), "longest");
    longest[254] = (byte) 0xFE;
    file(OsPath.of(longest), "longest that is no UTF-8");
    file(OsPath.of(new byte[] {'a', (byte) 0xFF, '\n', '\\', '"', 0x1B}), "odd");
    file("ünïcode", "é");
    symlink("long", "t".repeat(300));
    time("dir/a", new Timestamp(-1_000_000, 999_999_999));
    time("dir/b", new Timestamp(0, 1));
    time("dir/sub", new Timestamp(-1, 0));
    time("sealed", new Timestamp(4_000_000_000L, 5));
    return this;
  }

  /** A chain of directories whose path is longer than a system call takes. */
  public RichTree deep() throws ErrnoException {
    Fd at = new Fd(sys, sys.openat(Linux.AT_FDCWD, root, Linux.O_PATH, 0));
    OsPath name = OsPath.of("d".repeat(250));
    for (int i = 0; i < 40; i++) {
      sys.mkdirat(at.number(), name, 0755);
      Fd deeper = new Fd(sys, sys.openat(at.number(), name, Linux.O_PATH, 0));
      at.close();
      at = deeper;
    }
    int flags = Linux.O_WRONLY | Linux.O_CREAT;
    new Fd(sys, sys.openat(at.number(), OsPath.of("bottom"), flags, 0644)).close();
    at.close();
    return this;
  }

  /** The path in the file system. */
  public OsPath at(String name) {
    return root.resolve(name);
  }

  public void file(String name, String content) throws ErrnoException {
    file(OsPath.of(name), content);
  }

  private void file(OsPath name, String content) throws ErrnoException {
    write(root.resolve(name), content.getBytes(StandardCharsets.UTF_8));
  }

  private void file(String name, Random random, int size) throws ErrnoException {
    byte[] content = new byte[size];
    random.nextBytes(content);
    write(at(name), content);
  }

  private void write(OsPath path, byte[] content) throws ErrnoException {
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_TRUNC;
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, path, flags, 0644))) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(content.length).put(content).flip();
      while (buffer.hasRemaining()) {
        sys.write(fd.number(), buffer);
      }
    }
    time(path, new Timestamp(seconds++, 123_456_789));
  }

  /** Data, a hole, data, and a hole at the end. */
  public void holes(String name, long size) throws ErrnoException {
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_TRUNC;
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, at(name), flags, 0644))) {
      for (long offset : new long[] {0, size / 2 & -65536L}) {
        sys.lseek(fd.number(), offset, Linux.SEEK_SET);
        ByteBuffer buffer = ByteBuffer.allocateDirect(5000);
        while (buffer.hasRemaining()) {
          buffer.put((byte) (offset + buffer.position()));
        }
        sys.write(fd.number(), buffer.flip());
      }
      sys.ftruncate(fd.number(), size);
    }
    time(name, new Timestamp(seconds++, 5));
  }

  public void directory(String name) throws ErrnoException {
    sys.mkdirat(Linux.AT_FDCWD, at(name), 0755);
  }

  public void symlink(String name, String target) throws ErrnoException {
    sys.symlinkat(OsPath.of(target), Linux.AT_FDCWD, at(name));
  }

  public void link(String name, String to) throws ErrnoException {
    sys.linkat(Linux.AT_FDCWD, at(to), Linux.AT_FDCWD, at(name), 0);
  }

  public void node(String name, int mode, int major, int minor) throws ErrnoException {
    sys.mknodat(Linux.AT_FDCWD, at(name), mode, major, minor);
  }

  public void xattr(String name, String attribute, byte[] value) throws ErrnoException {
    sys.setxattr(at(name), attribute, value, 0, false);
  }

  public void mode(String name, int uid, int gid, int mode) throws ErrnoException {
    sys.fchownat(Linux.AT_FDCWD, at(name), uid, gid, 0);
    sys.fchmodat(Linux.AT_FDCWD, at(name), mode);
  }

  public void time(String name, Timestamp time) throws ErrnoException {
    time(at(name), time);
  }

  private void time(OsPath path, Timestamp time) throws ErrnoException {
    sys.utimensat(Linux.AT_FDCWD, path, time, time, Linux.AT_SYMLINK_NOFOLLOW);
  }
}
