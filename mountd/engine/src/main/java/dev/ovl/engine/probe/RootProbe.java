package dev.ovl.engine.probe;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.RandomBytes;
import dev.ovl.engine.mount.MountContext;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.usage.FileSystemRoom;
import dev.ovl.sys.DirectoryEntries;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Tries what the root's file system can do, in a temporary directory in the root, or in the nearest
 * ancestor that exists: the root itself is not made. The directory is removed whatever happens.
 */
final class RootProbe {
  /**
   * How the temporary directory's name begins; one that remains is from a process that was killed.
   */
  static final String TEMPORARY_PREFIX = ".ovl-probe-";

  /** Hexadecimal digits that follow. */
  static final int NAME_DIGITS = 16;

  private static final int BLOCK_BYTES = 4096;
  private static final byte[] VALUE = "ovl".getBytes(StandardCharsets.US_ASCII);

  /** struct fsxattr (linux/fs.h): its size, and where fsx_projid lies in it. */
  private static final int FSXATTR_BYTES = 28;

  private static final int FSXATTR_PROJECT = 12;

  /** Options that say that project quotas are counted and enforced (ext4(5), xfs(5)). */
  private static final List<String> PROJECT_QUOTA = List.of("prjquota", "pquota");

  private final Syscalls sys;
  private final Files files;
  private final OsPath root;
  private final OsPath place;
  private final Optional<MountEntry> mount;

  /** Finds the place and its mount. */
  RootProbe(Syscalls sys, OsPath root) throws ErrnoException {
    this.sys = sys;
    this.files = new Files(sys);
    this.root = root;
    this.place = nearestDirectory(root);
    this.mount = mountOf(place);
  }

  private OsPath nearestDirectory(OsPath path) throws ErrnoException {
    OsPath parent = path.parent();
    return isDirectory(path) || parent.equals(path) ? path : nearestDirectory(parent);
  }

  private boolean isDirectory(OsPath path) throws ErrnoException {
    try {
      return files.stat(path).filter(Statx::isDirectory).isPresent();
    } catch (ErrnoException e) {
      if (e.is(Errno.EACCES)) {
        return false;
      }
      throw e;
    }
  }

