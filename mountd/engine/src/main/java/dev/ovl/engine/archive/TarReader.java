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
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Timestamp;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/**
 * Reads a tar: ustar, its forms by GNU (long names, binary numbers, sparse files) and pax(1) with
 * the records that GNU tar, star and Docker write; and those before them all.
 *
 * <p>Paths lose {@code .}, empty components and leading slashes, and {@code ..} takes the component
 * before it away; one that leads out of the tree is refused. So are devices 0:0 in archives of
 * images, names {@code .wh.} without a name, sockets, parts of several volumes, unknown types, and
 * an archive without its end. What overlayfs would obey in an archive of a layer, but a stream of
 * files cannot say (redirects, files without data), is refused too.
 */
public final class TarReader {
  private static final int MAX_NAME_BYTES = 1 << 20;
  private static final int MAX_PATH_BYTES = 32 * 1024;
  private static final int MAX_COMPONENTS = 1024;
  private static final int MAX_XATTRS = 1024;
  private static final long MAX_ID = 0xFFFFFFFEL;
  private static final int MAX_MAJOR = 0xFFF;
  private static final int MAX_MINOR = 0xFFFFF;
  private static final int MAX_SPARSE_NUMBER_DIGITS = 20;

  private static final String REDIRECT = "redirect";
  private static final String METACOPY = "metacopy";

  private final ArchiveFormat format;
  private final Progress progress;
  private final BooleanSupplier cancelled;

  /** Is told how far it is. */
  public interface Progress {
    /** Tells nobody. */
    Progress NONE = (bytes, entries) -> {};

    /**
     * After each entry.
     *
     * @param bytes of the tar, unpacked
     * @param entries of the archive
     */
    void at(long bytes, long entries);
  }

  /**
   * @param format how deletions are told
   * @param cancelled asked before each entry and, in large ones, again and again
   */
  public TarReader(ArchiveFormat format, Progress progress, BooleanSupplier cancelled) {
    this.format = format;
    this.progress = progress;
    this.cancelled = cancelled;
  }

  /**
   * Reads all, to the end of the input; the sink is not told the end.
   *
   * @param tar unpacked
   * @throws EngineException the archive is broken: which entry, at which byte, why; cancelled; what
   *     the sink or the source says
   */
  public void read(Content.Source tar, TreeSink sink) throws EngineException, ErrnoException {
    new Reading(tar, sink).run();
  }

  /** One entry: its headers. */
  private static final class Entry {
    private byte[] name;
    private byte[] link;
    private long dataBytes;
    private long size;
    private Attributes attributes;
    private Optional<SparseMap> sparse = Optional.empty();
    private OsPath path = OsPath.DOT;
  }

  /** One run. */
  private final class Reading {
    private final TarInput in;
    private final TreeSink sink;
    private final byte[] block = new byte[TarInput.BLOCK_BYTES];
    private final TarHeader header = new TarHeader(block);
    private final PaxRecords global = new PaxRecords();
    private final PaxRecords local = new PaxRecords();
    private Optional<byte[]> longName = Optional.empty();
    private Optional<byte[]> longLink = Optional.empty();
    private long headersEnd;
    private Optional<String> entryName = Optional.empty();
    private long entryStart;
    private long entries;

    Reading(Content.Source tar, TreeSink sink) {
      this.in = new TarInput(tar);
      this.sink = sink;
    }

    void run() throws EngineException, ErrnoException {
      try {
        while (readEntry()) {
          progress.at(in.offset(), entries);
        }
        entryName = Optional.empty();
        in.skip(Long.MAX_VALUE);
        progress.at(in.offset(), entries);
      } catch (TarException e) {
        throw failure(e.getMessage());
      }
    }

    private EngineException failure(String what) {
      return EngineException.failed(
          "the archive is broken at byte "
              + entryStart
              + entryName.map(name -> ", " + OsPath.quoted(name)).orElse("")
              + ": "
              + what);
    }

    private void checkCancelled() throws EngineException {
      if (cancelled.getAsBoolean()) {
        throw EngineException.failed("cancelled", Errno.ECANCELED);
      }
    }

    // ---- headers ----------------------------------------------------------------------------

