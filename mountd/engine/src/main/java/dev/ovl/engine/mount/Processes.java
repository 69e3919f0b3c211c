package dev.ovl.engine.mount;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The processes of this machine as far as /proc shows them. One that ends meanwhile, or that may
 * not be looked into, is absent rather than an error.
 */
public final class Processes {
  private static final OsPath PROC = OsPath.of("/proc");

  private final Files files;

  /**
   * @param sys what to call
   */
  public Processes(Syscalls sys) {
    this.files = new Files(sys);
  }

  /** All pids, ascending. */
  public List<Integer> pids() throws ErrnoException {
    return files.list(PROC).stream()
        .map(OsPath::toString)
        .filter(name -> name.chars().allMatch(c -> c >= '0' && c <= '9'))
        .map(Integer::valueOf)
        .sorted()
        .toList();
  }

  /** The path of something that /proc has for each process. */
  static OsPath path(int pid, String name) {
    return PROC.resolve(pid + "/" + name);
  }

  /** The content of such a file. */
  public Optional<byte[]> read(int pid, String file) throws ErrnoException {
    try {
      return files.read(path(pid, file));
    } catch (ErrnoException e) {
      return absent(e);
    }
  }

  /** The names in such a directory. */
  List<OsPath> list(int pid, String directory) throws ErrnoException {
    try {
      return files.list(path(pid, directory));
    } catch (ErrnoException e) {
      return Processes.<List<OsPath>>absent(e).orElse(List.of());
    }
  }

  /** The process's name as ps(1) gives it; empty when it ended. */
  public String command(int pid) throws ErrnoException {
    return read(pid, "comm").map(text -> OsPath.decode(text).strip()).orElse("");
  }

  /** The inode number of its mount namespace. */
  Optional<Long> mountNamespace(int pid) throws ErrnoException {
    try {
      return files.stat(path(pid, "ns/mnt")).map(Statx::inode);
    } catch (ErrnoException e) {
      return absent(e);
    }
  }

  /** Pids by mount namespace (inode number), ascending. */
  public Map<Long, List<Integer>> byMountNamespace() throws ErrnoException {
    Map<Long, List<Integer>> result = new HashMap<>();
    for (int pid : pids()) {
      mountNamespace(pid)
          .ifPresent(n -> result.computeIfAbsent(n, x -> new ArrayList<>()).add(pid));
    }
    return result;
  }

  /** What it means when a look into a process fails. */
  static <T> Optional<T> absent(ErrnoException e) throws ErrnoException {
    return switch (e.errno()) {
      // it ended, closed the file, or is another user's in a sandbox that hides it
      case ENOENT, ESRCH, EINVAL, EACCES, EPERM, ENXIO -> Optional.empty();
      // the file that a link leads to is on a file system that does not answer
      case ENOTCONN, EIO, ESTALE, ELOOP -> Optional.empty();
      default -> throw e;
    };
  }
}
