package dev.ovl.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ovl.sys.DirectoryEntries.Entry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;

class DirectoryEntriesTest {
  private static final int HEADER = 19; // d_ino, d_off, d_reclen, d_type

  private final ByteBuffer buffer = ByteBuffer.allocate(2048).order(ByteOrder.nativeOrder());

  /** Appends an entry as the kernel does: the name's NUL, and zeros up to a multiple of 8. */
  private void put(long inode, int type, byte... name) {
    int length = (HEADER + name.length + 1 + 7) & -8;
    ByteBuffer entry = ByteBuffer.allocate(length).order(ByteOrder.nativeOrder());
    entry.putLong(inode).putLong(1234).putShort((short) length).put((byte) type).put(name);
    buffer.put(entry.rewind());
  }

  private List<Entry> read() {
    List<Entry> result = new ArrayList<>();
    new DirectoryEntries(buffer).forEach(result::add);
    return result;
  }

  @Test
  void namesInTheKernelsOrderWithoutTheDots() {
    put(1, 4, (byte) '.');
    put(7, 8, (byte) 'b');
    put(2, 4, (byte) '.', (byte) '.');
    put(8, 10, (byte) '.', (byte) '.', (byte) '.');
    put(9, 0, (byte) '.', (byte) 'a');
    put(-1, 2, (byte) 0xFF, (byte) '\n');
    assertEquals(
        List.of(
            new Entry(7, Linux.DT_REG, OsPath.of("b")),
            new Entry(8, Linux.DT_LNK, OsPath.of("...")),
            new Entry(9, Linux.DT_UNKNOWN, OsPath.of(".a")),
            new Entry(-1, Linux.DT_CHR, OsPath.of("\uDCFF\n"))),
        read());
  }

  @Test
  void nothingAndOnlyDots() {
    assertEquals(List.of(), read());
    put(1, 4, (byte) '.');
    put(2, 4, (byte) '.', (byte) '.');
    assertEquals(List.of(), read());
  }

  @Test
  void aNameOf255Bytes() {
    byte[] name = new byte[255];
    Arrays.fill(name, (byte) 'n');
    put(3, 8, name);
    put(4, 8, (byte) 'z');
    assertEquals(
        List.of(new Entry(3, 8, OsPath.of(name)), new Entry(4, 8, OsPath.of("z"))), read());
  }

  @Test
  void theBufferIsLeftAsItIsAndEachIterationBeginsAnew() {
    put(7, 8, (byte) 'b');
    int position = buffer.position();
    DirectoryEntries entries = new DirectoryEntries(buffer);
    Iterator<Entry> first = entries.iterator();
    first.next();
    assertFalse(first.hasNext());
    assertThrows(NoSuchElementException.class, first::next);
    assertEquals(7, entries.iterator().next().inode());
    assertEquals(position, buffer.position());
    assertEquals(buffer.capacity(), buffer.limit());
  }

  @Test
  void bytesThatAreNoEntryAreRefused() {
    put(7, 8, (byte) 'b');
    for (int length : new int[] {0, 5, HEADER, 25, 4096}) {
      buffer.putShort(16, (short) length);
      assertThrows(IllegalArgumentException.class, this::read, "length " + length);
    }
    buffer.putShort(16, (short) 24);
    buffer.position(23);
    assertThrows(IllegalArgumentException.class, this::read, "cut off");
    buffer.position(10);
    assertThrows(IllegalArgumentException.class, this::read, "cut off in the header");
    buffer.position(24);
    for (int i = HEADER; i < 24; i++) {
      buffer.put(i, (byte) 'x');
    }
    assertThrows(IllegalArgumentException.class, this::read, "no NUL");
  }
}