    /** Returns false at the end. */
    private boolean readEntry() throws TarException, EngineException, ErrnoException {
      entryStart = in.offset();
      entryName = Optional.empty();
      local.clear();
      longName = Optional.empty();
      longLink = Optional.empty();
      boolean extended = false;
      while (true) {
        checkCancelled();
        headersEnd = in.offset();
        if (!in.readBlock(block)) {
          throw new TarException(
              in.isAtEnd() && in.offset() == headersEnd && !extended
                  ? "it ends without the blocks that mark its end"
                  : "it ends in the middle of a header");
        }
        if (TarHeader.isZero(block)) {
          if (extended) {
            throw new TarException("an extended header has no entry");
          }
          return false;
        }
        header.check();
        switch (header.type()) {
          case 'x', 'X' -> local.add(text("extended header"));
          case 'g' -> {
            global.add(text("extended header"));
            entryStart = in.offset();
            continue;
          }
          case 'L' -> longName = Optional.of(untilNul(text("long name")));
          case 'K' -> longLink = Optional.of(untilNul(text("long link")));
          case 'V' -> { // the name of a volume
            skipData(dataSize());
            entryStart = in.offset();
            continue;
          }
          default -> {
            entries++;
            readFile();
            return true;
          }
        }
        extended = true;
      }
    }

    private byte[] text(String what) throws TarException, EngineException, ErrnoException {
      long size = dataSize();
      if (size > MAX_NAME_BYTES) {
        throw new TarException("its " + what + " is longer than " + MAX_NAME_BYTES + " bytes");
      }
      byte[] text = new byte[(int) size];
      if (!in.read(text) || !in.skip(padding(size))) {
        throw new TarException("it ends in the middle of a header");
      }
      return text;
    }

    private static byte[] untilNul(byte[] text) {
      int end = 0;
      while (end < text.length && text[end] != 0) {
        end++;
      }
      return Arrays.copyOf(text, end);
    }

    private long dataSize() throws TarException {
      return checkedSize(header.size());
    }

    private static long checkedSize(long size) throws TarException {
      if (size < 0 || size > Long.MAX_VALUE - TarInput.BLOCK_BYTES) {
        throw new TarException("its size is " + size);
      }
      return size;
    }

    private static long padding(long size) {
      return -size & (TarInput.BLOCK_BYTES - 1);
    }

    private void skipData(long size) throws TarException, EngineException, ErrnoException {
      skipRest(size, size);
    }

    private Entry entry() throws TarException {
      Entry entry = new Entry();
      entry.name =
          local
              .get(PaxRecords.SPARSE_NAME, global)
              .or(() -> local.get(PaxRecords.PATH, global))
              .or(() -> longName)
              .orElseGet(header::name);
      entryName = Optional.of(OsPath.decode(entry.name));
      entry.link = local.get(PaxRecords.LINK, global).or(() -> longLink).orElseGet(header::link);
      Optional<Long> size = local.number(PaxRecords.SIZE, global);
      entry.dataBytes = checkedSize(size.isPresent() ? size.get() : header.size());
      entry.size = entry.dataBytes;
      Optional<Long> uid = local.number(PaxRecords.UID, global);
      Optional<Long> gid = local.number(PaxRecords.GID, global);
      Optional<Timestamp> time = local.time(global);
      Map<String, byte[]> xattrs = local.xattrs(global);
      if (xattrs.size() > MAX_XATTRS) {
        throw new TarException("it has more than " + MAX_XATTRS + " extended attributes");
      }
      for (String name : xattrs.keySet()) {
        if (name.isEmpty() || name.indexOf(0) >= 0) {
          throw new TarException("an extended attribute has no proper name");
        }
      }
      entry.attributes =
          new Attributes(
              (int) (header.mode() & 07777),
              id(uid.isPresent() ? uid.get() : header.uid()),
              id(gid.isPresent() ? gid.get() : header.gid()),
              time.isPresent() ? time.get() : new Timestamp(header.time(), 0),
              Xattrs.of(xattrs));
      return entry;
    }

    private static int id(long id) throws TarException {
      if (id < 0 || id > MAX_ID) {
        throw new TarException("there is no user or group " + id);
      }
      return (int) id;
    }

    // ---- names ------------------------------------------------------------------------------

