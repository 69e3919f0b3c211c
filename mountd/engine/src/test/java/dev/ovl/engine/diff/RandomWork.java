package dev.ovl.engine.diff;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What users do to a tree, at random: few names, few contents and few times, so that things meet
 * and look alike.
 */
public final class RandomWork {
  private static final List<OsPath> NAMES =
      List.of(
          OsPath.of("a"),
          OsPath.of("b"),
          OsPath.of("c"),
          OsPath.of("d"),
          OsPath.of("a-"),
          OsPath.of("e f"),
          OsPath.of(new byte[] {'n', (byte) 0xFF, '\n'}));

  private static final int DEPTH = 4;
  private static final int KINDS = 26;

  /** What a change that makes no sense, or that overlayfs does not do, is answered with. */
  private static final Set<Errno> REFUSALS =
      Set.of(
          Errno.EEXIST,
          Errno.ENOTEMPTY,
          Errno.EISDIR,
          Errno.ENOTDIR,
          Errno.EINVAL,
          Errno.EXDEV,
          Errno.ENOENT,
          Errno.ENODATA,
          Errno.EPERM,
          Errno.ESTALE, // a rename of one name of a file to another that is one since this mount
          Errno.ELOOP);

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);
  private final Random random;
  private final List<String> log = new ArrayList<>();

  /** Of a generator whose seed the test prints. */
  public RandomWork(Random random) {
    this.random = random;
  }

  /** What was done, a line each. */
  public List<String> log() {
    return log;
  }

  /** Makes some files and directories beneath a root. */
  public void begin(OsPath root, int steps) throws ErrnoException {
    run(root, steps, List.of(0, 1, 16, 17, 22, 24));
  }

  /** Does so many things beneath a root. */
  public void run(OsPath root, int steps) throws ErrnoException {
    run(root, steps, IntStream.range(0, KINDS).boxed().toList());
  }

  private void run(OsPath root, int steps, List<Integer> kinds) throws ErrnoException {
    for (int i = 0; i < steps; i++) {
      List<OsPath> all = new ArrayList<>();
      collect(root, OsPath.EMPTY, all);
      try {
        step(root, all, any(kinds));
      } catch (ErrnoException e) {
        if (!REFUSALS.contains(e.errno())) {
          throw e;
        }
        log.add("  " + e.errno());
      }
    }
  }

  private void collect(OsPath root, OsPath path, List<OsPath> all) throws ErrnoException {
    for (OsPath name : files.list(root.resolve(path))) {
      OsPath entry = path.resolve(name);
      Optional<Statx> stat = files.lstat(root.resolve(entry));
      if (stat.isPresent()) {
        all.add(entry);
        if (stat.get().isDirectory()) {
          collect(root, entry, all);
        }
      }
    }
  }

  private <T> T any(List<T> some) {
    return some.get(random.nextInt(some.size()));
  }

  /** One that is there, of the kind that is asked for if there is one. */
  private OsPath there(OsPath root, List<OsPath> all, boolean directory) throws ErrnoException {
    for (int i = 0; i < 6 && !all.isEmpty(); i++) {
      OsPath path = any(all);
      if (isDirectory(root.resolve(path)) == directory) {
        return path;
      }
    }
    return all.isEmpty() ? OsPath.of("a") : any(all);
  }

  private boolean isDirectory(OsPath at) throws ErrnoException {
    return files.lstat(at).map(Statx::isDirectory).orElse(false);
  }

  private boolean isRegularFile(OsPath at) throws ErrnoException {
    return files.lstat(at).map(Statx::isRegularFile).orElse(false);
  }

  /** A name in some directory, there or not. */
  private OsPath somewhere(OsPath root, List<OsPath> all) throws ErrnoException {
    OsPath in = random.nextInt(3) == 0 || all.isEmpty() ? OsPath.EMPTY : there(root, all, true);
    boolean gone = !in.isEmpty() && !isDirectory(root.resolve(in));
    if (in.components().size() >= DEPTH || gone) {
      in = OsPath.EMPTY;
    }
    return in.resolve(any(NAMES));
  }

  private void step(OsPath root, List<OsPath> all, int what) throws ErrnoException {
    switch (what) {
      case 0, 1, 2 -> {
        OsPath path = somewhere(root, all);
        log("write", path);
        replace(root.resolve(path), () -> write(root.resolve(path), Linux.O_TRUNC));
        sometimesSetTime(root.resolve(path));
      }
      case 3, 4 -> {
        OsPath path = there(root, all, false);
        log("write to", path);
        write(root.resolve(path), random.nextBoolean() ? Linux.O_TRUNC : Linux.O_APPEND);
        sometimesSetTime(root.resolve(path));
      }
      case 5 -> {
        OsPath path = there(root, all, false);
        log("truncate", path);
        if (isRegularFile(root.resolve(path))) {
          try (Fd fd = open(root.resolve(path), Linux.O_WRONLY)) {
            sys.ftruncate(fd.number(), random.nextInt(3) * 3L);
          }
        }
      }
      case 6, 7 -> {
        OsPath path = there(root, all, random.nextBoolean());
        log("chmod", path);
        if (files.readLink(root.resolve(path)).isEmpty()) {
          sys.fchmodat(
              Linux.AT_FDCWD, root.resolve(path), any(List.of(0755, 0644, 0600, 04755, 01777)));
        }
      }
      case 8 -> {
        OsPath path = there(root, all, random.nextBoolean());
        log("chown", path);
        sys.fchownat(
            Linux.AT_FDCWD,
            root.resolve(path),
            random.nextInt(2) * 1000,
            -1,
            Linux.AT_SYMLINK_NOFOLLOW);
      }
      case 9 -> {
        OsPath path = there(root, all, random.nextBoolean());
        log("setxattr", path);
        String name = any(List.of("user.x", "trusted.y", "trusted.overlay.z", "user.overlay.z"));
        if (random.nextInt(4) == 0) {
          sys.removexattr(root.resolve(path), name, false);
        } else {
          sys.setxattr(root.resolve(path), name, new byte[] {(byte) random.nextInt(2)}, 0, false);
        }
      }
      case 10, 11 -> {
        OsPath path = there(root, all, random.nextBoolean());
        log("utimes", path);
        setTime(root.resolve(path));
      }
      case 12, 13 -> {
        OsPath path = there(root, all, false);
        log("remove", path);
        remove(root.resolve(path));
      }
      case 14 -> {
        OsPath path = there(root, all, true);
        log("remove", path);
        remove(root.resolve(path));
      }
      case 15 -> {
        OsPath path = there(root, all, true);
        log("remove and make again", path);
        remove(root.resolve(path));
        sys.mkdirat(Linux.AT_FDCWD, root.resolve(path), 0755);
        OsPath inside = path.resolve(any(NAMES));
        write(root.resolve(inside), Linux.O_TRUNC);
        sometimesSetTime(root.resolve(inside));
      }
      case 16, 17 -> {
        OsPath path = somewhere(root, all);
        log("mkdir", path);
        sys.mkdirat(Linux.AT_FDCWD, root.resolve(path), 0755);
      }
      case 18 -> {
        OsPath from = there(root, all, false);
        OsPath to = somewhere(root, all);
        log("rename " + from.quoted() + " to", to);
        rename(root.resolve(from), root.resolve(to), 0);
      }
      case 19, 20 -> {
        OsPath from = there(root, all, true);
        OsPath to = somewhere(root, all);
        log("rename " + from.quoted() + " to", to);
        rename(root.resolve(from), root.resolve(to), 0);
      }
      case 21 -> {
        OsPath from = there(root, all, true);
        OsPath to = there(root, all, true);
        log("swap " + from.quoted() + " with", to);
        rename(root.resolve(from), root.resolve(to), Linux.RENAME_EXCHANGE);
      }
      case 22, 23 -> {
        OsPath from = there(root, all, false);
        OsPath to = somewhere(root, all);
        log("link " + from.quoted() + " as", to);
        replace(
            root.resolve(to),
            () ->
                sys.linkat(
                    Linux.AT_FDCWD, root.resolve(from), Linux.AT_FDCWD, root.resolve(to), 0));
      }
      case 24 -> {
        OsPath path = somewhere(root, all);
        log("symlink", path);
        OsPath target = any(List.of(OsPath.of("a"), OsPath.of("b"), OsPath.of("/nowhere")));
        replace(
            root.resolve(path), () -> sys.symlinkat(target, Linux.AT_FDCWD, root.resolve(path)));
        sometimesSetTime(root.resolve(path));
      }
      default -> {
        OsPath path = somewhere(root, all);
        log("mknod", path);
        int type = any(List.of(Linux.S_IFIFO, Linux.S_IFCHR, Linux.S_IFBLK, Linux.S_IFSOCK));
        replace(
            root.resolve(path),
            () ->
                sys.mknodat(
                    Linux.AT_FDCWD, root.resolve(path), type | 0600, 1, 3 + random.nextInt(2)));
        sometimesSetTime(root.resolve(path));
      }
    }
  }

  private void log(String what, OsPath path) {
    log.add(what + " " + path.quoted());
  }

  private interface Step {
    void run() throws ErrnoException;
  }

  /** Makes room for it half of the times. */
  private void replace(OsPath at, Step step) throws ErrnoException {
    if (random.nextBoolean()) {
      remove(at);
    }
    step.run();
  }

  private void rename(OsPath from, OsPath to, int flags) throws ErrnoException {
    sys.renameat2(Linux.AT_FDCWD, from, Linux.AT_FDCWD, to, flags);
  }

  private void remove(OsPath at) throws ErrnoException {
    Optional<Statx> stat = files.lstat(at);
    if (stat.isPresent() && stat.get().isDirectory()) {
      for (OsPath name : files.list(at)) {
        remove(at.resolve(name));
      }
      files.rmdir(at);
    } else {
      files.remove(at);
    }
  }

  private Fd open(OsPath at, int flags) throws ErrnoException {
    return new Fd(sys, sys.openat(Linux.AT_FDCWD, at, flags, 0644));
  }

  private void write(OsPath at, int how) throws ErrnoException {
    if (files.lstat(at).isPresent() && !isRegularFile(at)) {
      return;
    }
    int flags = Linux.O_WRONLY | Linux.O_CREAT | how;
    try (Fd fd = open(at, flags)) {
      byte[] text = any(List.of("one", "two", "three")).getBytes(StandardCharsets.US_ASCII);
      ByteBuffer buffer = ByteBuffer.allocateDirect(text.length);
      buffer.put(text).flip();
      sys.write(fd.number(), buffer);
    }
  }

  private void sometimesSetTime(OsPath at) throws ErrnoException {
    if (random.nextInt(3) > 0) {
      setTime(at);
    }
  }

  private void setTime(OsPath at) throws ErrnoException {
    Timestamp omit = new Timestamp(0, Linux.UTIME_OMIT);
    Timestamp time = new Timestamp(1_000_000_000, any(List.of(0L, 0L, 0L, 5L)));
    sys.utimensat(Linux.AT_FDCWD, at, omit, time, Linux.AT_SYMLINK_NOFOLLOW);
  }
}
