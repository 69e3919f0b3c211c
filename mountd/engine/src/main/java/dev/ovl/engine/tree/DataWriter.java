package dev.ovl.engine.tree;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;

/** Fills new files, and keeps their holes. For one thread. */
final class DataWriter {
  /** As much as the second level of a processor's cache holds several times. */
  private static final int BUFFER_BYTES = 256 * 1024;

  /** As much is copied by one call, so that whoever watches hears of it. */
  private static final long CHUNK_BYTES = 16L << 20;

  private final Syscalls sys;
  private final CopyWatch watch;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);

  DataWriter(Syscalls sys, CopyWatch watch) {
    this.sys = sys;
    this.watch = watch;
  }

  /**
   * Writes all of a file.
   *
   * @param file empty, open for writing at its beginning
   * @param size that it is to have
   * @throws EngineException the content ends before that, or is broken
   */
  void write(Fd file, long size, Content content) throws EngineException, ErrnoException {
    switch (content) {
      case Content.OfFile(Fd from) -> copy(from, file, size);
      case Content.OfStream(Content.Source source) -> write(file, size, source);
      case Content.None() -> {
        if (size > 0) {
          throw EngineException.failed("there is no data of its " + size + " bytes");
        }
      }
    }
  }

  private void write(Fd file, long size, Content.Source source)
      throws EngineException, ErrnoException {
    long left = size;
    boolean endsInHole = false;
    while (left > 0) {
      long hole = Math.min(left, source.skipHole());
      if (hole > 0) {
        sys.lseek(file.number(), hole, Linux.SEEK_CUR);
        left -= hole;
        endsInHole = true;
        continue;
      }
      buffer.clear().limit((int) Math.min(buffer.capacity(), left));
      if (source.read(buffer) == 0) {
        throw EngineException.failed("its data ends " + left + " bytes early");
      }
      left -= buffer.flip().remaining();
      writeAll(file);
      endsInHole = false;
    }
    if (endsInHole) {
      sys.ftruncate(file.number(), size);
    }
  }

  private void writeAll(Fd file) throws EngineException, ErrnoException {
    long bytes = buffer.remaining();
    while (buffer.hasRemaining()) {
      sys.write(file.number(), buffer);
    }
    watch.written(bytes);
  }

  /**
   * The whole file shared where the file system can (FICLONE), else range by range of its data.
   * What others do to it meanwhile is copied or not; the size is the given one in any case.
   */
  private void copy(Fd from, Fd to, long size) throws EngineException, ErrnoException {
    if (size == 0) {
      return;
    }
    if (isCloned(from, to)) {
      watch.written(size);
    } else {
      long end = 0;
      boolean inKernel = true;
      while (end < size) {
        long start = seek(from, end, Linux.SEEK_DATA, size);
        if (start >= size) {
          break;
        }
        end = Math.min(size, seek(from, start, Linux.SEEK_HOLE, size));
        sys.lseek(from.number(), start, Linux.SEEK_SET);
        sys.lseek(to.number(), start, Linux.SEEK_SET);
        long left = end - start;
        if (inKernel) {
          left = copyInKernel(from, to, left);
          inKernel = left == 0;
        }
        copyByBuffer(from, to, left);
      }
    }
    sys.ftruncate(to.number(), size);
  }

  private boolean isCloned(Fd from, Fd to) throws ErrnoException {
    try {
      sys.ioctl(to.number(), Linux.FICLONE, from.number());
      return true;
    } catch (ErrnoException e) {
      if (isNext(e) || e.is(Errno.ENOTTY)) {
        return false;
      }
      throw e;
    }
  }

  /** Returns what is left to be copied in another way. */
  private long copyInKernel(Fd from, Fd to, long length) throws EngineException, ErrnoException {
    long left = length;
    try {
      while (left > 0) {
        long chunk = Math.min(left, CHUNK_BYTES);
        long copied = sys.copy_file_range(from.number(), to.number(), chunk);
        if (copied == 0) {
          break; // the end has come nearer, or the file system only pretends
        }
        left -= copied;
        watch.written(copied);
      }
    } catch (ErrnoException e) {
      if (!isNext(e)) {
        throw e;
      }
    }
    return left;
  }

  private void copyByBuffer(Fd from, Fd to, long length) throws EngineException, ErrnoException {
    long left = length;
    while (left > 0) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), left));
      if (sys.read(from.number(), buffer) == 0) {
        return;
      }
      left -= buffer.flip().remaining();
      writeAll(to);
    }
  }

  /** Where the next data or hole begins; {@code size} where there is none. */
  private long seek(Fd file, long offset, int whence, long size) throws ErrnoException {
    try {
      return sys.lseek(file.number(), offset, whence);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENXIO)) {
        return size;
      }
      throw e;
    }
  }

  /** The errnos that mean: not between these two files, try the next way. */
  private static boolean isNext(ErrnoException e) {
    return switch (e.errno()) {
      case EXDEV, EINVAL, EOPNOTSUPP, ENOSYS, ETXTBSY -> true;
      default -> false;
    };
  }
}
