package dev.ovl.engine.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * On an ext4, with files that are one hole: nothing of them is cached until they are read, and then
 * all of them is.
 */
@Tag("kernel")
class PageCacheTest {
  private static final PageCache.Limits NONE =
      new PageCache.Limits(Long.MAX_VALUE, Duration.ofDays(1));
  private static final int SIZE = 1 << 20;

  @RegisterExtension static final Scratch SCRATCH = Scratch.ext4();

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);
  private OsPath tree;
  private Leaks leaks;

  @BeforeEach
  void make() throws ErrnoException {
    SCRATCH.empty();
    tree = SCRATCH.mkdirs("tree");
    leaks = Leaks.beneath(SCRATCH.path());
  }

  @AfterEach
  void nothingIsLeft() {
    leaks.assertNone();
  }

  /** Skips the test where this kernel cannot tell. */
  static void requireCachestat() {
    Syscalls sys = new LinuxSyscalls();
    Optional<String> obstacle = Optional.empty();
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, OsPath.ROOT, Linux.O_RDONLY, 0))) {
      sys.cachestat(fd.number(), 0, 0);
    } catch (ErrnoException e) {
      obstacle =
          e.is(Errno.ENOSYS) ? Optional.of("this kernel has no cachestat(2)") : Optional.empty();
    }
    Requires.that("cachestat", obstacle);
  }

  private OsPath hole(String name, int size) throws ErrnoException {
    OsPath path = tree.resolve(name);
    int flags = Linux.O_WRONLY | Linux.O_CREAT;
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, path, flags, 0644))) {
      sys.ftruncate(fd.number(), size);
    }
    return path;
  }

  private CachedFiles measure() throws EngineException, ErrnoException {
    return new PageCache(sys, NONE, () -> false).measure(tree);
  }

  @Test
  void whatWasReadIsCached() throws Exception {
    requireCachestat();
    OsPath first = hole("first", SIZE);
    files.mkdir(tree.resolve("d"), 0755);
    OsPath second = hole("d/second", 4096 + 1);
    hole("empty", 0);
    files.symlink(first, tree.resolve("link"));
    sys.mknodat(Linux.AT_FDCWD, tree.resolve("fifo"), Linux.S_IFIFO | 0600, 0, 0);
    sys.linkat(Linux.AT_FDCWD, first, Linux.AT_FDCWD, tree.resolve("again"), 0);

    assertEquals(new CachedFiles.Told(0, 2, true), measure());
    files.read(first);
    assertEquals(new CachedFiles.Told(SIZE, 2, true), measure());
    files.read(second);
    assertEquals(new CachedFiles.Told(SIZE + 2 * 4096, 2, true), measure());
    files.read(second);
    assertEquals(new CachedFiles.Told(SIZE + 2 * 4096, 2, true), measure());
  }

  @Test
  void limitsMakeItPartial() throws Exception {
    requireCachestat();
    for (int i = 0; i < 10; i++) {
      files.read(hole("file" + i, 4096));
    }
    PageCache three = new PageCache(sys, new PageCache.Limits(3, Duration.ofDays(1)), () -> false);
    assertEquals(new CachedFiles.Told(3 * 4096, 3, false), three.measure(tree));
    assertInstanceOf(CachedFiles.NotTold.class, three.measure(tree));
    PageCache ten = new PageCache(sys, new PageCache.Limits(11, Duration.ofDays(1)), () -> false);
    assertEquals(new CachedFiles.Told(10 * 4096, 10, true), ten.measure(tree));
    assertEquals(new CachedFiles.Told(4096, 1, false), ten.measure(tree));
    assertEquals(
        new CachedFiles.NotTold("other directories used up the time and files allowed"),
        new PageCache(sys, new PageCache.Limits(10, Duration.ZERO), () -> false).measure(tree));
  }

  @Test
  void itEndsWhenToldTo() throws Exception {
    requireCachestat();
    hole("one", 4096);
    hole("two", 4096);
    AtomicInteger asked = new AtomicInteger();
    EngineException cancelled =
        assertThrows(
            EngineException.class,
            () -> new PageCache(sys, NONE, () -> asked.incrementAndGet() > 1).measure(tree));
    assertEquals(Optional.of(Errno.ECANCELED), cancelled.errno());
  }

  /** A kernel that answers one call so. */
  private static final class Refusing extends ObservedSyscalls {
    private final String call;
    private final Errno errno;
    private int refused;

    Refusing(String call, Errno errno) {
      super(new LinuxSyscalls());
      this.call = call;
      this.errno = errno;
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      if (invocation.name().equals(call)) {
        refused++;
        throw invocation.failure(errno);
      }
      return invocation.perform();
    }
  }

  @Test
  void whatTheKernelDoesNotTellIsNotGuessed() throws Exception {
    hole("one", 4096);
    hole("two", 4096);
    for (Errno errno : List.of(Errno.ENOSYS, Errno.EPERM, Errno.EOPNOTSUPP)) {
      Refusing refusing = new Refusing("cachestat", errno);
      CachedFiles.NotTold reason =
          assertInstanceOf(
              CachedFiles.NotTold.class, new PageCache(refusing, NONE, () -> false).measure(tree));
      assertEquals(
          switch (errno) {
            case ENOSYS -> "this kernel has no cachestat(2), Linux 6.5 has (ENOSYS)";
            case EPERM -> "this user is not permitted to ask (EPERM)";
            default -> "this file system does not tell (EOPNOTSUPP)";
          },
          reason.reason());
      assertEquals(1, refusing.refused, "asked again after a refusal");
    }
    assertEquals(
        new CachedFiles.NotTold("the directory is missing (ENOENT)"),
        new PageCache(sys, NONE, () -> false).measure(tree.resolve("none")));
  }
}
