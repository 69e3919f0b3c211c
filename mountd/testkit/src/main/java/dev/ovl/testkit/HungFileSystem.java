package dev.ovl.testkit;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A file system that stops answering when it is told to: FUSE, served by a thread of the test. It
 * has empty directories that nobody can change, which do for an overlay's lower or as mount points;
 * the kernel remembers nothing of them and asks each time. A lookup in it, or a question about one
 * of its files, then stays in the kernel until {@link #answer} or {@link #close}.
 *
 * <p>When it hangs it does not take a question and keep it, it takes none: a thread that waits for
 * a question not yet taken dies with its process, one that waits for an answer does not. So a JVM
 * that is killed ends, and the kernel with it everything that waits.
 *
 * <p>{@link #close} makes everything that waits fail at once (ENOTCONN, ECONNABORTED). The mount
 * stays, dead; whoever clears the directory ends it ({@link Scratch} does).
 *
 * <p>The messages are those of linux/fuse.h, of which only the offsets in use are named here.
 */
public final class HungFileSystem implements AutoCloseable, AfterEachCallback {
  private static final OsPath DEVICE = OsPath.of("/dev/fuse");
  private static final int BUFFER_BYTES = 128 * 1024;

  private static final int LOOKUP = 1;
  private static final int FORGET = 2;
  private static final int GETATTR = 3;
  private static final int STATFS = 17;
  private static final int RELEASE = 18;
  private static final int FLUSH = 25;
  private static final int INIT = 26;
  private static final int OPENDIR = 27;
  private static final int READDIR = 28;
  private static final int RELEASEDIR = 29;
  private static final int INTERRUPT = 36;
  private static final int BATCH_FORGET = 42;

  private static final int IN_HEADER_BYTES = 40;
  private static final int OUT_HEADER_BYTES = 16;
  private static final int ATTR_BYTES = 88;
  private static final int ENTRY_OUT_BYTES = 40 + ATTR_BYTES;
  private static final int ATTR_OUT_BYTES = 16 + ATTR_BYTES;
  private static final int INIT_OUT_BYTES = 64;
  private static final int OPEN_OUT_BYTES = 16;
  private static final int STATFS_OUT_BYTES = 80;
  private static final int MAJOR = 7;
  private static final int MINOR = 31;
  private static final long ROOT_NODE = 1;
  private static final int MAX_WRITE = 4096;

  private final Syscalls sys = new LinuxSyscalls();
  private final List<String> directories;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Thread hook = new Thread(this::end, "ovl-hung-hook");
  private Optional<Served> served = Optional.empty();
  private boolean hanging;
  private boolean ended;
  private boolean unmounted;
  private boolean resting;

  /**
   * @param device /dev/fuse, by which the kernel asks
   * @param point where it is mounted
   * @param root of the mounted file system
   */
  private record Served(Fd device, OsPath point, Fd root) {}

  /**
   * @param directories the names in its root directory
   */
  public HungFileSystem(String... directories) {
    this.directories = List.of(directories);
  }

  /** Mounts it on a directory; it answers. Skips the test where there is no /dev/fuse. */
  public void mount(OsPath point) throws ErrnoException {
    Requires.root();
    Requires.that(
        "fuse",
        Files.exists(Path.of(DEVICE.toString()))
            ? Optional.empty()
            : Optional.of("there is no /dev/fuse"));
    Requires.fileSystem("fuse");
    if (served.isPresent()) {
      throw new IllegalStateException("it is mounted already");
    }
    Fd device = new Fd(sys, sys.openat(Linux.AT_FDCWD, DEVICE, Linux.O_RDWR, 0));
    try {
      String data = "fd=" + device.number() + ",rootmode=40000,user_id=0,group_id=0";
      sys.mount(OsPath.of("ovl-test"), point, "fuse", 0, data.getBytes(StandardCharsets.US_ASCII));
      Fd root = new Fd(sys, sys.openat(Linux.AT_FDCWD, point, Linux.O_PATH, 0));
      served = Optional.of(new Served(device, point, root));
    } catch (ErrnoException e) {
      device.close();
      throw e;
    }
    Runtime.getRuntime().addShutdownHook(hook);
    int number = device.number();
    Thread.ofPlatform().daemon().name("ovl-hung-server").start(() -> serve(number));
    ask(served.get().root().number());
  }

  /** From when this returns every question to it waits. */
  public void hang() throws ErrnoException {
    lock.lock();
    try {
      hanging = true;
      if (!resting) {
        awaken();
      }
      while (!resting) {
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /** It answers again, also what was asked meanwhile. */
  public void answer() {
    lock.lock();
    try {
      hanging = false;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * From now on it fails (ENOTCONN, ECONNABORTED), as when a server has died; what waits does so
   * too.
   */
  public void die() throws ErrnoException {
    lock.lock();
    try {
      if (!ended) {
        // the connection ends when the device is closed while nobody reads from it
        hang();
        ended = true;
        changed.signalAll();
        served.orElseThrow().device().close();
        served.orElseThrow().root().close();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Asks something, so that the server finds out that it is to rest. */
  private void awaken() throws ErrnoException {
    // by another thread, which waits itself if the server rests already
    int root = served.orElseThrow().root().number();
    Thread.ofPlatform()
        .daemon()
        .name("ovl-hung-question")
        .start(
            () -> {
              try {
                ask(root);
              } catch (ErrnoException e) {
                // it was closed meanwhile
                return;
              }
            });
  }

  private void ask(int root) throws ErrnoException {
    sys.statx(
        root,
        OsPath.EMPTY,
        Linux.AT_EMPTY_PATH | Linux.AT_STATX_FORCE_SYNC,
        Linux.STATX_BASIC_STATS);
  }

  /** {@link #die}, and ends the mount. A second call does nothing. */
  @Override
  public void close() {
    end();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // the JVM is ending and runs, or has run, the hook
      return;
    }
  }

  private void end() {
    lock.lock();
    try {
      if (served.isPresent() && !unmounted) {
        unmounted = true;
        die();
        sys.umount2(served.get().point(), Linux.UMOUNT_NOFOLLOW | Linux.MNT_DETACH);
      }
    } catch (ErrnoException e) {
      throw new AssertionError("cannot end the hung file system", e);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    close();
  }

  // ---- the server ---------------------------------------------------------------------------

  private void serve(int device) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.nativeOrder());
    while (goOn()) {
      try {
        sys.read(device, buffer.clear());
        Optional<ByteBuffer> reply = reply(buffer.flip());
        if (reply.isPresent()) {
          sys.write(device, reply.get());
        }
      } catch (ErrnoException e) {
        // ENOENT, EINTR: who asked has gone
        if (!e.is(Errno.ENOENT) && !e.is(Errno.EINTR)) {
          throw new AssertionError("the hung file system cannot be served", e);
        }
      }
    }
  }

  /** Rests while it hangs; false when it is to end. */
  private boolean goOn() {
    lock.lock();
    try {
      while (hanging && !ended) {
        resting = true;
        changed.signalAll();
        changed.awaitUninterruptibly();
      }
      resting = false;
      return !ended;
    } finally {
      lock.unlock();
    }
  }

  private Optional<ByteBuffer> reply(ByteBuffer request) {
    int operation = request.getInt(4);
    long unique = request.getLong(8);
    long node = request.getLong(16);
    return switch (operation) {
      case FORGET, BATCH_FORGET, INTERRUPT -> Optional.empty();
      case INIT -> {
        ByteBuffer out = done(unique, INIT_OUT_BYTES);
        // after max_readahead, flags and the limits of the background queue
        out.putInt(MAJOR).putInt(MINOR).position(out.position() + 12).putInt(MAX_WRITE);
        yield Optional.of(out.rewind());
      }
      case LOOKUP -> {
        byte[] name = new byte[request.limit() - IN_HEADER_BYTES - 1];
        request.get(IN_HEADER_BYTES, name);
        int index = directories.indexOf(OsPath.decode(name));
        if (node != ROOT_NODE || index < 0) {
          yield Optional.of(failed(unique, Errno.ENOENT));
        }
        long found = ROOT_NODE + 1 + index;
        ByteBuffer out = done(unique, ENTRY_OUT_BYTES);
        // after generation and validities, which are 0
        out.putLong(found).position(out.position() + 32);
        yield Optional.of(putAttributes(out, found).rewind());
      }
      case GETATTR -> {
        ByteBuffer out = done(unique, ATTR_OUT_BYTES);
        out.position(out.position() + 16);
        yield Optional.of(putAttributes(out, node).rewind());
      }
      case OPENDIR -> Optional.of(done(unique, OPEN_OUT_BYTES).rewind());
      case READDIR -> {
        boolean first = request.getLong(IN_HEADER_BYTES + 8) == 0;
        yield Optional.of(entries(unique, node == ROOT_NODE && first ? directories : List.of()));
      }
      case STATFS -> Optional.of(done(unique, STATFS_OUT_BYTES).rewind());
      case FLUSH, RELEASE, RELEASEDIR -> Optional.of(done(unique, 0).rewind());
      default -> Optional.of(failed(unique, Errno.ENOSYS));
    };
  }

  /** The header of a reply, and room for the rest, all zero. */
  private static ByteBuffer done(long unique, int bytes) {
    return header(unique, 0, OUT_HEADER_BYTES + bytes);
  }

  private static ByteBuffer failed(long unique, Errno errno) {
    return header(unique, -errno.number(), OUT_HEADER_BYTES).rewind();
  }

  private static ByteBuffer header(long unique, int error, int length) {
    return ByteBuffer.allocateDirect(length)
        .order(ByteOrder.nativeOrder())
        .putInt(length)
        .putInt(error)
        .putLong(unique);
  }

  /** struct fuse_attr of a directory. */
  private static ByteBuffer putAttributes(ByteBuffer out, long node) {
    out.putLong(node).position(out.position() + 52);
    return out.putInt(Linux.S_IFDIR | 0755).putInt(2).position(out.position() + 20);
  }

  private static ByteBuffer entries(long unique, List<String> names) {
    List<byte[]> entries = new ArrayList<>();
    int bytes = 0;
    for (String name : names) {
      byte[] text = OsPath.encode(name);
      ByteBuffer entry = ByteBuffer.allocate(24 + (text.length + 7) / 8 * 8);
      entry.order(ByteOrder.nativeOrder());
      entry.putLong(ROOT_NODE + 1 + entries.size()).putLong(entries.size() + 1L);
      entry.putInt(text.length).putInt(Linux.DT_DIR).put(text);
      entries.add(entry.array());
      bytes += entry.capacity();
    }
    ByteBuffer out = done(unique, bytes);
    entries.forEach(out::put);
    return out.rewind();
  }
}