    /** The path from the root of the tree. */
    private static OsPath path(byte[] name) throws TarException {
      byte[] path = new byte[name.length];
      int length = 0;
      int components = 0;
      int start = 0;
      for (int i = 0; i <= name.length; i++) {
        if (i < name.length && name[i] == 0) {
          throw new TarException("there is a NUL in a name");
        }
        if (i < name.length && name[i] != '/') {
          continue;
        }
        int size = i - start;
        if (size == 2 && name[start] == '.' && name[start + 1] == '.') {
          if (components == 0) {
            throw new TarException(
                "the name " + OsPath.quoted(OsPath.decode(name)) + " leads out of the tree");
          }
          components--;
          do {
            length--;
          } while (length >= 0 && path[length] != '/');
          length = Math.max(length, 0);
        } else if (size > 1 || (size == 1 && name[start] != '.')) {
          if (length > 0) {
            path[length++] = '/';
          }
          System.arraycopy(name, start, path, length, size);
          length += size;
          components++;
        }
        start = i + 1;
      }
      if (length > MAX_PATH_BYTES || components > MAX_COMPONENTS) {
        throw new TarException(
            "a name is longer than " + MAX_PATH_BYTES + " bytes or " + MAX_COMPONENTS + " parts");
      }
      return length == 0 ? OsPath.DOT : OsPath.of(Arrays.copyOf(path, length));
    }

    private OsPath linkTarget(Entry entry) throws TarException {
      OsPath to = path(entry.link);
      if (to.equals(OsPath.DOT) || (format != ArchiveFormat.OVERLAY && AufsNames.hasMark(to))) {
        throw new TarException(
            "it is a link to " + OsPath.quoted(OsPath.decode(entry.link)) + ", which is no file");
      }
      return to;
    }

    // ---- files ------------------------------------------------------------------------------

    private void readFile() throws TarException, EngineException, ErrnoException {
      Entry entry = entry();
      entry.path = path(entry.name);
      boolean slash = entry.name.length > 0 && entry.name[entry.name.length - 1] == '/';
      byte type = header.type();
      switch (type) {
        case '0', 0, '7', 'S' -> {
          if (slash && type != 'S') {
            putEmpty(entry, new Node.Kind.Directory());
            skipData(entry.dataBytes);
          } else {
            readRegular(entry, type == 'S');
          }
        }
        case '1' -> putEmpty(entry, new Node.Kind.HardLink(linkTarget(entry)));
        case '2' -> {
          if (entry.link.length == 0) {
            throw new TarException("it is a symbolic link to nothing");
          }
          putEmpty(entry, new Node.Kind.Symlink(target(entry)));
        }
        case '3', '4' -> readDevice(entry, type == '4');
        case '5' -> putEmpty(entry, new Node.Kind.Directory());
        case 'D' -> { // a directory and, as its data, what was in it
          putEmpty(entry, new Node.Kind.Directory());
          skipData(entry.dataBytes);
        }
        case '6' -> putEmpty(entry, new Node.Kind.Fifo());
        case 'M' -> throw new TarException("it continues on another volume");
        default ->
            throw new TarException(
                "its type is unknown: "
                    + (type > ' ' && type < 0x7F ? "'" + (char) type + "'" : "" + (type & 0xFF)));
      }
    }

    private static OsPath target(Entry entry) throws TarException {
      for (byte b : entry.link) {
        if (b == 0) {
          throw new TarException("there is a NUL in a name");
        }
      }
      return OsPath.of(entry.link);
    }

    private void readDevice(Entry entry, boolean block)
        throws TarException, EngineException, ErrnoException {
      long major = header.major();
      long minor = header.minor();
      if (major < 0 || major > MAX_MAJOR || minor < 0 || minor > MAX_MINOR) {
        throw new TarException("there is no device " + major + ":" + minor);
      }
      if (!block && major == 0 && minor == 0) {
        if (format != ArchiveFormat.OVERLAY) {
          throw new TarException("it is the device 0:0, which overlayfs takes for a deletion");
        }
        sink.delete(notRoot(entry.path));
        return;
      }
      putEmpty(entry, new Node.Kind.Device(block, (int) major, (int) minor));
    }

    private static OsPath notRoot(OsPath path) throws TarException {
      if (path.equals(OsPath.DOT)) {
        throw new TarException("the root of a tree is a directory");
      }
      return path;
    }

    private void putEmpty(Entry entry, Node.Kind kind)
        throws TarException, EngineException, ErrnoException {
      put(entry, kind, new Content.None());
    }

