package dev.ovl.testkit;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A directory for one test, on a file system of its own where that is asked for.
 *
 * <p>Made when {@link #path} is first called, which skips the test where the machine cannot do it
 * ({@link Requires}); gone after {@link #close}, with all that was mounted beneath it. When the JVM
 * is told to end, a shutdown hook does the same, and what a killed one left is cleared by the next
 * that makes a scratch directory.
 *
 * <p>In try-with-resources, or as JUnit extension: {@code @RegisterExtension final Scratch scratch
 * = Scratch.tmpfs()} lives as long as a test, a static one as long as its class.
 */
public final class Scratch
    implements AutoCloseable,
        BeforeAllCallback,
        BeforeEachCallback,
        AfterEachCallback,
        AfterAllCallback {
  private static final Pattern NAME = Pattern.compile("ovl-test-([0-9]+)-[0-9]+");
  private static final OsPath FILES = OsPath.of("fs");
  private static final OsPath IMAGE = OsPath.of("image");

  /** Sparse; mkfs.xfs takes nothing below 300 MB. */
  private static final long IMAGE_BYTES = 512L << 20;

  private static final int UNMOUNT_ATTEMPTS = 50;
  private static final long PAUSE_MILLIS = 10;

  private final Kind kind;
  private final Syscalls sys = new LinuxSyscalls();
  private final Thread hook = new Thread(this::clear, "ovl-scratch");
  private Optional<Place> place = Optional.empty();
  private boolean closed;
  private boolean ofClass;

  private enum Kind {
    PLAIN,
    TMPFS,
    EXT4,
    XFS,
    BTRFS;

    String type() {
      return name().toLowerCase(Locale.ROOT);
    }

    List<String> formatter() {
      return switch (this) {
        case EXT4 -> List.of("-q", "-F");
        case XFS, BTRFS -> List.of("-q", "-f");
        case PLAIN, TMPFS -> throw new IllegalStateException("nothing to format");
      };
    }
  }

  /**
   * @param lock held as long as the directory is in use
   */
  private record Place(OsPath directory, Fd lock) {}

  private Scratch(Kind kind) {
    this.kind = kind;
  }

  /** A directory below the system's temporary one, on whatever file system that is. */
  public static Scratch directory() {
    return new Scratch(Kind.PLAIN);
  }

  /** A private tmpfs. Needs root. */
  public static Scratch tmpfs() {
    return new Scratch(Kind.TMPFS);
  }

  /** An ext4 of 512 MB on a loop device. Needs root, loop devices and mkfs.ext4. */
  public static Scratch ext4() {
    return new Scratch(Kind.EXT4);
  }

  /** An XFS of 512 MB on a loop device. Needs root, loop devices and mkfs.xfs. */
  public static Scratch xfs() {
    return new Scratch(Kind.XFS);
  }

  /** A Btrfs of 512 MB on a loop device. Needs root, loop devices and mkfs.btrfs. */
  public static Scratch btrfs() {
    return new Scratch(Kind.BTRFS);
  }

  /** The directory, empty at first. Absolute, without symbolic links and of plain characters. */
  public synchronized OsPath path() {
    if (closed) {
      throw new IllegalStateException("the scratch directory is closed");
    }
    if (place.isEmpty()) {
      require();
      try {
        sweep();
        make();
      } catch (ErrnoException e) {
        throw new AssertionError("no scratch directory can be made", e);
      }
    }
    return place.get().directory().resolve(FILES);
  }

  /** A path beneath {@link #path}; nothing is made. */
  public OsPath resolve(String name) {
    return path().resolve(name);
  }

  /** Makes a directory and its missing parents beneath {@link #path}. */
  public OsPath mkdirs(String name) throws ErrnoException {
    OsPath directory = path();
    for (OsPath component : OsPath.of(name).components()) {
      directory = directory.resolve(component);
      mkdir(directory, 0755);
    }
    return directory;
  }

  private void require() {
    if (kind == Kind.PLAIN) {
      return;
    }
    Requires.root();
    if (kind != Kind.TMPFS) {
      Requires.program("mkfs." + kind.type());
      Requires.fileSystem(kind.type());
      Requires.loop();
    }
  }

  // ---- making -------------------------------------------------------------------------------

  private static OsPath base() {
    return OsPath.of(System.getProperty("java.io.tmpdir"));
  }

  private void make() throws ErrnoException {
    OsPath base;
    try (Fd fd = new Fd(sys, open(base(), Linux.O_PATH))) {
      base = sys.readlinkat(Linux.AT_FDCWD, OsPath.of("/proc/self/fd/" + fd.number()));
    }
    int n = 1;
    OsPath directory;
    do {
      directory = base.resolve("ovl-test-" + ProcessHandle.current().pid() + "-" + n++);
    } while (!mkdir(directory, 0755));
    Fd lock = new Fd(sys, open(directory, Linux.O_RDONLY | Linux.O_DIRECTORY));
    sys.flock(lock.number(), Linux.LOCK_EX | Linux.LOCK_NB);
    place = Optional.of(new Place(directory, lock));
    Runtime.getRuntime().addShutdownHook(hook);
    OsPath files = directory.resolve(FILES);
    mkdir(files, 0755);
    switch (kind) {
      case PLAIN -> {}
      case TMPFS -> {
        sys.mount(
            OsPath.of("ovl-test"), files, "tmpfs", 0, "mode=755".getBytes(StandardCharsets.UTF_8));
        makePrivate(files);
      }
      case EXT4, XFS, BTRFS -> {
        OsPath image = directory.resolve(IMAGE);
        try (Fd fd = new Fd(sys, open(image, Linux.O_RDWR | Linux.O_CREAT))) {
          sys.ftruncate(fd.number(), IMAGE_BYTES);
        }
        run("mkfs." + kind.type(), kind.formatter(), image.toString());
        run("mount", List.of("-t", kind.type(), "-o", "loop"), image.toString(), files.toString());
        makePrivate(files);
        removeLostAndFound(files);
      }
    }
  }

  /** What a test mounts is to stay in this mount namespace. */
  private void makePrivate(OsPath point) throws ErrnoException {
    sys.mount(OsPath.of("none"), point, "", Linux.MS_PRIVATE, new byte[0]);
  }

  private void removeLostAndFound(OsPath files) throws ErrnoException {
    try {
      sys.unlinkat(Linux.AT_FDCWD, files.resolve("lost+found"), Linux.AT_REMOVEDIR);
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
    }
  }

  private int open(OsPath path, int flags) throws ErrnoException {
    return sys.openat(Linux.AT_FDCWD, path, flags, 0600);
  }

  private boolean mkdir(OsPath directory, int mode) throws ErrnoException {
    try {
      sys.mkdirat(Linux.AT_FDCWD, directory, mode);
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.EEXIST)) {
        return false;
      }
      throw e;
    }
  }

  private static void run(String program, List<String> options, String... operands) {
    List<String> command = new ArrayList<>();
    command.add(
        Requires.findProgram(program)
            .orElseThrow(() -> new AssertionError("there is no program " + program))
            .toString());
    command.addAll(options);
    command.addAll(List.of(operands));
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String output;
      // closed here: else a thread of the JVM does it, some time after the end of the process
      try (InputStream said = process.getInputStream()) {
        output = new String(said.readAllBytes(), StandardCharsets.UTF_8).strip();
      }
      int status = process.waitFor();
      if (status != 0) {
        throw new AssertionError(command + " ended with " + status + ": " + output);
      }
    } catch (IOException e) {
      throw new AssertionError(command + " does not start", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(command + " was interrupted", e);
    }
  }

  // ---- clearing away ------------------------------------------------------------------------

  /**
   * Unmounts everything mounted beneath the directory and deletes it. A second call does nothing.
   */
  @Override
  public void close() {
    clear();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // the JVM is ending and runs, or has run, the hook
      return;
    }
  }

  /** Unmounts and deletes everything beneath {@link #path}; the directory itself stays. */
  public void empty() throws ErrnoException {
    OsPath files = path();
    unmountBeneath(files, false);
    for (OsPath name : FileTree.list(sys, files)) {
      FileTree.removeAny(sys, files.resolve(name));
    }
  }

  private synchronized void clear() {
    closed = true;
    if (place.isPresent()) {
      Place leaving = place.get();
      place = Optional.empty();
      try (Fd lock = leaving.lock()) {
        clear(leaving.directory());
      } catch (ErrnoException e) {
        throw new AssertionError("cannot clear " + leaving.directory().quoted(), e);
      }
    }
  }

  /** Clears what processes left that did not come to it themselves. */
  private void sweep() throws ErrnoException {
    for (OsPath name : FileTree.list(sys, base())) {
      Matcher ours = NAME.matcher(name.toString());
      if (ours.matches() && !exists(OsPath.of("/proc/" + ours.group(1)))) {
        OsPath directory = base().resolve(name);
        try (Fd lock = new Fd(sys, open(directory, Linux.O_RDONLY | Linux.O_DIRECTORY))) {
          // a process that /proc does not show may live in another container
          if (sys.flock(lock.number(), Linux.LOCK_EX | Linux.LOCK_NB)) {
            clear(directory);
          }
        } catch (ErrnoException e) {
          if (!e.is(Errno.ENOENT) && !e.is(Errno.EACCES) && !e.is(Errno.EPERM)) {
            throw e;
          }
        }
      }
    }
  }

  private boolean exists(OsPath path) throws ErrnoException {
    try {
      sys.statx(Linux.AT_FDCWD, path, 0, Linux.STATX_TYPE);
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return false;
      }
      throw e;
    }
  }

  private void clear(OsPath directory) throws ErrnoException {
    unmountBeneath(directory, true);
    for (MountedPaths.Loop loop : MountedPaths.loopsBeneath(directory)) {
      run("losetup", List.of("--detach"), loop.device());
    }
    FileTree.remove(sys, directory);
  }

  /** Topmost first; what stays busy for half a second is detached. */
  private void unmountBeneath(OsPath directory, boolean itselfToo) throws ErrnoException {
    for (int attempt = 1; ; attempt++) {
      List<MountedPaths.Mounted> mounts = new ArrayList<>(MountedPaths.beneath(directory));
      mounts.removeIf(mount -> !itselfToo && mount.point().equals(directory));
      if (mounts.isEmpty()) {
        return;
      }
      boolean insist = attempt > UNMOUNT_ATTEMPTS;
      boolean some = false;
      for (MountedPaths.Mounted mount : mounts.reversed()) {
        some |= unmount(mount.point(), insist);
      }
      if (!some && insist) {
        throw new AssertionError("cannot unmount " + mounts.getLast().text());
      }
      if (!some) {
        pause();
      }
    }
  }

  private boolean unmount(OsPath point, boolean detach) throws ErrnoException {
    try {
      sys.umount2(point, Linux.UMOUNT_NOFOLLOW | (detach ? Linux.MNT_DETACH : 0));
      return true;
    } catch (ErrnoException e) {
      // ENOTCONN: it lies in what a dead FUSE server left, and goes when that is detached
      if (e.is(Errno.EBUSY) || e.is(Errno.EINVAL) || e.is(Errno.ENOENT) || e.is(Errno.ENOTCONN)) {
        return false;
      }
      throw e;
    }
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // ---- JUnit --------------------------------------------------------------------------------

  @Override
  public void beforeAll(ExtensionContext context) {
    ofClass = true;
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    path();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    if (!ofClass) {
      close();
    }
  }

  @Override
  public void afterAll(ExtensionContext context) {
    close();
  }
}
