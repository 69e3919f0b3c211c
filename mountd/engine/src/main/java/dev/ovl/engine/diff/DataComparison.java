package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Found.Real;
import dev.ovl.engine.tree.Beneath;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Compares the data of files to the byte, without reading their holes. */
final class DataComparison {
  private static final int BUFFER_BYTES = 256 * 1024;
  private static final int BLOCK_BYTES = 512;

  private final Syscalls sys;
  private final Progress progress;
  private final BooleanSupplier cancelled;
  private Optional<Buffers> buffers = Optional.empty();

  private record Buffers(ByteBuffer newer, ByteBuffer older) {
    static Buffers allocate() {
      return new Buffers(
          ByteBuffer.allocateDirect(BUFFER_BYTES), ByteBuffer.allocateDirect(BUFFER_BYTES));
    }
  }

  DataComparison(Syscalls sys, Progress progress, BooleanSupplier cancelled) {
    this.sys = sys;
    this.progress = progress;
    this.cancelled = cancelled;
  }

  /**
   * Whether both files have the same data. False when one of them is gone.
   *
   * @param here a regular file of the same size as the other
   */
  boolean same(Real here, Real there) throws EngineException {
    if (here.stat().size() == 0) {
      return true;
    }
    try (OpenFile some = OpenFile.open(sys, here);
        OpenFile other = OpenFile.open(sys, there)) {
      if (buffers.isEmpty()) {
        buffers = Optional.of(Buffers.allocate());
      }
      return some.isOpen() && other.isOpen() && same(some, other, buffers.get());
    }
  }

  private boolean same(OpenFile here, OpenFile there, Buffers into) throws EngineException {
    boolean holes = here.hasHoles() || there.hasHoles();
    long at = 0;
    while (true) {
      if (cancelled.getAsBoolean()) {
        throw EngineException.failed("cancelled", Errno.ECANCELED);
      }
      if (holes) {
        at = Math.min(here.nextData(at), there.nextData(at));
        here.seek(at);
        there.seek(at);
      }
      here.read(into.newer().clear());
      there.read(into.older().clear());
      if (!into.newer().flip().equals(into.older().flip())) {
        return false;
      }
      int length = into.newer().limit();
      if (length == 0) {
        return true;
      }
      at += length;
      progress.read(2L * length);
    }
  }

  /** A file that is being compared, if it is still there. */
  private static final class OpenFile implements AutoCloseable {
    private final Syscalls sys;
    private final Real real;
    private final Optional<Fd> fd;

    private OpenFile(Syscalls sys, Real real, Optional<Fd> fd) {
      this.sys = sys;
      this.real = real;
      this.fd = fd;
    }

    static OpenFile open(Syscalls sys, Real real) throws EngineException {
      return new OpenFile(sys, real, real.where().layer().openData(real.place()));
    }

    boolean isOpen() {
      return fd.isPresent();
    }

    boolean hasHoles() {
      return real.stat().blocks() * BLOCK_BYTES < real.stat().size();
    }

    /** Where there is data at or behind an offset; the end, as it was, where there is none. */
    long nextData(long from) throws EngineException {
      try {
        return sys.lseek(fd.orElseThrow().number(), from, Linux.SEEK_DATA);
      } catch (ErrnoException e) {
        if (e.is(Errno.ENXIO)) {
          return Math.max(from, real.stat().size());
        }
        if (e.is(Errno.EINVAL)) {
          return from;
        }
        throw failed(e);
      }
    }

    void seek(long to) throws EngineException {
      try {
        sys.lseek(fd.orElseThrow().number(), to, Linux.SEEK_SET);
      } catch (ErrnoException e) {
        throw failed(e);
      }
    }

    /** Fills the buffer as far as there is data. */
    void read(ByteBuffer buffer) throws EngineException {
      try {
        int last = 1;
        while (last > 0 && buffer.hasRemaining()) {
          last = sys.read(fd.orElseThrow().number(), buffer);
        }
      } catch (ErrnoException e) {
        if (!Beneath.isGone(e)) {
          throw failed(e);
        }
      }
    }

    private EngineException failed(ErrnoException e) {
      return real.where().layer().unreadable(real.place().path(), e);
    }

    @Override
    public void close() {
      fd.ifPresent(Fd::close);
    }
  }
}
