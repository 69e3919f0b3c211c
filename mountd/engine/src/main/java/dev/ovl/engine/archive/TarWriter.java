package dev.ovl.engine.archive;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.AufsNames;
import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.OverlayXattrs;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.engine.tree.Xattrs;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Writes what it is told as a tar: ustar, and where that has no room, with records of pax(1). The
 * same stream gives the same bytes each time.
 *
 * <p>Owners are numbers only. Extended attributes are {@code SCHILY.xattr.} records; {@code
 * security.capability} loses the user namespace that its third version names, for no other reader
 * knows it. Sockets, which tar does not know, are left out and counted. For one thread.
 */
public final class TarWriter implements TreeSink {
  private static final int BLOCK_BYTES = TarInput.BLOCK_BYTES;
  private static final int BUFFER_BYTES = 256 * 1024;
  private static final long MAX_OCTAL_7 = 07777777L;
  private static final long MAX_OCTAL_11 = 077777777777L;
  private static final String CAPABILITY = "security.capability";
  private static final int CAPABILITY_3_BYTES = 24;
  private static final int CAPABILITY_2_BYTES = 20;
  private static final int CAPABILITY_VERSION = 3; // the index of its byte
  private static final Attributes OF_MARKS =
      new Attributes(0, 0, 0, new Timestamp(0, 0), Xattrs.NONE);
  private static final byte[] YES = {'y'};

  private final Syscalls sys;
  private final ByteSink to;
  private final ArchiveFormat format;
  private final Options options;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
  private Optional<Node> waiting = Optional.empty();
  private long sockets;

  /**
   * What is told of files.
   *
   * @param nanoseconds times with their fractions, as pax records; without, whole seconds, rounded
   *     down
   * @param sparse files with holes as GNU tar writes them (its PAX format 1.0); without, holes are
   *     zeros, for the OCI image specification asks for no sparse files in layers
   */
  public record Options(boolean nanoseconds, boolean sparse) {
    /** As Docker and containerd write layers. */
    public static final Options OF_IMAGES = new Options(false, false);

    /** All that is known. */
    public static final Options EXACT = new Options(true, true);
  }

  /**
   * @param to takes the archive; it is finished when this is
   */
  public TarWriter(Syscalls sys, ByteSink to, ArchiveFormat format, Options options) {
    this.sys = sys;
    this.to = to;
    this.format = format;
    this.options = options;
  }

  /** How many sockets were left out. */
  public long sockets() {
    return sockets;
  }

  // ---- the stream ---------------------------------------------------------------------------

  @Override
  public void put(Node node, Content content) throws EngineException, ErrnoException {
    writeWaiting(false);
    if (format != ArchiveFormat.OVERLAY && AufsNames.isMark(node.path().fileName())) {
      throw EngineException.failed(
          "an archive of this format cannot hold "
              + node.path().quoted()
              + ": the name would delete another");
    }
    if (node.kind() instanceof Node.Kind.Directory && format == ArchiveFormat.OVERLAY) {
      waiting = Optional.of(node); // whether it is opaque stands in its own header
    } else if (node.kind() instanceof Node.Kind.Socket) {
      sockets++;
    } else {
      write(node, content);
    }
  }

  @Override
  public void delete(OsPath path) throws EngineException, ErrnoException {
    writeWaiting(false);
    if (format == ArchiveFormat.OVERLAY) {
      write(new Node(path, new Node.Kind.Device(false, 0, 0), OF_MARKS), new Content.None());
    } else {
      writeMark(path.parent(), AufsNames.whiteout(path.fileName()));
    }
  }

  @Override
  public void opaque(OsPath directory) throws EngineException, ErrnoException {
    if (format != ArchiveFormat.OVERLAY) {
      writeMark(directory, AufsNames.OPAQUE);
    } else if (waiting.isPresent() && waiting.get().path().equals(directory)) {
      writeWaiting(true);
    } else {
      throw EngineException.failed(
          "an archive of overlayfs cannot say so late that "
              + directory.quoted()
              + " is opaque: its own entry is written");
    }
  }

