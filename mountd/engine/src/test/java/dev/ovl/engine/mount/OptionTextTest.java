package dev.ovl.engine.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class OptionTextTest {
  private static OptionText.Parsed read(String... texts) throws EngineException {
    return OptionText.read(List.of(texts));
  }

  private static String write(List<String> lowers, Optional<OverlayMount.Upper> upper, String... o)
      throws EngineException {
    return OsPath.decode(
        OptionText.write(
            lowers.stream().map(OsPath::of).toList(), upper, MountOptions.parse(List.of(o))));
  }

  private static List<OsPath> paths(String... paths) {
    return Arrays.stream(paths).map(OsPath::of).toList();
  }

  private static String refusal(String... texts) {
    EngineException refused = assertThrows(EngineException.class, () -> read(texts));
    assertEquals(EngineException.Kind.USAGE, refused.kind());
    return refused.getMessage();
  }

  // ---- writing ------------------------------------------------------------------------------

  @Test
  void optionsComeFirstAndLowersLast() throws EngineException {
    OverlayMount.Upper upper = new OverlayMount.Upper(OsPath.of("/u"), OsPath.of("/w"));
    assertEquals("lowerdir=/a", write(List.of("/a"), Optional.empty()));
    assertEquals(
        "redirect_dir=on,volatile,upperdir=/u,workdir=/w,lowerdir=/a:/b:c",
        write(List.of("/a", "/b", "c"), Optional.of(upper), "redirect_dir=on", "ro", "volatile"));
  }

  @Test
  void specialCharactersAreEscaped() throws EngineException {
    OverlayMount.Upper upper = new OverlayMount.Upper(OsPath.of("/u:,\\"), OsPath.of("/w ="));
    assertEquals(
        "upperdir=/u\\:\\,\\\\,workdir=/w =,lowerdir=/a\\:b:/c\\,d:/e\\\\",
        write(List.of("/a:b", "/c,d", "/e\\"), Optional.of(upper)));
  }

  @Test
  void bytesStayBytes() {
    byte[] name = {'/', (byte) 0xff, ':', (byte) 0xc3};
    byte[] text = OptionText.write(List.of(OsPath.of(name)), Optional.empty(), MountOptions.NONE);
    byte[] expected = {'/', (byte) 0xff, '\\', ':', (byte) 0xc3};
    assertEquals(
        OsPath.of("lowerdir=" + OsPath.of(expected)), OsPath.of(text), "the bytes of the path");
  }

  // ---- reading ------------------------------------------------------------------------------

  @Test
  void layersAreTakenApartFromOptions() throws EngineException {
    OptionText.Parsed parsed =
        read("ro,lowerdir=/a:/b,upperdir=/u", "workdir=/w,metacopy=on", "context=\"a,b\",x=y");
    assertEquals(paths("/a", "/b"), parsed.lowers());
    assertEquals(Optional.of(OsPath.of("/u")), parsed.upper());
    assertEquals(Optional.of(OsPath.of("/w")), parsed.work());
    assertEquals(List.of("ro", "metacopy=on", "context=\"a,b\"", "x=y"), parsed.words());
  }

  @Test
  void escapesAreUndone() throws EngineException {
    OptionText.Parsed parsed =
        read("lowerdir=/a\\:b:/c\\,d:/e\\\\:/f,upperdir=/u\\,\\:\\\\x,workdir=/w:x");
    assertEquals(paths("/a:b", "/c,d", "/e\\", "/f"), parsed.lowers());
    assertEquals(Optional.of(OsPath.of("/u,:\\x")), parsed.upper());
    assertEquals(Optional.of(OsPath.of("/w:x")), parsed.work());
  }

  @Test
  void singleLowersAreTakenAsTheyAre() throws EngineException {
    assertEquals(paths("/a:b", "/c"), read("lowerdir+=/a:b,lowerdir+=/c").lowers());
    assertEquals(paths("/a", "/b", "/c"), read("lowerdir=/a:/b,lowerdir+=/c").lowers());
    assertEquals(paths("/c"), read("lowerdir=/a:/b,lowerdir=/c").lowers(), "the last counts");
    assertEquals(paths("rel"), read("lowerdir=rel").lowers());
  }

  @Test
  void emptyOptionsAreSkipped() throws EngineException {
    assertEquals(List.of("ro", "nosuid"), read(",,ro,", "", ",nosuid").words());
    assertEquals(List.of(), read().words());
    assertEquals(List.of(), read("").lowers());
  }

  @Test
  void quotationMarksKeepCommas() throws EngineException {
    assertEquals(List.of("context=\"s0:c1,c2\"", "ro"), read("context=\"s0:c1,c2\",ro").words());
    assertEquals(List.of("a\"b,c\"d", "e"), OptionText.splitOptions("a\"b,c\"d,e"));
    assertEquals("options 'context=\"a,b' lack a closing quotation mark", refusal("context=\"a,b"));
    // an escaped one does not open anything, and in paths it is a character as any other
    assertEquals(List.of("x\\\"y", "z"), OptionText.splitOptions("x\\\"y,z"));
  }

  @Test
  void emptyPathsAreRefused() {
    assertEquals("option lowerdir names an empty path", refusal("lowerdir="));
    assertEquals("option lowerdir names an empty path", refusal("lowerdir=/a::/b"));
    assertEquals("option lowerdir names an empty path", refusal("lowerdir=/a:"));
    assertEquals("option lowerdir names an empty path", refusal("lowerdir=:/a"));
    assertEquals("option upperdir names an empty path", refusal("upperdir="));
    assertEquals("option workdir names an empty path", refusal("workdir"));
    assertEquals("option lowerdir+ names an empty path", refusal("lowerdir+="));
  }

  @Test
  void whatIsWrittenIsReadBack() throws EngineException {
    long seed = System.nanoTime();
    System.out.println("OptionTextTest seed " + seed);
    Random random = new Random(seed);
    byte[] alphabet = {'a', '/', ':', ',', '\\', ' ', '=', '#', '\n', (byte) 0xff, (byte) 0xc3};
    for (int i = 0; i < 2000; i++) {
      List<OsPath> lowers = new ArrayList<>();
      for (int n = random.nextInt(5); n >= 0; n--) {
        lowers.add(randomPath(random, alphabet));
      }
      Optional<OverlayMount.Upper> upper =
          random.nextBoolean()
              ? Optional.empty()
              : Optional.of(
                  new OverlayMount.Upper(
                      randomPath(random, alphabet), randomPath(random, alphabet)));
      MountOptions options = MountOptions.parse(List.of("metacopy=on", "volatile"));

      byte[] text = OptionText.write(lowers, upper, options);
      OptionText.Parsed parsed = read(OsPath.decode(text));

      String context = "seed " + seed + ": " + OsPath.decode(text);
      assertEquals(lowers, parsed.lowers(), context);
      assertEquals(upper.map(OverlayMount.Upper::directory), parsed.upper(), context);
      assertEquals(upper.map(OverlayMount.Upper::work), parsed.work(), context);
      assertEquals(List.of("metacopy=on", "volatile"), parsed.words(), context);
    }
  }

  private static OsPath randomPath(Random random, byte[] alphabet) {
    byte[] path = new byte[1 + random.nextInt(12)];
    path[0] = '/';
    for (int i = 1; i < path.length; i++) {
      path[i] = alphabet[random.nextInt(alphabet.length)];
    }
    return OsPath.of(path);
  }

  @Test
  void anyTextIsReadOrRefused() {
    long seed = System.nanoTime();
    System.out.println("OptionTextTest seed " + seed);
    Random random = new Random(seed);
    String alphabet = "lowerdir=+upk,:\\\"a/\udc80";
    for (int i = 0; i < 20_000; i++) {
      StringBuilder text = new StringBuilder(random.nextBoolean() ? "lowerdir=" : "");
      for (int n = random.nextInt(20); n > 0; n--) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      try {
        read(text.toString());
      } catch (EngineException e) {
        assertEquals(EngineException.Kind.USAGE, e.kind());
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + ": " + text, e);
      }
    }
  }
}
