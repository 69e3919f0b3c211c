package dev.ovl.testkit;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assertions;

/**
 * What there was at one moment of that which a test must not leave behind: mounts, descriptors of
 * this process, loop devices, and threads where asked for.
 *
 * <p>Mounts and loop devices count beneath one directory, so that what other processes do meanwhile
 * is not taken for a leak.
 */
public final class Leaks {
  private static final OsPath DESCRIPTORS = OsPath.of("/proc/self/fd");

  /** What the JVM opens when it likes: its own files, jars, sources of randomness. */
  private static final Pattern OF_THE_JVM =
      Pattern.compile(".*\\.(jar|so|jsa|jmod)|.*/lib/modules|/dev/u?random|/proc/.*|/sys/.*");

  private final Syscalls sys = new LinuxSyscalls();
  private final OsPath directory;
  private final boolean withThreads;
  private final Set<String> before;

  private Leaks(OsPath directory, boolean withThreads) {
    this.directory = directory;
    this.withThreads = withThreads;
    this.before = now();
  }

  /**
   * What there is now.
   *
   * @param directory beneath which mounts and loop devices count; {@link OsPath#ROOT} for all
   */
  public static Leaks beneath(OsPath directory) {
    return new Leaks(directory, false);
  }

  /** As {@link #beneath}, with the threads of this JVM. */
  public static Leaks withThreads(OsPath directory) {
    return new Leaks(directory, true);
  }

  /** What there is now and was not then, one line each, sorted. */
  public List<String> extra() {
    Set<String> extra = now();
    extra.removeAll(before);
    return new ArrayList<>(extra);
  }

  /** Fails when there is anything more than there was, and lists it. */
  public void assertNone() {
    List<String> extra = extra();
    if (!extra.isEmpty()) {
      Assertions.fail("left behind: " + String.join("; ", extra));
    }
  }

  private Set<String> now() {
    Set<String> found = new TreeSet<>();
    MountedPaths.beneath(directory).forEach(mount -> found.add("mount " + mount.text()));
    MountedPaths.loopsBeneath(directory)
        .forEach(loop -> found.add("loop " + loop.device() + " on " + loop.file().quoted()));
    try {
      addDescriptors(found);
    } catch (ErrnoException e) {
      throw new AssertionError("cannot list descriptors", e);
    }
    if (withThreads) {
      for (Thread thread : Thread.getAllStackTraces().keySet()) {
        found.add("thread " + thread.threadId() + " " + thread.getName());
      }
    }
    return found;
  }

  private void addDescriptors(Set<String> found) throws ErrnoException {
    int flags = Linux.O_RDONLY | Linux.O_DIRECTORY;
    try (Fd list = new Fd(sys, sys.openat(Linux.AT_FDCWD, DESCRIPTORS, flags, 0))) {
      for (OsPath number : FileTree.list(sys, list)) {
        if (!number.toString().equals(String.valueOf(list.number()))) {
          addDescriptor(found, list, number);
        }
      }
    }
  }

  private void addDescriptor(Set<String> found, Fd list, OsPath number) throws ErrnoException {
    try {
      OsPath file = sys.readlinkat(list.number(), number);
      if (!OF_THE_JVM.matcher(file.toString()).matches()) {
        found.add("fd " + number + " " + file.quoted());
      }
    } catch (ErrnoException e) {
      // another thread closed it meanwhile
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
    }
  }
}