  private Optional<MountEntry> mountOf(OsPath directory) throws ErrnoException {
    MountTable table = new MountTable(sys);
    int wanted = table.uniqueIds() ? Linux.STATX_MNT_ID_UNIQUE : Linux.STATX_MNT_ID;
    Statx stat = sys.statx(Linux.AT_FDCWD, directory, 0, wanted);
    try {
      return table.byId(stat.mountId());
    } catch (ErrnoException e) {
      if (e.is(Errno.EPERM)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  RootFileSystem fileSystem() throws ErrnoException {
    FileSystemRoom room = FileSystemRoom.at(sys, place);
    String type =
        mount.isPresent()
            ? mount.get().type()
            : "unknown (0x" + Long.toHexString(files.fileSystemType(place)) + ")";
    return new RootFileSystem(
        root, place, type, room.bytes(), room.bytesAvailable(), room.inodes(), room.inodesFree());
  }

  /** The nearest directory that exists at the root or above it. */
  OsPath place() {
    return place;
  }

  /**
   * Asks everything.
   *
   * @throws ErrnoException the temporary directory could not be removed
   */
  List<Feature> features() throws ErrnoException {
    TemporaryDirectory directory;
    try {
      directory = new TemporaryDirectory();
    } catch (ErrnoException e) {
      return unwritable(e);
    }
    try (directory) {
      return inDirectory(directory.path);
    }
  }

  /** Made when constructed, and removed with all beneath it when closed. */
  private final class TemporaryDirectory implements AutoCloseable {
    private final OsPath path;
    private final Fd lock;

    TemporaryDirectory() throws ErrnoException {
      String random = new RandomBytes(sys).hex(NAME_DIGITS);
      path = place.resolve(TEMPORARY_PREFIX + random);
      sys.mkdirat(Linux.AT_FDCWD, path, 0700);
      try {
        lock = files.openDirectory(path);
      } catch (ErrnoException e) {
        remove();
        throw e;
      }
      try {
        // by this an AbandonedProbes tells it from one whose process died
        sys.flock(lock.number(), Linux.LOCK_EX | Linux.LOCK_NB);
      } catch (ErrnoException e) {
        close();
        throw e;
      }
    }

    @Override
    public void close() throws ErrnoException {
      try (lock) {
        remove();
      }
    }

    /** Tries twice: the kernel may have been interrupted, and nobody would come back for it. */
    private void remove() throws ErrnoException {
      try {
        files.removeTree(path);
      } catch (ErrnoException first) {
        try {
          files.removeTree(path);
        } catch (ErrnoException second) {
          second.addSuppressed(first);
          throw second;
        }
      }
    }
  }

  // ---- what is asked --------------------------------------------------------------------------

  private enum Question {
    WRITABLE("writable", "can be written"),
    D_TYPE("d_type", "file types in directories (d_type)"),
    TRUSTED_XATTR("trusted_xattr", "trusted. attributes"),
    USER_XATTR("user_xattr", "user. attributes"),
    REFLINK("reflink", "reflinks"),
    O_TMPFILE("o_tmpfile", "files without a name (O_TMPFILE)"),
    PROJECT_IDS("project_ids", "project ids"),
    PROJECT_QUOTA("project_quota", "project quota"),
    UPPER("upper", "usable as upper");

    private final String name;
    private final String title;

    Question(String name, String title) {
      this.name = name;
      this.title = title;
    }

    Feature answered(ProbeResult result) {
      return new Feature("root." + name, title, Feature.Group.ROOT, result);
    }
  }

  private interface Attempt {
    ProbeResult run() throws ErrnoException;
  }

  private static ProbeResult attempt(Attempt attempt) {
    try {
      return attempt.run();
    } catch (ErrnoException e) {
      return ProbeResult.refused(e);
    }
  }

  private static List<Feature> unwritable(ErrnoException e) {
    ProbeResult no = new ProbeResult.No(Optional.of(e.errno()), e.errno().message());
    ProbeResult unknown =
        ProbeResult.notProbed("nothing can be made there (" + e.errno().name() + ")");
    List<Feature> features = new ArrayList<>();
    for (Question question : Question.values()) {
      features.add(
          question.answered(
              switch (question) {
                case WRITABLE -> no;
                case UPPER -> ProbeResult.refused(e);
                default -> unknown;
              }));
    }
    return features;
  }

  private List<Feature> inDirectory(OsPath directory) {
    List<Feature> features = new ArrayList<>();
    ProbeResult nameless = attempt(() -> nameless(directory));
    try (Fd listed = files.openDirectory(directory);
        Fd file = file(directory, nameless.isYes(), "one");
        Fd other = file(directory, nameless.isYes(), "other")) {
      features.add(Question.WRITABLE.answered(ProbeResult.yes()));
      features.add(Question.D_TYPE.answered(attempt(() -> fileTypes(listed))));
      features.add(Question.TRUSTED_XATTR.answered(attempt(() -> attribute(file, "trusted.ovl"))));
      features.add(Question.USER_XATTR.answered(attempt(() -> attribute(file, "user.ovl"))));
      features.add(Question.REFLINK.answered(attempt(() -> reflink(file, other))));
      features.add(Question.O_TMPFILE.answered(nameless));
      ProbeResult projectIds = attempt(() -> projectId(file));
      features.add(Question.PROJECT_IDS.answered(projectIds));
      features.add(Question.PROJECT_QUOTA.answered(projectQuota(projectIds)));
      features.add(Question.UPPER.answered(attempt(() -> upper(directory))));
      return features;
    } catch (ErrnoException e) {
      return unwritable(e);
    }
  }

  /** A file without a name, which is then given one. */
  private ProbeResult nameless(OsPath directory) throws ErrnoException {
    try (Fd file = openNameless(directory)) {
      sys.linkat(
          Linux.AT_FDCWD,
          Files.procPath(file),
          Linux.AT_FDCWD,
          directory.resolve("linked"),
          Linux.AT_SYMLINK_FOLLOW);
      return ProbeResult.yes();
    }
  }

  private Fd openNameless(OsPath directory) throws ErrnoException {
    int flags = Linux.O_TMPFILE | Linux.O_RDWR;
    return new Fd(sys, sys.openat(Linux.AT_FDCWD, directory, flags, 0600));
  }

  private Fd file(OsPath directory, boolean nameless, String name) throws ErrnoException {
    if (nameless) {
      return openNameless(directory);
    }
    int flags = Linux.O_RDWR | Linux.O_CREAT | Linux.O_EXCL;
    return new Fd(sys, sys.openat(Linux.AT_FDCWD, directory.resolve(name), flags, 0600));
  }

  /** An entry whose type is known to be a regular file says so; for . and .. some always tell. */
  private ProbeResult fileTypes(Fd directory) throws ErrnoException {
    OsPath name = OsPath.of("typed");
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_EXCL;
    new Fd(sys, sys.openat(directory.number(), name, flags, 0600)).close();
    ByteBuffer buffer = ByteBuffer.allocateDirect(BLOCK_BYTES);
    while (sys.getdents64(directory.number(), buffer.clear()) > 0) {
      for (DirectoryEntries.Entry entry : new DirectoryEntries(buffer)) {
        if (entry.name().equals(name)) {
          return entry.type() == Linux.DT_REG
              ? ProbeResult.yes()
              : ProbeResult.no("its directories do not tell the types of files");
        }
      }
    }
    return ProbeResult.no("a new file does not show in its directory");
  }

  private ProbeResult attribute(Fd file, String name) throws ErrnoException {
    sys.fsetxattr(file.number(), name, VALUE, 0);
    boolean kept =
        sys.fgetxattr(file.number(), name).filter(v -> Arrays.equals(v, VALUE)).isPresent();
    return kept ? ProbeResult.yes() : ProbeResult.no("an attribute that was set is not there");
  }

  private ProbeResult reflink(Fd from, Fd to) throws ErrnoException {
    ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
    while (block.hasRemaining()) {
      sys.write(from.number(), block);
    }
    sys.ioctl(to.number(), Linux.FICLONE, from.number());
    return ProbeResult.yes();
  }

  /** Gives the file another project's id. A small one, lest a quota file grow for it. */
  private ProbeResult projectId(Fd file) throws ErrnoException {
    ByteBuffer attributes = ByteBuffer.allocateDirect(FSXATTR_BYTES).order(ByteOrder.nativeOrder());
    sys.ioctl(file.number(), Linux.FS_IOC_FSGETXATTR, attributes.clear());
    int wanted = attributes.getInt(FSXATTR_PROJECT) == 1 ? 2 : 1;
    attributes.putInt(FSXATTR_PROJECT, wanted);
    sys.ioctl(file.number(), Linux.FS_IOC_FSSETXATTR, attributes.clear());
    sys.ioctl(file.number(), Linux.FS_IOC_FSGETXATTR, attributes.clear());
    return attributes.getInt(FSXATTR_PROJECT) == wanted
        ? ProbeResult.yes()
        : ProbeResult.no("a project id that was set is not there");
  }

  /** By the mount's options: quotactl(2) would need the quota files. */
  private ProbeResult projectQuota(ProbeResult projectIds) {
    if (!projectIds.isYes()) {
      return projectIds;
    }
    if (mount.isEmpty()) {
      return ProbeResult.notProbed("the mount's options cannot be seen");
    }
    List<String> options = List.of(mount.get().options().toString().split(","));
    return PROJECT_QUOTA.stream().anyMatch(options::contains)
        ? ProbeResult.yes()
        : ProbeResult.no("the file system is not mounted with prjquota");
  }

  /** A real overlay, attached nowhere; deleting through it must leave a whiteout. */
  private ProbeResult upper(OsPath directory) throws ErrnoException {
    OsPath lower = directory.resolve("lower");
    OsPath upper = directory.resolve("upper");
    OsPath work = directory.resolve("work");
    for (OsPath path : List.of(lower, upper, work)) {
      files.mkdir(path, 0700);
    }
    OsPath name = OsPath.of("deleted");
    files.replaceVolatile(lower.resolve(name), VALUE, 0600);
    try (Fd lowerFd = files.openPath(lower);
        Fd upperFd = files.openPath(upper);
        Fd workFd = files.openPath(work);
        MountContext overlay = new MountContext(sys, "overlay")) {
      overlay
          .set("lowerdir", Files.procPath(lowerFd))
          .set("upperdir", Files.procPath(upperFd))
          .set("workdir", Files.procPath(workFd));
      try (Fd merged = overlay.mount()) {
        sys.unlinkat(merged.number(), name, 0);
      } catch (ErrnoException e) {
        return ProbeResult.refused(e, overlay.messages());
      }
    } catch (ErrnoException e) {
      return switch (e.errno()) {
        case ENODEV -> ProbeResult.notProbed("this kernel has no overlay (ENODEV)");
        case ENOSYS -> ProbeResult.notProbed("this kernel has no " + e.call() + "(2) (ENOSYS)");
        default -> ProbeResult.refused(e);
      };
    }
    boolean whiteout = files.lstat(upper.resolve(name)).filter(Statx::isWhiteout).isPresent();
    return whiteout ? ProbeResult.yes() : ProbeResult.no("a deleted file leaves no whiteout");
  }
}