  @Override
  public void finish() throws EngineException, ErrnoException {
    writeWaiting(false);
    writeZeros(2 * BLOCK_BYTES);
    flush();
    to.finish();
  }

  private void writeMark(OsPath directory, OsPath name) throws EngineException, ErrnoException {
    OsPath path = directory.equals(OsPath.DOT) ? name : directory.resolve(name);
    write(new Node(path, new Node.Kind.Regular(0), OF_MARKS), new Content.None());
  }

  private void writeWaiting(boolean opaque) throws EngineException, ErrnoException {
    if (waiting.isEmpty()) {
      return;
    }
    Node node = waiting.get();
    waiting = Optional.empty();
    Map<String, byte[]> marks =
        opaque ? Map.of(OverlayXattrs.TRUSTED + OverlayXattrs.OPAQUE, YES) : Map.of();
    writeEntry(node, new Content.None(), marks);
  }

  private void write(Node node, Content content) throws EngineException, ErrnoException {
    writeEntry(node, content, Map.of());
  }

  // ---- entries ------------------------------------------------------------------------------

  private void writeEntry(Node node, Content content, Map<String, byte[]> marks)
      throws EngineException, ErrnoException {
    SortedMap<String, byte[]> records = new TreeMap<>();
    byte[] path = name(node);
    byte[] link =
        switch (node.kind()) {
          case Node.Kind.HardLink(OsPath first) -> first.bytes();
          case Node.Kind.Symlink(OsPath target) -> target.bytes();
          default -> new byte[0];
        };
    Attributes attributes = node.attributes();
    boolean linked = node.kind() instanceof Node.Kind.HardLink;
    if (!linked) { // its attributes are the other name's
      addXattrs(records, attributes.xattrs().values());
      marks.forEach((name, value) -> records.put(PaxRecords.XATTR + name, value));
    }
    long size = node.kind() instanceof Node.Kind.Regular(long bytes) ? bytes : 0;
    if (options.sparse() && content instanceof Content.OfFile(Fd file) && size > 0) {
      List<Range> ranges = ranges(file, size);
      if (!isWhole(ranges, size)) {
        writeSparse(node, path, records, file, ranges, size);
        return;
      }
    }
    writeHeaders(node, path, link, size, records);
    writeData(content, size);
    writeZeros(padding(size));
  }

  private static byte[] name(Node node) {
    byte[] path = node.path().bytes();
    if (!(node.kind() instanceof Node.Kind.Directory)) {
      return path;
    }
    byte[] withSlash = Arrays.copyOf(path, path.length + 1);
    withSlash[path.length] = '/';
    return withSlash;
  }

  private void addXattrs(Map<String, byte[]> records, Map<String, byte[]> xattrs) {
    xattrs.forEach(
        (name, value) -> {
          String kept = format == ArchiveFormat.OVERLAY ? OverlayXattrs.escaped(name) : name;
          records.put(
              PaxRecords.XATTR + kept, name.equals(CAPABILITY) ? withoutNamespace(value) : value);
        });
  }

  /** Version 3 of linux/capability.h is version 2 and, at its end, the root of a namespace. */
  private static byte[] withoutNamespace(byte[] capability) {
    if (capability.length != CAPABILITY_3_BYTES || capability[CAPABILITY_VERSION] != 3) {
      return capability;
    }
    byte[] second = Arrays.copyOf(capability, CAPABILITY_2_BYTES);
    second[CAPABILITY_VERSION] = 2;
    return second;
  }

  private static byte type(Node.Kind kind) {
    return (byte)
        switch (kind) {
          case Node.Kind.Regular ignored -> '0';
          case Node.Kind.HardLink ignored -> '1';
          case Node.Kind.Symlink ignored -> '2';
          case Node.Kind.Device device -> device.block() ? '4' : '3';
          case Node.Kind.Directory ignored -> '5';
          case Node.Kind.Fifo ignored -> '6';
          case Node.Kind.Socket ignored ->
              throw new IllegalArgumentException("tar knows no sockets");
        };
  }