    private void readRegular(Entry entry, boolean oldSparse)
        throws TarException, EngineException, ErrnoException {
      if (oldSparse) {
        readOldSparse(entry);
      } else {
        readPaxSparse(entry);
      }
      EntryData data = new EntryData(entry);
      Content content = entry.size == 0 ? new Content.None() : new Content.OfStream(data);
      put(entry, new Node.Kind.Regular(entry.size), content);
      skipRest(entry.dataBytes, data.left);
    }

    private void skipRest(long size, long left)
        throws TarException, EngineException, ErrnoException {
      if (!in.skip(left + padding(size))) {
        throw new TarException("it ends in the middle of its data");
      }
    }

    /** Passes an entry on, or what it means. */
    private void put(Entry entry, Node.Kind kind, Content content)
        throws TarException, EngineException, ErrnoException {
      if (!(kind instanceof Node.Kind.Directory)) {
        notRoot(entry.path);
      }
      if (format == ArchiveFormat.OVERLAY) {
        putOfOverlay(entry, kind, content);
      } else if (!AufsNames.hasMark(entry.path)) {
        sink.put(new Node(entry.path, kind, entry.attributes), content);
      } else {
        mark(entry.path);
      }
    }

    private void mark(OsPath path) throws TarException, EngineException, ErrnoException {
      for (OsPath name : path.components()) {
        if (AufsNames.isOwn(name) && !name.equals(AufsNames.OPAQUE)) {
          return;
        }
      }
      OsPath name = path.fileName();
      OsPath directory = path.parent();
      if (!AufsNames.isMark(name) || AufsNames.hasMark(directory)) {
        throw new TarException("a mark of a deletion is no directory");
      }
      if (name.equals(AufsNames.OPAQUE)) {
        sink.opaque(directory);
        return;
      }
      byte[] bytes = name.bytes();
      OsPath hidden = OsPath.of(Arrays.copyOfRange(bytes, AufsNames.PREFIX.length(), bytes.length));
      if (hidden.isEmpty() || hidden.equals(OsPath.DOT) || hidden.equals(OsPath.of(".."))) {
        throw new TarException("it deletes nothing that has a name");
      }
      sink.delete(directory.equals(OsPath.DOT) ? hidden : directory.resolve(hidden));
    }

    private void putOfOverlay(Entry entry, Node.Kind kind, Content content)
        throws TarException, EngineException, ErrnoException {
      SortedMap<String, byte[]> xattrs = new TreeMap<>();
      boolean opaque = false;
      for (Map.Entry<String, byte[]> xattr : entry.attributes.xattrs().values().entrySet()) {
        Optional<String> own = OverlayXattrs.own(xattr.getKey());
        if (own.isEmpty()) {
          OverlayXattrs.unescaped(xattr.getKey())
              .ifPresent(name -> xattrs.put(name, xattr.getValue()));
          continue;
        }
        switch (own.get()) {
          case REDIRECT ->
              throw new TarException("overlayfs has it from elsewhere (" + xattr.getKey() + ")");
          case METACOPY ->
              throw new TarException("overlayfs has its data elsewhere (" + xattr.getKey() + ")");
          case OverlayXattrs.WHITEOUT -> {
            if (kind instanceof Node.Kind.Regular(long size) && size == 0) {
              sink.delete(entry.path);
              return;
            }
          }
          case OverlayXattrs.OPAQUE ->
              opaque =
                  kind instanceof Node.Kind.Directory
                      && Arrays.equals(xattr.getValue(), new byte[] {'y'});
          default -> {} // where it was copied up from, and the like
        }
      }
      Attributes all = entry.attributes;
      Attributes shown =
          new Attributes(
              all.permissions(), all.uid(), all.gid(), all.modified(), Xattrs.of(xattrs));
      sink.put(new Node(entry.path, kind, shown), content);
      if (opaque) {
        sink.opaque(entry.path);
      }
    }

    // ---- sparse files -----------------------------------------------------------------------

    private void readOldSparse(Entry entry) throws TarException, EngineException, ErrnoException {
      SparseMap map = new SparseMap();
      entry.size = checkedSize(header.realSize());
      boolean more = header.addSparse(map);
      while (more) {
        if (!in.readBlock(block)) {
          throw new TarException("it ends in the middle of a header");
        }
        more = header.addExtension(map);
      }
      map.check(entry.size, entry.dataBytes);
      entry.sparse = Optional.of(map);
    }

