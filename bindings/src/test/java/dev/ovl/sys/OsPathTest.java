package dev.ovl.sys;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OsPathTest {

  private static void assertRoundTrip(byte[] bytes) {
    OsPath path = OsPath.of(bytes);
    String text = path.toString();
    assertArrayEquals(bytes, OsPath.of(text).bytes());
    assertEquals(text, OsPath.of(text).toString());
    assertEquals(path, OsPath.of(text));
  }

  @Test
  void everyPairOfBytesSurvives() {
    for (int a = 1; a < 256; a++) {
      for (int b = 1; b < 256; b++) {
        assertRoundTrip(new byte[] {(byte) a, (byte) b});
      }
    }
  }

  @Test
  void randomBytesSurvive() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    try {
      for (int i = 0; i < 100_000; i++) {
        byte[] bytes = new byte[random.nextInt(12)];
        for (int k = 0; k < bytes.length; k++) {
          // Half of them where UTF-8 has its leading and continuation bytes.
          int b = random.nextBoolean() ? 0x80 + random.nextInt(0x80) : 1 + random.nextInt(0x7F);
          bytes[k] = (byte) b;
        }
        assertRoundTrip(bytes);
      }
    } catch (AssertionError e) {
      throw new AssertionError("seed " + seed, e);
    }
  }

  @Test
  void validUtf8IsDecodedAsJavaDoes() {
    String text = "aé€\uD83D\uDE00\u0800\uFFFF\uD7FF\uE000\uDBFF\uDFFF";
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    assertEquals(text, OsPath.of(bytes).toString());
    assertArrayEquals(bytes, OsPath.of(text).bytes());
  }

  @ParameterizedTest
  @CsvSource({
    "80",
    "BF",
    "C0AF",
    "C1BF",
    "E080AF",
    "EDA080",
    "EDBFBF",
    "F08080AF",
    "F4908080",
    "F5808080",
    "FF",
    "E282",
    "F09F98",
    "C3"
  })
  void whatIsNoUtf8StaysAsLoneSurrogates(String hexadecimal) {
    byte[] bytes = HexFormat.of().parseHex(hexadecimal);
    String text = OsPath.of(bytes).toString();
    assertEquals(bytes.length, text.length());
    for (int i = 0; i < bytes.length; i++) {
      assertEquals(0xDC00 | (bytes[i] & 0xFF), text.charAt(i));
    }
    assertRoundTrip(bytes);
  }

  @Test
  void surrogatesThatStandForNoByteAreRejected() {
    for (String text :
        new String[] {"\uD800", "a\uDBFFb", "\uDC7F", "\uDD00", "\uDC00", "\uDFFF"}) {
      assertThrows(IllegalArgumentException.class, () -> OsPath.of(text));
    }
  }

  @Test
  void nulIsRejected() {
    assertThrows(IllegalArgumentException.class, () -> OsPath.of("a\0b"));
    assertThrows(IllegalArgumentException.class, () -> OsPath.of(new byte[] {'a', 0}));
  }

  @Test
  void theBytesAreCopied() {
    byte[] bytes = {'a', 'b'};
    OsPath path = OsPath.of(bytes);
    bytes[0] = 'x';
    path.bytes()[1] = 'y';
    assertEquals("ab", path.toString());
    assertNotSame(path.bytes(), path.bytes());
  }

  @ParameterizedTest
  @CsvSource({
    "a, a",
    "/, /",
    "//, /",
    "/a/, /a",
    "a//b, a/b",
    "./a, a",
    "a/., a",
    "., .",
    "./., .",
    "/., /",
    "/./a/./b/, /a/b",
    "../a, ../a",
    "a/../b, a/../b",
    "'', ''",
    "a/.b, a/.b"
  })
  void normalized(String path, String expected) {
    assertEquals(expected, OsPath.of(path).normalized().toString());
  }

  @ParameterizedTest
  @CsvSource({
    "/a, /, a",
    "a, ., a",
    "/a/b, /a, b",
    "a/b, a, b",
    "/, /, ''",
    "//, /, ''",
    "/a/, /, a",
    "a/, ., a",
    "/a//b//, /a, b",
    "//a, /, a",
    "'', ., ''",
    "a/b/c, a/b, c",
    "., ., ."
  })
  void parentAndFileName(String path, String parent, String name) {
    assertEquals(parent, OsPath.of(path).parent().toString());
    assertEquals(name, OsPath.of(path).fileName().toString());
  }

  @ParameterizedTest
  @CsvSource({
    "/a/b, /a, true",
    "/a, /a, true",
    "/ab, /a, false",
    "/a, /a/b, false",
    "/a, /, true",
    "/, /, true",
    "a/b, a, true",
    "a, /, false",
    "/a, a, false",
    "a, b, false",
    "/a/b, /a/, true"
  })
  void startsWith(String path, String ancestor, boolean expected) {
    assertEquals(expected, OsPath.of(path).startsWith(OsPath.of(ancestor)));
  }

  @ParameterizedTest
  @CsvSource({
    "/a, b, /a/b",
    "/a/, b, /a/b",
    "/, b, /b",
    "a, /b, /b",
    "'', b, b",
    "a, '', a",
    "a, b/c, a/b/c"
  })
  void resolve(String path, String other, String expected) {
    assertEquals(expected, OsPath.of(path).resolve(other).toString());
  }

  @Test
  void componentsAreWhatStandsBetweenSlashes() {
    assertEquals(
        List.of(OsPath.of("a"), OsPath.of("."), OsPath.of("b")),
        OsPath.of("//a/./b/").components());
    assertTrue(OsPath.ROOT.components().isEmpty());
    assertTrue(OsPath.EMPTY.components().isEmpty());
  }

  @Test
  void orderIsThatOfUnsignedBytes() {
    OsPath ascii = OsPath.of("z");
    OsPath high = OsPath.of(new byte[] {(byte) 0x80});
    assertTrue(ascii.compareTo(high) < 0);
    assertTrue(OsPath.of("a").compareTo(OsPath.of("ab")) < 0);
    assertEquals(0, ascii.compareTo(OsPath.of("z")));
    assertNotEquals(ascii, high);
    assertEquals(ascii.hashCode(), OsPath.of("z").hashCode());
  }

  @Test
  void questionsAboutTheBytes() {
    assertTrue(OsPath.EMPTY.isEmpty());
    assertFalse(OsPath.DOT.isEmpty());
    assertTrue(OsPath.of("/a").isAbsolute());
    assertFalse(OsPath.of("a").isAbsolute());
    assertTrue(OsPath.of("a:b").contains(':'));
    assertFalse(OsPath.of("ab").contains(':'));
    assertEquals(2, OsPath.of("é").length());
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "/a/b.c-d_e", "lowerdir+=x,y:z@1%", "é", "\uD83D\uDE00"})
  void whatIsHarmlessIsNotQuoted(String text) {
    assertEquals(text, OsPath.quoted(text));
  }

  @Test
  void quotingIsThatOfLs() {
    assertEquals("''", OsPath.quoted(""));
    assertEquals("'a b'", OsPath.quoted("a b"));
    assertEquals("'~'", OsPath.quoted("~"));
    assertEquals("'a'$'\\n''b'", OsPath.quoted("a\nb"));
    assertEquals("'x'$'\\377'", OsPath.of(new byte[] {'x', (byte) 0xFF}).quoted());
    assertEquals("'it'\\''s'", OsPath.quoted("it's"));
    // bash would put a home directory there
    assertEquals("'a=~'", OsPath.quoted("a=~"));
  }

  @Test
  void bashReadsTheQuotedFormAsTheSameBytes(@TempDir Path directory) throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<OsPath> paths = new ArrayList<>();
    StringBuilder script = new StringBuilder("for word in");
    String alphabet = "ab'\"$`\\ \n\t~*?[]!#&|;<>(){}=\u0001\u007F\u00E9\u200B\uDC80\uDCFF7";
    for (int i = 0; i < 2000; i++) {
      StringBuilder text = new StringBuilder();
      for (int k = random.nextInt(6); k >= 0; k--) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      OsPath path = OsPath.of(text.toString());
      paths.add(path);
      script.append(' ').append(path.quoted());
    }
    script.append("; do echo -n \"$word\"; echo -ne '\\0'; done");
    Path file = Files.write(directory.resolve("script"), OsPath.encode(script.toString()));
    ProcessBuilder bash = new ProcessBuilder("bash", file.toString());
    bash.environment().put("LC_ALL", "C");
    Process process = bash.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    byte[] output = process.getInputStream().readAllBytes();
    List<OsPath> read = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < output.length; i++) {
      if (output[i] == 0) {
        read.add(OsPath.of(Arrays.copyOfRange(output, start, i)));
        start = i + 1;
      }
    }
    assertEquals(paths, read, "seed " + seed);
  }
}
