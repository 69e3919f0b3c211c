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

  /** Below that a file is read and written sooner than the kernel is asked for more. */
  private static final long SMALL_BYTES = 64 * 1024;

  /** So many files that cannot be shared one after the other, and small ones are not tried. */
  private static final int MOST_REFUSALS = 64;

  private final Syscalls sys;
  private final CopyWatch watch;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
  private int refusals;

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
    boolean small = size <= SMALL_BYTES;
    if ((!small || refusals < MOST_REFUSALS) && isCloned(from, to)) {
      refusals = 0;
      watch.written(size);
      if (sys.lseek(to.number(), 0, Linux.SEEK_END) != size) {
        sys.ftruncate(to.number(), size);
      }
      return;
    }
    refusals++;
    // not without need: XFS waits for the disk then
    if (copyRanges(from, to, size, !small) < size) {
      sys.ftruncate(to.number(), size);
    }
  }

  /** Returns where the last data ends that was written. */
  private long copyRanges(Fd from, Fd to, long size, boolean large)
      throws EngineException, ErrnoException {
    long written = 0;
    boolean inKernel = large;
    long start = 0;
    long end = Math.min(size, seek(from, 0, Linux.SEEK_HOLE, size));
    if (end == 0) {
      start = seek(from, 0, Linux.SEEK_DATA, size);
      end = Math.min(size, seek(from, start, Linux.SEEK_HOLE, size));
    }
    while (start < size) {
      sys.lseek(from.number(), start, Linux.SEEK_SET);
      if (start != written) {
        sys.lseek(to.number(), start, Linux.SEEK_SET);
      }
      long left = end - start;
      if (inKernel) {
        left = copyInKernel(from, to, left);
        inKernel = left == 0;
      }
      left = copyByBuffer(from, to, left);
      written = end - left;
      start = end < size && left == 0 ? seek(from, end, Linux.SEEK_DATA, size) : size;
      end = start < size ? Math.min(size, seek(from, start, Linux.SEEK_HOLE, size)) : size;
    }
    return written;
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

  /** Returns what is left because the file has become shorter. */
  private long copyByBuffer(Fd from, Fd to, long length) throws EngineException, ErrnoException {
    long left = length;
    while (left > 0) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), left));
      if (sys.read(from.number(), buffer) == 0) {
        break;
      }
      left -= buffer.flip().remaining();
      writeAll(to);
    }
    return left;
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
