package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.usage.CachedFiles;
import dev.ovl.engine.usage.FileSystemRoom;
import dev.ovl.engine.usage.PageCache;
import dev.ovl.engine.usage.UpperUsage;
import dev.ovl.sys.Errno;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Scratch;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What stacks use, asked while they are mounted. */
@Tag("kernel")
class UsageTest {
  private static final PageCache.Limits LIMITS = new PageCache.Limits(1000, Duration.ofMinutes(1));
  private static final int SIZE = 1 << 20;

  @RegisterExtension final StackLab lab = new StackLab();
  @RegisterExtension final Scratch disk = Scratch.ext4();

  @Test
  void anUpperThatIsWrittenTo() throws Exception {
    OsPath target =
        lab.stack("web", lab.layer("a", "one=1", "two=2", "d/three=3", "big=" + "x".repeat(9000)))
            .up();
    UpperUsage fresh = usage("web");
    assertEquals(new UpperUsage.Tree(0, 1), fresh.upper());
    assertEquals(0, fresh.whiteouts());

    lab.unlink(target.resolve("one"));
    lab.unlink(target.resolve("two"));
    lab.unlink(target.resolve("d/three"));
    lab.append(target.resolve("big"), "!");
    lab.write(target.resolve("new"), "n");

    UpperUsage usage = usage("web");
    // a tmpfs counts pages: three of 'big', one of 'new'
    assertEquals(4 * 4096, usage.upper().bytes());
    assertEquals(3, usage.whiteouts());
    // itself, d, big, new, and the whiteouts: one inode or three
    assertTrue(List.of(5L, 7L).contains(usage.upper().inodes()), usage::toString);
    lab.down("web");
    assertEquals(usage.upper(), usage("web").upper());
  }

  private UpperUsage usage(String name) throws Exception {
    return lab.stacks().usage(StackLab.name(name), () -> false).orElseThrow();
  }

  @Test
  void aStackWithoutUpper() throws Exception {
    lab.stack("web", lab.layer("a")).readOnly().create();
    StackName name = StackLab.name("web");
    assertEquals(Optional.empty(), lab.stacks().usage(name, () -> false));
    assertEquals(Optional.empty(), lab.stacks().room(name));
    EngineException none =
        assertThrows(
            EngineException.class, () -> lab.stacks().usage(StackLab.name("none"), () -> false));
    assertEquals(EngineException.Kind.NO_SUCH_STACK, none.kind());
  }

  @Test
  void itEndsWhenToldTo() throws Exception {
    OsPath target = lab.stack("web", lab.layer("a")).up();
    lab.write(target.resolve("new"), "n");
    EngineException cancelled =
        assertThrows(
            EngineException.class, () -> lab.stacks().usage(StackLab.name("web"), () -> true));
    assertEquals(Optional.of(Errno.ECANCELED), cancelled.errno());
  }

  @Test
  void roomIsWhereTheUpperIs() throws Exception {
    OsPath lower = lab.layer("a");
    lab.stack("own", lower).create();
    lab.stack("given", lower).upper(disk.mkdirs("upper"), disk.mkdirs("work")).create();
    FileSystemRoom given = lab.stacks().room(StackLab.name("given")).orElseThrow();
    assertEquals(FileSystemRoom.at(lab.sys, disk.path()), given);
    FileSystemRoom own = lab.stacks().room(StackLab.name("own")).orElseThrow();
    assertEquals(FileSystemRoom.at(lab.sys, lab.root()).bytes(), own.bytes());
    assertTrue(own.bytes() != given.bytes());
  }

  @Test
  void stacksOnOneLowerShareItsPages() throws Exception {
    OsPath shared = disk.mkdirs("shared");
    lab.files.symlink(shared, disk.resolve("alias"));
    try (Fd hole =
        new Fd(
            lab.sys,
            lab.sys.openat(
                Linux.AT_FDCWD, shared.resolve("file"), Linux.O_WRONLY | Linux.O_CREAT, 0644))) {
      lab.sys.ftruncate(hole.number(), SIZE);
    }
    OsPath own = lab.layer("own", "file=1");
    OsPath one = lab.stack("one", shared).up();
    OsPath two = lab.stack("two", own, disk.resolve("alias")).up();
    lab.stack("down", shared).create();

    List<SharedLower> before = lab.stacks().sharedLowers(2, LIMITS, () -> false);
    assertEquals(1, before.size());
    assertEquals(shared, before.get(0).directory());
    assertEquals(List.of(StackLab.name("one"), StackLab.name("two")), before.get(0).stacks());
    if (before.get(0).cached() instanceof CachedFiles.NotTold reason) {
      assertTrue(reason.reason().contains("cachestat"), reason::reason);
      return;
    }
    assertEquals(new CachedFiles.Told(0, 1, true), before.get(0).cached());

    lab.readBytes(one.resolve("file"));
    assertEquals(new CachedFiles.Told(SIZE, 1, true), cachedOf(shared));
    // two's own lower hides it; what lies beneath is there once
    assertEquals("1", lab.read(two.resolve("file")));
    lab.down("two");
    lab.remove("two");
    OsPath again = lab.stack("two", shared).up();
    lab.readBytes(again.resolve("file"));
    assertEquals(new CachedFiles.Told(SIZE, 1, true), cachedOf(shared));
    // a copy has pages of its own
    lab.append(again.resolve("file"), "!");
    assertEquals(new CachedFiles.Told(SIZE, 1, true), cachedOf(shared));

    lab.stack("three", own, shared).up();
    List<SharedLower> all = lab.stacks().sharedLowers(1, LIMITS, () -> false);
    assertEquals(List.of(shared, own), all.stream().map(SharedLower::directory).toList());
    assertEquals(List.of(3, 1), all.stream().map(lower -> lower.stacks().size()).toList());
    List<SharedLower> limited =
        lab.stacks().sharedLowers(1, new PageCache.Limits(1, Duration.ofMinutes(1)), () -> false);
    assertEquals(new CachedFiles.Told(SIZE, 1, true), limited.get(0).cached());
    assertInstanceOf(CachedFiles.NotTold.class, limited.get(1).cached());
  }

  private CachedFiles cachedOf(OsPath lower) throws Exception {
    return lab.stacks().sharedLowers(1, LIMITS, () -> false).stream()
        .filter(one -> one.directory().equals(lower))
        .findFirst()
        .orElseThrow()
        .cached();
  }
}
