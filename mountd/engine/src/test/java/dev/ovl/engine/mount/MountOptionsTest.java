package dev.ovl.engine.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.Linux;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MountOptionsTest {
  private static MountOptions parse(String... words) throws EngineException {
    return MountOptions.parse(List.of(words));
  }

  private static String refusal(String... words) {
    EngineException refused = assertThrows(EngineException.class, () -> parse(words));
    assertEquals(EngineException.Kind.USAGE, refused.kind());
    assertFalse(refused.getMessage().contains("\n"));
    return refused.getMessage();
  }

  @Test
  void unknownOptionsAreRefusedWithTheKnownOnes() {
    String known =
        "; known are redirect_dir=on|off|follow|nofollow, metacopy=on|off, index=on|off,"
            + " nfs_export=on|off, xino=on|off|auto, uuid=on|off|null|auto,"
            + " verity=on|off|require, fsync=volatile|auto|strict, volatile, userxattr,"
            + " default_permissions, context=…, fscontext=…, defcontext=…, rootcontext=…, ";
    for (String word : List.of("frob", "frob=1", "redirectdir=on", "VOLATILE", "datadir+=/x")) {
      String message = refusal(word);
      assertTrue(message.startsWith("unknown option " + word + known), message);
      for (MountFlag flag : MountFlag.values()) {
        assertTrue(message.contains(", " + flag.word()), message);
      }
    }
    // generic ones have no value
    assertTrue(refusal("ro=1").startsWith("unknown option ro=1; known are "));
    assertTrue(refusal("a b\n").startsWith("unknown option 'a b'$'\\n'; known are "));
    assertTrue(refusal("").startsWith("unknown option '"), refusal(""));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "redirect_dir=maybe; option redirect_dir takes on, off, follow, nofollow, not maybe",
        "redirect_dir; option redirect_dir takes on, off, follow, nofollow, not ''",
        "metacopy=1; option metacopy takes on, off, not 1",
        "metacopy=; option metacopy takes on, off, not ''",
        "xino=ON; option xino takes on, off, auto, not ON",
        "volatile=on; option volatile takes no value: volatile=on",
        "userxattr=; option userxattr takes no value: userxattr=",
        "context=; option context needs a value, a security label",
        "context; option context needs a value, a security label",
      })
  void valuesAreChecked(String word, String message) {
    assertEquals(message, refusal(word));
  }

  @ParameterizedTest
  @CsvSource({
    "userxattr, redirect_dir=on, userxattr and redirect_dir=on",
    "userxattr, metacopy=on, userxattr and metacopy=on",
    "metacopy=on, redirect_dir=off, metacopy=on and redirect_dir=off",
    "metacopy=on, redirect_dir=follow, metacopy=on and redirect_dir=follow",
    "metacopy=on, redirect_dir=nofollow, metacopy=on and redirect_dir=nofollow",
    "nfs_export=on, metacopy=on, nfs_export=on and metacopy=on",
    "nfs_export=on, index=off, nfs_export=on and index=off",
    "verity=require, metacopy=off, verity=require and metacopy=off",
  })
  void contradictionsAreNamed(String one, String other, String both) {
    String message = "options " + both + " exclude each other";
    assertEquals(message, refusal(one, other));
    assertEquals(message, refusal(other, one));
    assertEquals(message, refusal("ro", other, "xino=off", one));
  }

  @Test
  void whatOnlyLooksLikeAContradictionIsFine() throws EngineException {
    parse("userxattr", "redirect_dir=off", "metacopy=off");
    parse("userxattr", "redirect_dir=nofollow");
    parse("metacopy=on", "redirect_dir=on");
    parse("metacopy=on");
    parse("metacopy=off", "redirect_dir=off", "nfs_export=on", "index=on");
    parse("nfs_export=off", "metacopy=on", "index=off");
    parse("verity=on");
  }

  @Test
  void ofTwoTheLastCounts() throws EngineException {
    assertEquals(parse("redirect_dir=on"), parse("redirect_dir=off", "redirect_dir=on"));
    assertEquals(parse("ro"), parse("rw", "ro"));
    assertEquals(MountOptions.NONE, parse("ro", "rw"));
    assertEquals(parse("nosuid"), parse("suid", "nosuid", "nosuid"));
    assertEquals(MountOptions.NONE, parse("noatime", "atime"));
    assertEquals(parse("noexec"), parse("noexec", "exec", "noexec"));
    // a contradiction that was taken back is none
    assertEquals(
        parse("userxattr", "metacopy=off"), parse("metacopy=on", "userxattr", "metacopy=off"));
    assertEquals(List.of("context=b"), parse("context=a", "context=b").words());
  }

  @Test
  void flagsAreNoOverlayData() throws EngineException {
    MountOptions options = parse("ro", "metacopy=on", "nosuid", "nodev", "volatile", "noexec");
    assertEquals(List.of("metacopy", "volatile"), List.copyOf(options.overlayData().keySet()));
    assertEquals(Map.of("metacopy", "on", "volatile", ""), options.overlayData());
    assertEquals(
        Linux.MS_RDONLY | Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC, options.msFlags());
    assertEquals(
        Linux.MOUNT_ATTR_RDONLY
            | Linux.MOUNT_ATTR_NOSUID
            | Linux.MOUNT_ATTR_NODEV
            | Linux.MOUNT_ATTR_NOEXEC,
        options.attributes());
    assertTrue(options.has(MountFlag.RO));
    assertFalse(options.has(MountFlag.SYNC));
    assertEquals(List.of("ro"), options.superblockFlags());
  }

  @Test
  void eachFlagCanBeSetAndTakenBack() throws EngineException {
    for (MountFlag flag : MountFlag.values()) {
      MountOptions set = parse(flag.word());
      assertTrue(set.has(flag), flag.word());
      assertEquals(flag.ms(), set.msFlags(), flag.word());
      assertEquals(flag.attribute(), set.attributes(), flag.word());
      assertEquals(List.of(flag.word()), set.words());
      assertEquals(MountOptions.NONE, parse(flag.word(), flag.opposite()));
      assertEquals(MountOptions.NONE, parse(flag.opposite()));
    }
  }

  @Test
  void valuesAreFound() throws EngineException {
    MountOptions options = parse("redirect_dir=follow", "userxattr");
    assertEquals(Optional.of("follow"), options.value("redirect_dir"));
    assertEquals(Optional.of(""), options.value("userxattr"));
    assertEquals(Optional.empty(), options.value("metacopy"));
    assertFalse(options.isVolatile());
    assertTrue(parse("volatile").isVolatile());
    assertTrue(parse("fsync=volatile").isVolatile());
    assertFalse(parse("fsync=auto").isVolatile());
  }

  @Test
  void defaultsDoNotOverride() throws EngineException {
    assertEquals(parse("index=on"), parse("index=on").withDefault("index", "off"));
    assertEquals(parse("index=off"), MountOptions.NONE.withDefault("index", "off"));
    assertEquals(parse("ro", "index=on"), parse("index=on").readOnly());
    assertEquals(parse("ro"), MountOptions.NONE.readOnly().readOnly());
    assertEquals(List.of(), MountOptions.NONE.words(), "the shared value is unchanged");
  }

  @ParameterizedTest
  @ValueSource(strings = {"context", "fscontext", "defcontext", "rootcontext"})
  void labelsMayBeAnything(String name) throws EngineException {
    String value = "\"system_u:object_r:x_t:s0:c1,c2\"";
    assertEquals(Optional.of(value), parse(name + "=" + value).value(name));
    assertEquals(Optional.of("a=b"), parse(name + "=a=b").value(name));
  }

  @Test
  void wordsReadBackAsTheSame() throws EngineException {
    List<String> all = new ArrayList<>(List.of("context=\"a,b\"", "volatile", "index=on"));
    all.addAll(List.of("redirect_dir=on", "metacopy=on", "xino=auto", "uuid=null", "verity=on"));
    for (MountFlag flag : MountFlag.values()) {
      all.add(flag.word());
    }
    long seed = System.nanoTime();
    System.out.println("MountOptionsTest seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 500; i++) {
      List<String> words = new ArrayList<>();
      random.ints(random.nextInt(10), 0, all.size()).forEach(n -> words.add(all.get(n)));
      MountOptions options = MountOptions.parse(words);
      assertEquals(options, MountOptions.parse(options.words()), "seed " + seed);
      assertEquals(options.hashCode(), MountOptions.parse(options.words()).hashCode());
      assertEquals(String.join(",", options.words()), options.toString());
    }
    assertNotEquals(parse("ro"), parse("sync"));
    assertNotEquals(parse("index=on"), parse("index=off"));
  }
}
