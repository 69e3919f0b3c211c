package dev.ovl.sys;

import dev.ovl.sys.gen.dirent64;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * The entries that {@link Syscalls#getdents64} put into a buffer, without {@code .} and {@code ..}.
 *
 * <p>A buffer seldom holds a whole directory: call {@code getdents64} and read the entries until it
 * returns 0. The entries are read while the iteration goes on, so the buffer must keep them until
 * its end; each {@link #iterator} begins anew.
 */
public final class DirectoryEntries implements Iterable<DirectoryEntries.Entry> {
  private static final int NAME = (int) dirent64.d_name$offset();
  private static final int LENGTH = (int) dirent64.d_reclen$offset();
  private static final int TYPE = (int) dirent64.d_type$offset();
  private static final int INODE = (int) dirent64.d_ino$offset();

  private final ByteBuffer entries;

  /**
   * One name in a directory.
   *
   * @param inode the number in the directory, which for a mount point is that of the directory
   *     below
   * @param type DT_ constant; DT_UNKNOWN where the file system does not say
   * @param name one component
   */
  public record Entry(long inode, int type, OsPath name) {}

  /**
   * @param buffer as {@code getdents64} left it: the entries stand before the position, and begin
   *     at index 0. Neither position nor limit is changed
   */
  public DirectoryEntries(ByteBuffer buffer) {
    entries = buffer.duplicate().flip().slice().order(ByteOrder.nativeOrder());
  }

  /**
   * The entries in the kernel's order.
   *
   * @return an iterator whose {@code hasNext} throws {@link IllegalArgumentException} where the
   *     bytes are no entry
   */
  @Override
  public Iterator<Entry> iterator() {
    return new Cursor();
  }

  private final class Cursor implements Iterator<Entry> {
    private int start;

    Cursor() {
      skipDots();
    }

    @Override
    public boolean hasNext() {
      return start < entries.limit();
    }

    @Override
    public Entry next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      byte[] name = new byte[nameLength()];
      entries.get(start + NAME, name);
      Entry entry =
          new Entry(
              entries.getLong(start + INODE),
              Byte.toUnsignedInt(entries.get(start + TYPE)),
              OsPath.of(name));
      start += length();
      skipDots();
      return entry;
    }

    private void skipDots() {
      while (hasNext() && isDots()) {
        start += length();
      }
    }

    private boolean isDots() {
      int name = start + NAME;
      return switch (nameLength()) {
        case 1 -> entries.get(name) == '.';
        case 2 -> entries.get(name) == '.' && entries.get(name + 1) == '.';
        default -> false;
      };
    }

    private int length() {
      int rest = entries.limit() - start;
      int length = rest <= NAME ? 0 : Short.toUnsignedInt(entries.getShort(start + LENGTH));
      if (length <= NAME || length > rest) {
        throw new IllegalArgumentException("no directory entry at byte " + start);
      }
      return length;
    }

    private int nameLength() {
      int end = start + length();
      int i = start + NAME;
      while (i < end && entries.get(i) != 0) {
        i++;
      }
      if (i == end) {
        throw new IllegalArgumentException("the directory entry at byte " + start + " has no end");
      }
      return i - start - NAME;
    }
  }
}