  private void writeHeaders(
      Node node, byte[] path, byte[] link, long size, SortedMap<String, byte[]> records)
      throws EngineException, ErrnoException {
    byte[] block = new byte[BLOCK_BYTES];
    Attributes attributes = node.attributes();
    if (!setName(block, path)) {
      records.put(PaxRecords.PATH, path);
      copy(path, block, TarHeader.NAME, TarHeader.NAME_BYTES);
    }
    if (link.length > TarHeader.NAME_BYTES) {
      records.put(PaxRecords.LINK, link);
    }
    copy(link, block, TarHeader.LINK, TarHeader.NAME_BYTES);
    setOctal(block, TarHeader.MODE, 8, attributes.permissions());
    setNumber(block, records, PaxRecords.UID, TarHeader.UID, attributes.uid() & 0xFFFFFFFFL);
    setNumber(block, records, PaxRecords.GID, TarHeader.GID, attributes.gid() & 0xFFFFFFFFL);
    if (size > MAX_OCTAL_11) {
      records.put(PaxRecords.SIZE, ascii(Long.toString(size)));
    }
    setOctal(block, TarHeader.SIZE, 12, size > MAX_OCTAL_11 ? 0 : size);
    setTime(block, records, attributes.modified());
    if (node.kind() instanceof Node.Kind.Device device) {
      setOctal(block, TarHeader.MAJOR, 8, device.major());
      setOctal(block, TarHeader.MINOR, 8, device.minor());
    }
    if (Stream.of(PaxRecords.PATH, PaxRecords.LINK, PaxRecords.SPARSE_NAME)
        .anyMatch(key -> records.containsKey(key) && !isUtf8(records.get(key)))) {
      records.put(PaxRecords.CHARSET, ascii("BINARY"));
    }
    if (!records.isEmpty()) {
      writeRecords(path, records);
    }
    writeHeader(block, type(node.kind()));
  }

  private void writeRecords(byte[] path, SortedMap<String, byte[]> records)
      throws EngineException, ErrnoException {
    byte[] text = records(records);
    byte[] block = new byte[BLOCK_BYTES];
    byte[] base = OsPath.of(path).fileName().bytes();
    byte[] name = Arrays.copyOf(ascii("PaxHeaders.0/"), 13 + base.length);
    System.arraycopy(base, 0, name, 13, base.length);
    copy(name, block, TarHeader.NAME, TarHeader.NAME_BYTES);
    setOctal(block, TarHeader.MODE, 8, 0644);
    setOctal(block, TarHeader.UID, 8, 0);
    setOctal(block, TarHeader.GID, 8, 0);
    setOctal(block, TarHeader.SIZE, 12, text.length);
    setOctal(block, TarHeader.TIME, 12, 0);
    writeHeader(block, (byte) 'x');
    write(text);
    writeZeros(padding(text.length));
  }

