package dev.ovl.sys;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A path, or one component of a path, as the kernel knows it: bytes without a NUL.
 *
 * <p>{@link java.nio.file.Path} and {@link String} arguments lose names that are not valid in the
 * locale's charset. An {@code OsPath} loses nothing: it converts to and from {@link String} as
 * UTF-8 in which each byte {@code 0xXX} that is not part of valid UTF-8 stands as the lone
 * surrogate {@code U+DCXX}. The conversion is a bijection on what {@link #toString} returns, so a
 * string obtained from a path can travel through picocli, JSON or a map and come back as the same
 * bytes.
 *
 * <p>Immutable, ordered by unsigned bytes. Purely textual: no method asks the file system.
 */
public final class OsPath implements Comparable<OsPath> {
  /** The directory itself, {@code "."}. */
  public static final OsPath DOT = of(".");

  /** No name at all, {@code ""}: with {@code AT_EMPTY_PATH} it means the descriptor itself. */
  public static final OsPath EMPTY = of("");

  /** The root directory, {@code "/"}. */
  public static final OsPath ROOT = of("/");

  private static final byte SLASH = '/';

  private final byte[] bytes;

  /**
   * Of the bytes; 0 until it is asked for, and worked out again where it is. Any thread may set it,
   * always to the same.
   */
  private int hash;

  private OsPath(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * The path with these bytes.
   *
   * @param bytes copied; must not contain a NUL
   * @throws IllegalArgumentException when there is a NUL among the bytes
   */
  public static OsPath of(byte[] bytes) {
    return checked(bytes.clone());
  }

  /**
   * The path that this string stands for; lone surrogates {@code U+DC80..U+DCFF} become the bytes
   * {@code 0x80..0xFF}.
   *
   * @throws IllegalArgumentException when the string holds a NUL or another lone surrogate
   */
  public static OsPath of(String text) {
    return checked(encode(text));
  }

  private static OsPath checked(byte[] bytes) {
    for (byte b : bytes) {
      if (b == 0) {
        throw new IllegalArgumentException("a path cannot contain a NUL byte");
      }
    }
    return new OsPath(bytes);
  }

  /**
   * Encodes a string as {@link #of(String)} does, NUL allowed.
   *
   * @throws IllegalArgumentException for a lone surrogate outside {@code U+DC80..U+DCFF}
   */
  public static byte[] encode(String text) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(text.length() + 8);
    int plain = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) {
        continue;
      }
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
        continue;
      }
      if (c < 0xDC80 || c > 0xDCFF) {
        throw new IllegalArgumentException(
            String.format("lone surrogate U+%04X stands for no byte", (int) c));
      }
      out.writeBytes(text.substring(plain, i).getBytes(StandardCharsets.UTF_8));
      out.write(c & 0xFF);
      plain = i + 1;
    }
    out.writeBytes(text.substring(plain).getBytes(StandardCharsets.UTF_8));
    return out.toByteArray();
  }

  /** Decodes bytes as {@link #toString} does. */
  public static String decode(byte[] bytes) {
    return decode(bytes, 0, bytes.length);
  }

  /** Decodes {@code length} bytes from {@code offset} as {@link #toString} does. */
  public static String decode(byte[] bytes, int offset, int length) {
    int end = offset + length;
    int i = offset;
    while (i < end && bytes[i] >= 0) {
      i++;
    }
    if (i == end) {
      return new String(bytes, offset, length, StandardCharsets.US_ASCII);
    }
    StringBuilder out = new StringBuilder(length);
    i = offset;
    while (i < end) {
      int size = utf8SequenceLength(bytes, i, end);
      if (size == 0) {
        out.append((char) (0xDC00 | (bytes[i] & 0xFF)));
        i++;
      } else {
        out.append(new String(bytes, i, size, StandardCharsets.UTF_8));
        i += size;
      }
    }
    return out.toString();
  }

  /** Length of the valid UTF-8 sequence at {@code i} (RFC 3629), 0 when there is none. */
  private static int utf8SequenceLength(byte[] b, int i, int end) {
    int first = b[i] & 0xFF;
    if (first < 0x80) {
      return 1;
    }
    int size =
        first >= 0xC2 && first <= 0xDF
            ? 2
            : (first & 0xF0) == 0xE0 ? 3 : first >= 0xF0 && first <= 0xF4 ? 4 : 0;
    if (size == 0 || i + size > end) {
      return 0;
    }
    for (int k = 1; k < size; k++) {
      if ((b[i + k] & 0xC0) != 0x80) {
        return 0;
      }
    }
    int second = b[i + 1] & 0xFF;
    boolean valid =
        switch (first) {
          case 0xE0 -> second >= 0xA0;
          case 0xED -> second <= 0x9F;
          case 0xF0 -> second >= 0x90;
          case 0xF4 -> second <= 0x8F;
          default -> true;
        };
    return valid ? size : 0;
  }

  /** A copy of the bytes, without a terminating NUL. */
  public byte[] bytes() {
    return bytes.clone();
  }

  /** The bytes themselves, for the syscall layer, which only reads them. */
  byte[] rawBytes() {
    return bytes;
  }

  /**
   * The byte at an index.
   *
   * @throws ArrayIndexOutOfBoundsException when there is none
   */
  public byte at(int index) {
    return bytes[index];
  }

  /** Number of bytes. */
  public int length() {
    return bytes.length;
  }

  /** True for {@link #EMPTY}. */
  public boolean isEmpty() {
    return bytes.length == 0;
  }

  /** True when the first byte is a slash. */
  public boolean isAbsolute() {
    return bytes.length > 0 && bytes[0] == SLASH;
  }

  /** True when the byte occurs. */
  public boolean contains(char asciiCharacter) {
    for (byte b : bytes) {
      if (b == asciiCharacter) {
        return true;
      }
    }
    return false;
  }

  /**
   * {@code this/name}; {@code name} itself when it is absolute, {@code this} when it is empty.
   *
   * @param name a relative path, in the string form of {@link #of(String)}
   */
  public OsPath resolve(String name) {
    return resolve(of(name));
  }

  /**
   * {@code this/other}; {@code other} itself when it is absolute, {@code this} when it is empty.
   */
  public OsPath resolve(OsPath other) {
    if (other.isAbsolute() || isEmpty()) {
      return other;
    }
    if (other.isEmpty()) {
      return this;
    }
    boolean slash = bytes[bytes.length - 1] != SLASH;
    byte[] joined = Arrays.copyOf(bytes, bytes.length + (slash ? 1 : 0) + other.bytes.length);
    if (slash) {
      joined[bytes.length] = SLASH;
    }
    System.arraycopy(
        other.bytes, 0, joined, joined.length - other.bytes.length, other.bytes.length);
    return new OsPath(joined);
  }

  /**
   * The path without empty and {@code .} components and without a trailing slash. {@code ..} stays:
   * what it means depends on symbolic links.
   */
  public OsPath normalized() {
    List<OsPath> components = components();
    OsPath result = isAbsolute() ? ROOT : EMPTY;
    for (OsPath component : components) {
      if (!component.equals(DOT)) {
        result = result.resolve(component);
      }
    }
    return result.isEmpty() && !isEmpty() ? DOT : result;
  }

  /** The non-empty components in order. */
  public List<OsPath> components() {
    List<OsPath> result = new ArrayList<>();
    int start = 0;
    for (int i = 0; i <= bytes.length; i++) {
      if (i == bytes.length || bytes[i] == SLASH) {
        if (i > start) {
          result.add(new OsPath(Arrays.copyOfRange(bytes, start, i)));
        }
        start = i + 1;
      }
    }
    return result;
  }

  /** What precedes the last component: {@code /} for {@code /a}, {@code .} for {@code a}. */
  public OsPath parent() {
    int end = endWithoutSlashes();
    int i = end;
    while (i > 0 && bytes[i - 1] != SLASH) {
      i--;
    }
    if (i == 0) {
      return isAbsolute() ? ROOT : DOT;
    }
    while (i > 1 && bytes[i - 1] == SLASH) {
      i--;
    }
    return new OsPath(Arrays.copyOf(bytes, i));
  }

  /** The last component; empty for the root directory. */
  public OsPath fileName() {
    int end = endWithoutSlashes();
    int i = end;
    while (i > 0 && bytes[i - 1] != SLASH) {
      i--;
    }
    return new OsPath(Arrays.copyOfRange(bytes, i, end));
  }

  private int endWithoutSlashes() {
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] == SLASH) {
      end--;
    }
    return end;
  }

  /**
   * True when this path is {@code ancestor} or lies beneath it, by whole components; both should be
   * {@link #normalized}.
   */
  public boolean startsWith(OsPath ancestor) {
    int n = ancestor.endWithoutSlashes();
    if (bytes.length < n || isAbsolute() != ancestor.isAbsolute()) {
      return false;
    }
    return Arrays.equals(bytes, 0, n, ancestor.bytes, 0, n)
        && (bytes.length == n || bytes[n] == SLASH);
  }

  /**
   * The path as a person reads it, on one line: as it is when every character is printable and
   * harmless to a shell, else quoted as ls(1) and bash do ({@code 'a b'}, {@code 'a'$'\\n''b'},
   * {@code 'x'$'\\377'}).
   */
  public String quoted() {
    return quoted(toString());
  }

  /** {@link #quoted()} of the text form of a path or of any other word. */
  public static String quoted(String text) {
    boolean safe = !text.isEmpty();
    for (int i = 0; i < text.length() && safe; i++) {
      char c = text.charAt(i);
      safe =
          c >= 0x80
              ? isPrintable(text, i)
              : Character.isLetterOrDigit(c) || "/._-+,:=@%^".indexOf(c) >= 0;
    }
    if (safe) {
      return text;
    }
    StringBuilder out = new StringBuilder("'");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\'') {
        out.append("'\\''");
      } else if (isPrintable(text, i)) {
        out.append(c);
      } else {
        out.append("'$'");
        while (i < text.length() && !isPrintable(text, i)) {
          appendEscaped(out, text.charAt(i));
          i++;
        }
        i--;
        out.append("''");
      }
    }
    String quoted = out.append('\'').toString();
    return quoted.endsWith("''") && quoted.length() > 2 && text.length() > 0
        ? quoted.substring(0, quoted.length() - 2)
        : quoted;
  }

  private static boolean isPrintable(String text, int i) {
    char c = text.charAt(i);
    if (Character.isSurrogate(c)) {
      boolean paired =
          Character.isHighSurrogate(c)
              ? i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))
              : i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
      return paired;
    }
    int type = Character.getType(c);
    return !Character.isISOControl(c)
        && type != Character.LINE_SEPARATOR
        && type != Character.PARAGRAPH_SEPARATOR
        && type != Character.FORMAT
        && type != Character.UNASSIGNED
        && type != Character.PRIVATE_USE;
  }

  private static void appendEscaped(StringBuilder out, char c) {
    switch (c) {
      case '\n' -> out.append("\\n");
      case '\t' -> out.append("\\t");
      case '\r' -> out.append("\\r");
      default -> {
        for (byte b : encode(String.valueOf(c))) {
          out.append(String.format("\\%03o", b & 0xFF));
        }
      }
    }
  }

  @Override
  public int compareTo(OsPath other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof OsPath path && Arrays.equals(bytes, path.bytes);
  }

  @Override
  public int hashCode() {
    int known = hash;
    if (known == 0) {
      known = Arrays.hashCode(bytes);
      hash = known;
    }
    return known;
  }

  /** The path as text: UTF-8, with stray bytes as lone surrogates (see the class comment). */
  @Override
  public String toString() {
    return decode(bytes);
  }
}
