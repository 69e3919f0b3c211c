package dev.ovl.engine.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.OsPath;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MountinfoTest {
  private static final String FIXTURE =
      """
      22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw
      27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard,resuid=65534
      36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
      37 35 98:1 /a\\040b /m\\011n\\012o\\134p rw shared:7 master:12 propagate_from:3 - xfs /dev/s\\040d rw
      38 35 0:99 / /u rw unbindable - tmpfs none rw
      39 35 0:100 / /o rw,relatime shared:8 - overlay ovl:web\\040x rw,lowerdir=/a\\134:b:/c,upperdir=/u\\134\\054\\134\\134v,workdir=/w,uuid=on
      40 35 0:101 /sub/dir//deleted /gone rw - btrfs /dev/x rw,subvol=/s
      """;

  private static List<MountEntry> parse(String text) {
    return Mountinfo.parse(text.getBytes(StandardCharsets.UTF_8));
  }

  private static Optional<ShownOptions> shown(String text) {
    return Optional.of(new ShownOptions(OsPath.of(text)));
  }

  @Test
  void allFieldsAreRead() {
    List<MountEntry> mounts = parse(FIXTURE);

    assertEquals(7, mounts.size());
    assertEquals(
        new MountEntry(
            36,
            35,
            new MountEntry.Device(98, 0),
            OsPath.of("/mnt1"),
            OsPath.of("/mnt2"),
            "ext3",
            OsPath.of("/dev/root"),
            shown("rw,errors=continue"),
            0,
            1),
        mounts.get(2));
    assertEquals(5, mounts.get(0).peerGroup());
    assertEquals(0, mounts.get(0).master());
    assertEquals(0, mounts.get(1).peerGroup());
    assertEquals("254:0", mounts.get(1).device().toString());
    assertEquals(0, mounts.get(4).peerGroup());
    assertEquals(0, mounts.get(4).master());
    assertEquals("tmpfs", mounts.get(4).type());
    assertEquals(OsPath.of("/sub/dir//deleted"), mounts.get(6).root());
  }

  @Test
  void escapesAreUndoneInPathsAndSources() {
    MountEntry mount = parse(FIXTURE.lines().toList().get(3)).get(0);
    assertEquals(OsPath.of("/a b"), mount.root());
    assertEquals(OsPath.of("/m\tn\no\\p"), mount.point());
    assertEquals(OsPath.of("/dev/s d"), mount.source());
    assertEquals(7, mount.peerGroup());
    assertEquals(12, mount.master());
  }

  @Test
  void superblockOptionsAreFound() {
    MountEntry mount = parse(FIXTURE.lines().toList().get(5)).get(0);
    assertTrue(mount.isOverlay());
    assertEquals(OsPath.of("ovl:web x"), mount.source());
    assertEquals(Optional.of(OsPath.of("/u,\\v")), mount.options().orElseThrow().path("upperdir"));
    assertEquals(Optional.of(OsPath.of("/w")), mount.options().orElseThrow().path("workdir"));
    assertEquals(Optional.of(OsPath.of("on")), mount.options().orElseThrow().path("uuid"));
    assertEquals(Optional.empty(), mount.options().orElseThrow().path("upper"));
    assertEquals(Optional.empty(), mount.options().orElseThrow().path("rw"));
    assertEquals(Optional.empty(), mount.options().orElseThrow().path("/u"));
    assertFalse(parse(FIXTURE.lines().toList().get(0)).get(0).isOverlay());
  }

  @Test
  void pathsGivenOneByOneAreShownAsTheyAre() {
    MountEntry mount =
        parse("1 0 0:9 / /o rw - overlay x rw,lowerdir+=/a,upperdir=/u\\054\\134v,workdir=/w:x")
            .get(0);
    assertEquals(Optional.of(OsPath.of("/u,\\v")), mount.options().orElseThrow().path("upperdir"));
    assertEquals(Optional.of(OsPath.of("/w:x")), mount.options().orElseThrow().path("workdir"));
  }

  @Test
  void whatSaysNothingAboutADirectoryIsNoPath() {
    assertEquals(Optional.empty(), shown("lowerdir=31,upperdir=34").orElseThrow().path("upperdir"));
    assertEquals(
        Optional.empty(), shown("rw,upperdir=/proc/self/fd/3").orElseThrow().path("upperdir"));
    assertEquals(
        Optional.of(OsPath.of("ab/diff")),
        shown("lowerdir=l/A,upperdir=ab/diff").orElseThrow().path("upperdir"));
  }

  @Test
  void followersShareThePeerGroupOrHaveItAsMaster() {
    MountEntry here = parse("1 0 0:1 / / rw shared:7 - tmpfs x rw").get(0);
    MountEntry peer = parse("2 0 0:1 / / rw shared:7 master:3 - tmpfs x rw").get(0);
    MountEntry slave = parse("3 0 0:1 / / rw master:7 - tmpfs x rw").get(0);
    MountEntry stranger = parse("4 0 0:1 / / rw shared:8 - tmpfs x rw").get(0);
    MountEntry isolated = parse("5 0 0:1 / / rw - tmpfs x rw").get(0);
    assertTrue(peer.follows(here));
    assertTrue(slave.follows(here));
    assertFalse(here.follows(slave), "nothing travels from a slave to its master");
    assertFalse(stranger.follows(here));
    assertFalse(isolated.follows(here));
    assertFalse(isolated.follows(isolated), "private mounts follow nobody");
  }

  @Test
  void bytesThatAreNotUtf8Survive() {
    byte[] line = "1 2 0:3 / /x rw - tmpfs s rw\n".getBytes(StandardCharsets.US_ASCII);
    line[line.length - 18] = (byte) 0xfe;
    MountEntry mount = Mountinfo.parse(line).get(0);
    assertEquals(OsPath.of(new byte[] {'/', (byte) 0xfe}), mount.point());
  }

  @Test
  void theLastLineMayLackItsEndAndNothingIsNoMounts() {
    assertEquals(List.of(), parse(""));
    assertEquals(1, parse("1 0 0:1 / / rw - tmpfs x rw").size());
    assertEquals(2, parse("1 0 0:1 / / rw - tmpfs x rw\n2 0 0:1 / / rw - tmpfs x rw").size());
  }

  @Test
  void emptySourcesAndOptionsAreKept() {
    MountEntry mount = parse("1 0 0:1 / / rw -   rw").get(0);
    assertEquals("", mount.type());
    assertEquals(OsPath.EMPTY, mount.source());
    assertEquals(shown("rw"), mount.options());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\n",
        "x",
        "1 0 0:1 / / rw",
        "1 0 0:1 / / rw -",
        "1 0 0:1 / / rw - tmpfs",
        "1 0 0:1 / / rw - tmpfs x",
        "1 0 0:1 / / rw shared:1 tmpfs x rw",
        "1 0 0:1 / - tmpfs x rw",
        "a 0 0:1 / / rw - tmpfs x rw",
        "1 b 0:1 / / rw - tmpfs x rw",
        "1 0 01 / / rw - tmpfs x rw",
        "1 0 0: / / rw - tmpfs x rw",
        "1 0 :1 / / rw - tmpfs x rw",
        "1 0 0:x / / rw - tmpfs x rw",
        "1 0 0:1 / / rw shared:x - tmpfs x rw",
        "1 0 0:1 / / rw master: - tmpfs x rw",
        "99999999999999999999 0 0:1 / / rw - tmpfs x rw",
        "1 0 0:1 / / rw - tmpfs x rw\n\n",
      })
  void otherTextIsRefused(String text) {
    assertThrows(IllegalArgumentException.class, () -> parse(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"\\", "\\1", "\\12", "\\9", "\\400", "\\77", "\\08x", "x\\"})
  void whatIsNoEscapeStays(String text) {
    byte[] raw = text.getBytes(StandardCharsets.US_ASCII);
    assertEquals(OsPath.of(text), OsPath.of(Mountinfo.unescape(raw)));
  }

  @Test
  void everyByteCanBeEscaped() {
    for (int b = 1; b < 256; b++) {
      String text = String.format("\\%03o", b);
      assertEquals(
          OsPath.of(new byte[] {(byte) b}),
          OsPath.of(Mountinfo.unescape(text.getBytes(StandardCharsets.US_ASCII))));
    }
  }

  @Test
  void anyMountIsReadBackAndAnyRubbishIsRefusedInOneWay() {
    long seed = System.nanoTime();
    System.out.println("MountinfoTest seed " + seed);
    Random random = new Random(seed);
    byte[] fixture = FIXTURE.getBytes(StandardCharsets.UTF_8);
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1500);
    int rounds = 0;
    int refused = 0;
    while (System.nanoTime() < end) {
      rounds++;
      roundTrip(random, seed);
      byte[] text = rounds % 2 == 0 ? mutated(fixture, random) : rubbish(random);
      try {
        for (MountEntry entry : Mountinfo.parse(text)) {
          entry.options().orElseThrow().path("upperdir");
        }
      } catch (IllegalArgumentException expected) {
        refused++;
      } catch (RuntimeException e) {
        throw new AssertionError(
            "seed " + seed + ", round " + rounds + ": " + OsPath.decode(text), e);
      }
    }
    System.out.println("MountinfoTest " + rounds + " rounds, " + refused + " refused");
  }

  private static void roundTrip(Random random, long seed) {
    List<MountEntry> entries = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (int n = random.nextInt(4); n >= 0; n--) {
      MountEntry entry =
          new MountEntry(
              random.nextInt(1 << 30),
              random.nextInt(1 << 30),
              new MountEntry.Device(random.nextInt(4096), random.nextInt(1 << 20)),
              path(random),
              path(random),
              "t" + random.nextInt(10),
              path(random),
              shown("rw,x=" + random.nextInt()),
              random.nextInt(3),
              random.nextInt(3));
      entries.add(entry);
      text.append(entry.id()).append(' ').append(entry.parent()).append(' ');
      text.append(entry.device()).append(' ').append(escape(entry.root())).append(' ');
      text.append(escape(entry.point())).append(" rw,relatime");
      text.append(entry.peerGroup() == 0 ? "" : " shared:" + entry.peerGroup());
      text.append(entry.master() == 0 ? "" : " master:" + entry.master());
      text.append(random.nextBoolean() ? "" : " something:new");
      text.append(" - ").append(entry.type()).append(' ').append(escape(entry.source()));
      text.append(' ').append(entry.options().orElseThrow().text()).append('\n');
    }
    assertEquals(entries, Mountinfo.parse(OsPath.encode(text.toString())), "seed " + seed);
  }

  private static OsPath path(Random random) {
    byte[] path = new byte[1 + random.nextInt(10)];
    random.nextBytes(path);
    path[0] = '/';
    for (int i = 0; i < path.length; i++) {
      path[i] = path[i] == 0 ? (byte) ' ' : path[i];
    }
    return OsPath.of(path);
  }

  private static String escape(OsPath path) {
    StringBuilder text = new StringBuilder();
    for (byte b : path.bytes()) {
      if (b == ' ' || b == '\t' || b == '\n' || b == '\\' || b < 0) {
        text.append(String.format("\\%03o", b & 0xff));
      } else {
        text.append((char) b);
      }
    }
    return text.toString();
  }

  private static byte[] mutated(byte[] fixture, Random random) {
    byte[] text = fixture.clone();
    for (int n = random.nextInt(8); n >= 0; n--) {
      text[random.nextInt(text.length)] = (byte) random.nextInt(256);
    }
    return Arrays.copyOf(text, random.nextInt(text.length + 1));
  }

  private static byte[] rubbish(Random random) {
    byte[] alphabet = " \n-:\\0123/abc,=".getBytes(StandardCharsets.US_ASCII);
    byte[] text = new byte[random.nextInt(80)];
    for (int i = 0; i < text.length; i++) {
      text[i] = alphabet[random.nextInt(alphabet.length)];
    }
    return text;
  }
}