    private void readPaxSparse(Entry entry) throws TarException, EngineException, ErrnoException {
      Optional<Long> major = local.number(PaxRecords.SPARSE_MAJOR, global);
      Optional<Long> minor = local.number(PaxRecords.SPARSE_MINOR, global);
      Optional<Long> size = local.number(PaxRecords.SPARSE_REAL_SIZE, global);
      if (size.isEmpty()) {
        size = local.number(PaxRecords.SPARSE_SIZE, global);
      }
      if (major.isPresent() && major.get() > 0) {
        if (major.get() != 1 || minor.orElse(0L) != 0) {
          throw new TarException(
              "its sparse format is unknown: " + major.get() + "." + minor.orElse(0L));
        }
        entry.sparse = Optional.of(readMap(entry));
      } else {
        entry.sparse = local.ranges(global);
      }
      if (entry.sparse.isPresent()) {
        if (size.isEmpty()) {
          throw new TarException("it is sparse and has no size");
        }
        entry.size = checkedSize(size.get());
        entry.sparse.get().check(entry.size, entry.dataBytes);
      }
    }

    /** The map before the data: how many ranges, then offset and length of each, a line each. */
    private SparseMap readMap(Entry entry) throws TarException, EngineException, ErrnoException {
      Lines lines = new Lines(entry);
      long count = lines.next();
      SparseMap map = new SparseMap();
      for (long i = 0; i < count; i++) {
        long offset = lines.next();
        map.add(offset, lines.next());
      }
      return map;
    }

    /** Numbers in lines, in blocks that are taken off an entry's data. */
    private final class Lines {
      private final Entry entry;
      private int at = TarInput.BLOCK_BYTES;

      Lines(Entry entry) {
        this.entry = entry;
      }

      long next() throws TarException, EngineException, ErrnoException {
        long value = 0;
        for (int digits = 0; ; digits++) {
          if (at == TarInput.BLOCK_BYTES) {
            if (entry.dataBytes < TarInput.BLOCK_BYTES || !in.readBlock(block)) {
              throw new TarException("its sparse map ends too early");
            }
            entry.dataBytes -= TarInput.BLOCK_BYTES;
            at = 0;
          }
          byte b = block[at++];
          if (b == '\n' && digits > 0) {
            return value;
          }
          if (b < '0' || b > '9' || digits == MAX_SPARSE_NUMBER_DIGITS) {
            throw new TarException("its sparse map is broken");
          }
          if (value > (Long.MAX_VALUE - 9) / 10) {
            throw new TarException("its sparse map is broken");
          }
          value = value * 10 + b - '0';
        }
      }
    }

    // ---- data -------------------------------------------------------------------------------

    /** The data of an entry, with its holes. */
    private final class EntryData implements Content.Source {
      private final Optional<SparseMap> sparse;
      private final long size;
      private long left;
      private long at;
      private int range;

      EntryData(Entry entry) {
        this.sparse = entry.sparse;
        this.size = entry.size;
        this.left = entry.dataBytes;
      }

      @Override
      public long skipHole() {
        long hole = holeBytes();
        at += hole;
        return hole;
      }

      private long holeBytes() {
        if (sparse.isEmpty()) {
          return 0;
        }
        SparseMap map = sparse.get();
        while (range < map.count() && map.end(range) <= at) {
          range++;
        }
        long next = range < map.count() ? map.offset(range) : size;
        return Math.max(0, next - at);
      }

      @Override
      public int read(ByteBuffer buffer) throws EngineException, ErrnoException {
        checkCancelled();
        long hole = holeBytes();
        if (hole > 0) {
          int zeros = (int) Math.min(hole, buffer.remaining());
          for (int i = 0; i < zeros; i++) {
            buffer.put((byte) 0);
          }
          at += zeros;
          return zeros;
        }
        long limit = sparse.isPresent() && left > 0 ? sparse.get().end(range) - at : left;
        if (limit == 0) {
          return 0;
        }
        int length = in.read(buffer, limit);
        if (length == 0) {
          throw failure("it ends in the middle of its data");
        }
        at += length;
        left -= length;
        return length;
      }
    }
  }
}