  private static byte[] records(SortedMap<String, byte[]> records) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    records.forEach(
        (key, value) -> {
          byte[] name = OsPath.encode(key);
          int rest = name.length + value.length + 3; // the space, the equals sign, the newline
          int length = rest + 1;
          while (length != rest + Integer.toString(length).length()) {
            length = rest + Integer.toString(length).length();
          }
          text.writeBytes(ascii(length + " "));
          text.writeBytes(name);
          text.write('=');
          text.writeBytes(value);
          text.write('\n');
        });
    return text.toByteArray();
  }

  private static boolean isUtf8(byte[] text) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /** Puts a name where ustar has room for it; false where there is none. */
  private static boolean setName(byte[] block, byte[] path) {
    if (path.length <= TarHeader.NAME_BYTES) {
      copy(path, block, TarHeader.NAME, TarHeader.NAME_BYTES);
      return true;
    }
    if (path.length > TarHeader.PREFIX_BYTES + 1 + TarHeader.NAME_BYTES) {
      return false;
    }
    // the slash of a directory stays with its name
    for (int slash = Math.min(TarHeader.PREFIX_BYTES, path.length - 2); slash > 0; slash--) {
      if (path[slash] == '/') {
        int length = path.length - slash - 1;
        if (length > TarHeader.NAME_BYTES) {
          return false;
        }
        System.arraycopy(path, 0, block, TarHeader.PREFIX, slash);
        System.arraycopy(path, slash + 1, block, TarHeader.NAME, length);
        return true;
      }
    }
    return false;
  }

  private static void setNumber(
      byte[] block, Map<String, byte[]> records, String key, int start, long value) {
    if (value > MAX_OCTAL_7) {
      records.put(key, ascii(Long.toString(value)));
    }
    setOctal(block, start, 8, value > MAX_OCTAL_7 ? 0 : value);
  }

  private void setTime(byte[] block, Map<String, byte[]> records, Timestamp time) {
    long seconds = time.seconds();
    boolean fraction = options.nanoseconds() && time.nanoseconds() > 0;
    boolean fits = seconds >= 0 && seconds <= MAX_OCTAL_11;
    if (fraction || !fits) {
      records.put(PaxRecords.TIME, ascii(text(seconds, fraction ? time.nanoseconds() : 0)));
    }
    setOctal(block, TarHeader.TIME, 12, fits ? seconds : 0);
  }

  /** Seconds as a decimal fraction without zeros at its end. */
  private static String text(long seconds, long nanoseconds) {
    if (nanoseconds == 0) {
      return Long.toString(seconds);
    }
    boolean negative = seconds < 0;
    long whole = negative ? -(seconds + 1) : seconds;
    long nanos = negative ? 1_000_000_000 - nanoseconds : nanoseconds;
    String fraction = String.format(Locale.ROOT, "%09d", nanos).replaceAll("0+$", "");
    return (negative ? "-" : "") + whole + "." + fraction;
  }

  private static void setOctal(byte[] block, int start, int length, long value) {
    long rest = value;
    for (int i = start + length - 2; i >= start; i--) {
      block[i] = (byte) ('0' + (rest & 7));
      rest >>>= 3;
    }
  }

  private void writeHeader(byte[] block, byte type) throws EngineException, ErrnoException {
    block[TarHeader.TYPE] = type;
    copy(ascii("ustar\00000"), block, TarHeader.MAGIC, 8);
    Arrays.fill(block, TarHeader.CHECKSUM, TarHeader.CHECKSUM + 8, (byte) ' ');
    int sum = 0;
    for (byte b : block) {
      sum += b & 0xFF;
    }
    setOctal(block, TarHeader.CHECKSUM, 7, sum);
    block[TarHeader.CHECKSUM + 6] = 0;
    write(block);
  }

  private static void copy(byte[] from, byte[] block, int start, int limit) {
    System.arraycopy(from, 0, block, start, Math.min(from.length, limit));
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  // ---- sparse files -------------------------------------------------------------------------

  /** Bytes of a file that are no hole. */
  private record Range(long offset, long length) {}

  private List<Range> ranges(Fd file, long size) throws ErrnoException {
    List<Range> ranges = new ArrayList<>();
    long end = 0;
    while (end < size) {
      long start = seek(file, end, Linux.SEEK_DATA, size);
      end = Math.min(size, seek(file, start, Linux.SEEK_HOLE, size));
      if (start < end) {
        ranges.add(new Range(start, end - start));
      }
    }
    boolean endsInHole =
        ranges.isEmpty() || ranges.getLast().offset() + ranges.getLast().length() < size;
    if (endsInHole) {
      ranges.add(new Range(size, 0)); // GNU tar would end the file with its last data
    }
    sys.lseek(file.number(), 0, Linux.SEEK_SET);
    return ranges;
  }

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

  private static boolean isWhole(List<Range> ranges, long size) {
    return ranges.size() == 1 && ranges.getFirst().length() == size;
  }

  /** GNU tar's PAX format 1.0: the map stands before the data. */
  private void writeSparse(
      Node node,
      byte[] path,
      SortedMap<String, byte[]> records,
      Fd file,
      List<Range> ranges,
      long size)
      throws EngineException, ErrnoException {
    StringBuilder text = new StringBuilder();
    long data = 0;
    text.append(ranges.size()).append('\n');
    for (Range range : ranges) {
      text.append(range.offset()).append('\n').append(range.length()).append('\n');
      data += range.length();
    }
    byte[] map = ascii(text.toString());
    long stored = map.length + padding(map.length) + data;
    records.put(PaxRecords.SPARSE_MAJOR, ascii("1"));
    records.put(PaxRecords.SPARSE_MINOR, ascii("0"));
    records.put(PaxRecords.SPARSE_NAME, path);
    records.put(PaxRecords.SPARSE_REAL_SIZE, ascii(Long.toString(size)));
    byte[] base = OsPath.of(path).fileName().bytes();
    byte[] shown = Arrays.copyOf(ascii("GNUSparseFile.0/"), 16 + base.length);
    System.arraycopy(base, 0, shown, 16, base.length);
    byte[] cut = Arrays.copyOf(shown, Math.min(shown.length, TarHeader.NAME_BYTES));
    writeHeaders(node, cut, new byte[0], stored, records);
    write(map);
    writeZeros(padding(map.length));
    for (Range range : ranges) {
      sys.lseek(file.number(), range.offset(), Linux.SEEK_SET);
      writeFile(file, range.length());
    }
    writeZeros(padding(stored));
  }

  // ---- bytes --------------------------------------------------------------------------------

  private void writeData(Content content, long size) throws EngineException, ErrnoException {
    switch (content) {
      case Content.OfFile(Fd file) -> writeFile(file, size);
      case Content.OfStream(Content.Source source) -> {
        long left = size;
        while (left > 0) {
          int length = room(left);
          if (source.read(buffer) == 0) {
            throw EngineException.failed("data ends " + left + " bytes early");
          }
          left -= taken(length);
        }
      }
      case Content.None() -> writeZeros(size);
    }
  }

  /** What ends early, since it was cut meanwhile, is filled up with zeros. */
  private void writeFile(Fd file, long size) throws EngineException, ErrnoException {
    long left = size;
    while (left > 0) {
      int length = room(left);
      int read = sys.read(file.number(), buffer);
      taken(length);
      if (read == 0) {
        writeZeros(left);
        return;
      }
      left -= read;
    }
  }

  /** Limits the buffer to what is wanted; returns where it began. */
  private int room(long wanted) throws EngineException, ErrnoException {
    if (!buffer.hasRemaining()) {
      flush();
    }
    int start = buffer.position();
    buffer.limit((int) Math.min(buffer.capacity(), start + wanted));
    return start;
  }

  /** Ends what {@link #room} began; returns how many bytes came. */
  private int taken(int start) {
    buffer.limit(buffer.capacity());
    return buffer.position() - start;
  }

  private void write(byte[] bytes) throws EngineException, ErrnoException {
    int done = 0;
    while (done < bytes.length) {
      if (!buffer.hasRemaining()) {
        flush();
      }
      int length = Math.min(buffer.remaining(), bytes.length - done);
      buffer.put(bytes, done, length);
      done += length;
    }
  }

  private void writeZeros(long count) throws EngineException, ErrnoException {
    long left = count;
    while (left > 0) {
      if (!buffer.hasRemaining()) {
        flush();
      }
      int length = (int) Math.min(left, buffer.remaining());
      for (int i = 0; i < length; i++) {
        buffer.put((byte) 0);
      }
      left -= length;
    }
  }

  private static long padding(long size) {
    return -size & (BLOCK_BYTES - 1);
  }

  private void flush() throws EngineException, ErrnoException {
    to.write(buffer.flip());
    buffer.clear();
  }
}
