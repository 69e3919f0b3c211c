package dev.ovl.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A thread's native memory for the arguments and results of one system call, used anew by the next.
 * Allocating for each call would cost more than the call.
 *
 * <p>Contents are valid until the same thread calls {@link #begin} again. Between {@link #begin}
 * and the last use nothing may run that could itself make a system call through this class; {@link
 * LinuxSyscalls} calls no foreign code there.
 */
final class Scratch {
  /** Room for two paths of PATH_MAX, a page of mount data or results, and small structures. */
  private static final long INITIAL_BYTES = 16 * 1024;

  private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

  private final MemorySegment errnoSlot = allocate(Integer.BYTES);
  private final List<MemorySegment> outgrown = new ArrayList<>(0);
  private MemorySegment block = allocate(INITIAL_BYTES);
  private long used;

  private Scratch() {}

  /** The calling thread's scratch memory, empty. */
  static Scratch begin() {
    Scratch scratch = OF_THREAD.get();
    scratch.used = 0;
    if (!scratch.outgrown.isEmpty()) {
      scratch.outgrown.clear();
    }
    return scratch;
  }

  /** Freed by the garbage collector once the thread is gone: nobody can tell when that is. */
  private static MemorySegment allocate(long size) {
    return Arena.ofAuto().allocate(size, Long.BYTES);
  }

  /** Where the linker puts errno. */
  MemorySegment errnoSlot() {
    return errnoSlot;
  }

  /** The errno of the call that just failed. */
  Errno errno() {
    return Errno.of(errnoSlot.get(JAVA_INT, 0));
  }

  /** Reserves memory of any content, aligned for every C type. */
  MemorySegment reserve(long size) {
    long offset = reserveOffset(size);
    return block.asSlice(offset, size);
  }

  /**
   * Copies bytes, adds a NUL and returns the address.
   *
   * @throws IllegalArgumentException when a NUL is among the bytes: the kernel would see less
   */
  long string(byte[] bytes) {
    for (byte b : bytes) {
      if (b == 0) {
        throw new IllegalArgumentException("a string for the kernel cannot contain a NUL byte");
      }
    }
    return terminated(bytes);
  }

  /** {@link #string(byte[])} of the text's bytes, as {@link OsPath#encode} has them. */
  long string(String text) {
    return string(OsPath.encode(text));
  }

  /** Copies a path, which has no NUL inside, adds one and returns the address. */
  long path(OsPath path) {
    return terminated(path.rawBytes());
  }

  /** Copies bytes as they are and returns the address. */
  long bytes(byte[] bytes) {
    long offset = reserveOffset(bytes.length);
    MemorySegment.copy(bytes, 0, block, JAVA_BYTE, offset, bytes.length);
    return block.address() + offset;
  }

  private long terminated(byte[] bytes) {
    long offset = reserveOffset(bytes.length + 1L);
    MemorySegment.copy(bytes, 0, block, JAVA_BYTE, offset, bytes.length);
    block.set(JAVA_BYTE, offset + bytes.length, (byte) 0);
    return block.address() + offset;
  }

  private long reserveOffset(long size) {
    if (used + size > block.byteSize()) {
      outgrown.add(block); // earlier arguments of this call lie there
      block = allocate(Math.max(size, 2 * block.byteSize()));
      used = 0;
    }
    long offset = used;
    used = (offset + size + Long.BYTES - 1) & -Long.BYTES;
    return offset;
  }
}
