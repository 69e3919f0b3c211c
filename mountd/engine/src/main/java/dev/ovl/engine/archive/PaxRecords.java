package dev.ovl.engine.archive;

import dev.ovl.sys.OsPath;
import dev.ovl.sys.Timestamp;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Records of extended headers (pax(1), "pax Extended Header"). */
final class PaxRecords {
  static final String PATH = "path";
  static final String LINK = "linkpath";
  static final String SIZE = "size";
  static final String UID = "uid";
  static final String GID = "gid";
  static final String TIME = "mtime";

  /** {@code BINARY}: names are bytes, which they are here in any case. */
  static final String CHARSET = "hdrcharset";

  static final String XATTR = "SCHILY.xattr.";
  static final String SPARSE_MAJOR = "GNU.sparse.major";
  static final String SPARSE_MINOR = "GNU.sparse.minor";
  static final String SPARSE_NAME = "GNU.sparse.name";
  static final String SPARSE_SIZE = "GNU.sparse.size";
  static final String SPARSE_REAL_SIZE = "GNU.sparse.realsize";
  static final String SPARSE_MAP = "GNU.sparse.map";
  static final String SPARSE_OFFSET = "GNU.sparse.offset";
  static final String SPARSE_LENGTH = "GNU.sparse.numbytes";

  /** Of all headers before one entry together, and of the global ones. */
  static final int MAX_BYTES = 1 << 20;

  private static final int NANO_DIGITS = 9;

  private final Map<String, byte[]> values = new HashMap<>();

  /** The one key that comes many times. */
  private final List<long[]> ranges = new ArrayList<>();

  private int size;

  void clear() {
    values.clear();
    ranges.clear();
    size = 0;
  }

  boolean isEmpty() {
    return values.isEmpty();
  }

  /** Adds the records of a header; a value that is empty takes an earlier one back. */
  void add(byte[] records) throws TarException {
    size += records.length;
    if (size > MAX_BYTES) {
      throw new TarException("its extended headers are longer than " + MAX_BYTES + " bytes");
    }
    int start = 0;
    while (start < records.length) {
      int i = start;
      long length = 0;
      while (i < records.length && records[i] >= '0' && records[i] <= '9' && i - start < 8) {
        length = length * 10 + records[i++] - '0';
      }
      long end = start + length;
      if (i == start
          || i >= records.length
          || records[i] != ' '
          || end > records.length
          || end <= i + 1
          || records[(int) end - 1] != '\n') {
        throw new TarException("its extended header is broken");
      }
      int key = i + 1;
      int equals = key;
      while (equals < end && records[equals] != '=') {
        equals++;
      }
      if (equals == end || equals == key) {
        throw new TarException("its extended header is broken");
      }
      put(
          OsPath.decode(records, key, equals - key),
          Arrays.copyOfRange(records, equals + 1, (int) end - 1));
      start = (int) end;
    }
  }

  private void put(String key, byte[] value) throws TarException {
    if (key.equals(SPARSE_OFFSET)) {
      ranges.add(new long[] {number(key, value), -1});
    } else if (key.equals(SPARSE_LENGTH)) {
      if (ranges.isEmpty() || ranges.getLast()[1] >= 0) {
        throw new TarException("its sparse map is broken");
      }
      ranges.getLast()[1] = number(key, value);
    } else {
      values.put(key, value);
    }
  }

  /** The value here, else the global one; empty where there is none. */
  Optional<byte[]> get(String key, PaxRecords global) {
    byte[] value = values.get(key);
    if (value == null) {
      value = global.values.get(key);
    }
    return Optional.ofNullable(value).filter(bytes -> bytes.length > 0);
  }

  Optional<Long> number(String key, PaxRecords global) throws TarException {
    Optional<byte[]> value = get(key, global);
    return value.isEmpty() ? Optional.empty() : Optional.of(number(key, value.get()));
  }

  private static long number(String key, byte[] value) throws TarException {
    try {
      return Long.parseLong(new String(value, StandardCharsets.ISO_8859_1));
    } catch (NumberFormatException e) {
      throw new TarException("its " + key + " is no number");
    }
  }

  /** Seconds with a fraction, of which nanoseconds are kept. */
  Optional<Timestamp> time(PaxRecords global) throws TarException {
    Optional<byte[]> value = get(TIME, global);
    if (value.isEmpty()) {
      return Optional.empty();
    }
    String text = new String(value.get(), StandardCharsets.ISO_8859_1);
    int point = text.indexOf('.');
    String whole = point < 0 ? text : text.substring(0, point);
    String fraction = point < 0 ? "" : text.substring(point + 1);
    long nanos = 0;
    for (int i = 0; i < fraction.length(); i++) {
      char c = fraction.charAt(i);
      if (c < '0' || c > '9') {
        throw new TarException("its mtime is no time");
      }
      nanos = i < NANO_DIGITS ? nanos * 10 + c - '0' : nanos;
    }
    for (int i = fraction.length(); i < NANO_DIGITS; i++) {
      nanos *= 10;
    }
    long seconds;
    try {
      seconds = whole.isEmpty() || whole.equals("-") ? 0 : Long.parseLong(whole);
    } catch (NumberFormatException e) {
      throw new TarException("its mtime is no time");
    }
    boolean back = whole.startsWith("-") && nanos > 0 && seconds > Long.MIN_VALUE;
    return Optional.of(
        back ? new Timestamp(seconds - 1, 1_000_000_000 - nanos) : new Timestamp(seconds, nanos));
  }

  /** The extended attributes by name. */
  Map<String, byte[]> xattrs(PaxRecords global) {
    Map<String, byte[]> found = new HashMap<>();
    for (PaxRecords records : List.of(global, this)) {
      records.values.forEach(
          (key, value) -> {
            if (key.startsWith(XATTR)) {
              found.put(key.substring(XATTR.length()), value);
            }
          });
    }
    return found;
  }

  /** The ranges of a sparse map of version 0.0 or 0.1; empty where there is none. */
  Optional<SparseMap> ranges(PaxRecords global) throws TarException {
    SparseMap map = new SparseMap();
    Optional<byte[]> text = get(SPARSE_MAP, global);
    if (text.isPresent()) {
      String[] numbers = new String(text.get(), StandardCharsets.ISO_8859_1).split(",");
      if (numbers.length % 2 != 0) {
        throw new TarException("its sparse map is broken");
      }
      for (int i = 0; i < numbers.length; i += 2) {
        map.add(decimal(numbers[i]), decimal(numbers[i + 1]));
      }
      return Optional.of(map);
    }
    if (ranges.isEmpty()) {
      return Optional.empty();
    }
    for (long[] range : ranges) {
      map.add(range[0], range[1]);
    }
    return Optional.of(map);
  }

  private static long decimal(String text) throws TarException {
    return number(SPARSE_MAP, text.getBytes(StandardCharsets.ISO_8859_1));
  }
}
