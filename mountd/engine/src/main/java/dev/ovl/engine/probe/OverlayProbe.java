package dev.ovl.engine.probe;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountContext;
import dev.ovl.engine.mount.PrivateMountNamespace;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.MountAttr;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Mounts overlays of every kind over a private tmpfs and looks at what they do. An option that the
 * kernel takes and then ignores with a message in its log is a no.
 *
 * <p>All names are relative: the work is done by a thread that stands in the tmpfs ({@link
 * PrivateMountNamespace}).
 */
final class OverlayProbe {
  private static final String TYPE = "overlay";

  /** The kernel's own limit, OVL_MAX_STACK. */
  private static final int LOWERS = 500;

  private static final OsPath PROC = OsPath.of("/proc");
  private static final byte[] CONTENT = "content\n".getBytes(StandardCharsets.US_ASCII);

  private final Syscalls sys;
  private final Files files;
  private int attempts;

  OverlayProbe(Syscalls sys) {
    this.sys = sys;
    this.files = new Files(sys);
  }

  /** Tries one thing with fresh directories. */
  private interface Attempt {
    /**
     * @throws ErrnoException the kernel's refusal
     */
    ProbeResult in(Layers layers, MountContext overlay) throws ErrnoException;
  }

  private record Question(String name, String title, Attempt attempt) {
    Feature answered(ProbeResult result) {
      return new Feature("overlay." + name, title, Feature.Group.OVERLAY, result);
    }
  }

  private final List<Question> questions =
      List.of(
          new Question("mount", "overlay mounts", this::plain),
          new Question("lowerdir_plus", "lowerdir+, one layer a call", this::lowerdirPlus),
          new Question("fd_layers", "layers by descriptor", this::descriptors),
          new Question("max_lowers", "largest number of lowers", this::largestNumber),
          new Question("redirect_dir", "redirect_dir", this::redirectDir),
          new Question("metacopy", "metacopy", this::metacopy),
          new Question("index", "index", this::index),
          new Question("xino", "xino", this::xino),
          new Question("userxattr", "userxattr", this::userxattr),
          new Question("volatile", "volatile", this::volatileOption),
          new Question("data_only", "data-only layers", this::dataOnly),
          new Question("nfs_export", "nfs_export", this::nfsExport),
          new Question("idmapped_lowers", "idmapped lowers", this::idmapped),
          new Question("verity", "verity", this::verity));

  /** Asks everything; never fails: what cannot be asked says why. */
  List<Feature> features() {
    try {
      return new PrivateMountNamespace(sys)
          .call(() -> questions.stream().map(q -> q.answered(answer(q))).toList());
    } catch (ErrnoException e) {
      ProbeResult result = ProbeResult.notProbed(noPlace(e));
      return questions.stream().map(q -> q.answered(result)).toList();
    }
  }

  /** Why the private mount namespace could not be had. */
  static String noPlace(ErrnoException e) {
    return switch (e.errno()) {
      case EPERM -> "mounting needs root, CAP_SYS_ADMIN (EPERM)";
      case ENOSYS -> "this kernel has no " + e.call() + "(2) (ENOSYS)";
      default -> "no private place to try it in: " + e.getMessage();
    };
  }

  private ProbeResult answer(Question question) {
    try {
      Layers layers = new Layers("attempt" + attempts++);
      try (MountContext overlay = new MountContext(sys, TYPE)) {
        layers.make();
        return attempt(question, layers, overlay);
      }
    } catch (ErrnoException e) {
      return ProbeResult.refused(e);
    }
  }

  private static ProbeResult attempt(Question question, Layers layers, MountContext overlay) {
    try {
      return question.attempt().in(layers, overlay);
    } catch (ErrnoException e) {
      return ProbeResult.refused(e, overlay.messages());
    }
  }

  /** The directories of one attempt, relative to the tmpfs. */
  private final class Layers {
    private final OsPath directory;

    Layers(String name) {
      directory = OsPath.of(name);
    }

    OsPath lower() {
      return directory.resolve("lower");
    }

    /** A second lower, below the first. */
    OsPath bottom() {
      return directory.resolve("bottom");
    }

    OsPath upper() {
      return directory.resolve("upper");
    }

    OsPath work() {
      return directory.resolve("work");
    }

    /** An empty directory to mount on. */
    OsPath point() {
      return directory.resolve("point");
    }

    void make() throws ErrnoException {
      files.mkdir(directory, 0700);
      for (OsPath path : List.of(lower(), bottom(), upper(), work(), point())) {
        files.mkdir(path, 0700);
      }
      files.mkdir(lower().resolve("directory"), 0700);
      files.replaceVolatile(lower().resolve("file"), CONTENT, 0600);
      files.mkdir(bottom().resolve("deep"), 0700);
    }

    OsPath lowerdir() {
      return OsPath.of(lower() + ":" + bottom());
    }

    /** Both lowers, upper and work. */
    MountContext writable(MountContext overlay) throws ErrnoException {
      return overlay.set("lowerdir", lowerdir()).set("upperdir", upper()).set("workdir", work());
    }
  }

  // ---- ways of mounting -----------------------------------------------------------------------

  private ProbeResult plain(Layers layers, MountContext overlay) throws ErrnoException {
    try (Fd merged = layers.writable(overlay).mount()) {
      return showsBoth(merged);
    }
  }

  private ProbeResult showsBoth(Fd merged) throws ErrnoException {
    stat(merged, "file");
    stat(merged, "deep");
    return ProbeResult.yes();
  }

  private Statx stat(Fd directory, String name) throws ErrnoException {
    return sys.statx(
        directory.number(),
        OsPath.of(name),
        name.isEmpty() ? Linux.AT_EMPTY_PATH : Linux.AT_SYMLINK_NOFOLLOW,
        Linux.STATX_BASIC_STATS);
  }

  private ProbeResult lowerdirPlus(Layers layers, MountContext overlay) throws ErrnoException {
    overlay.set("lowerdir+", layers.lower()).set("lowerdir+", layers.bottom());
    try (Fd merged = overlay.mount()) {
      return showsBoth(merged);
    }
  }

  private ProbeResult descriptors(Layers layers, MountContext overlay) throws ErrnoException {
    try (Fd lower = files.openPath(layers.lower());
        Fd bottom = files.openPath(layers.bottom());
        Fd upper = files.openPath(layers.upper());
        Fd work = files.openPath(layers.work())) {
      overlay.set("lowerdir+", lower).set("lowerdir+", bottom);
      try (Fd merged = overlay.set("upperdir", upper).set("workdir", work).mount()) {
        return showsBoth(merged);
      }
    }
  }

  /** By mount(2), which takes that many on every kernel when their names are short. */
  private ProbeResult largestNumber(Layers layers, MountContext overlay) throws ErrnoException {
    for (int i = 0; i <= LOWERS; i++) {
      sys.mkdirat(Linux.AT_FDCWD, OsPath.of(String.valueOf(i)), 0700);
    }
    if (!takes(LOWERS, layers.point())) {
      return ProbeResult.no("fewer than " + LOWERS);
    }
    return ProbeResult.yes(
        takes(LOWERS + 1, layers.point()) ? "more than " + LOWERS : String.valueOf(LOWERS));
  }

  private boolean takes(int count, OsPath point) throws ErrnoException {
    String lowers =
        IntStream.range(0, count).mapToObj(String::valueOf).collect(Collectors.joining(":"));
    byte[] data = ("lowerdir=" + lowers).getBytes(StandardCharsets.US_ASCII);
    try {
      sys.mount(OsPath.of(TYPE), point, TYPE, Linux.MS_RDONLY, data);
    } catch (ErrnoException e) {
      // ENOMEM: so older kernels say that there are too many (5.10)
      if (e.is(Errno.EINVAL) || e.is(Errno.ENOMEM)) {
        return false;
      }
      throw e;
    }
    sys.umount2(point, Linux.MNT_DETACH);
    return true;
  }

  // ---- options --------------------------------------------------------------------------------

  private static ProbeResult effect(boolean seen) {
    return seen ? ProbeResult.yes() : ProbeResult.no("the option is taken and has no effect");
  }

  /** A lower directory can be renamed; without it the kernel says EXDEV. */
  private ProbeResult redirectDir(Layers layers, MountContext overlay) throws ErrnoException {
    try (Fd merged = layers.writable(overlay).set("redirect_dir", "on").mount()) {
      OsPath from = OsPath.of("directory");
      sys.renameat2(merged.number(), from, merged.number(), OsPath.of("renamed"), 0);
      return ProbeResult.yes();
    }
  }

  /** A change of permissions leaves the content in the lower, and a mark in the upper. */
  private ProbeResult metacopy(Layers layers, MountContext overlay) throws ErrnoException {
    try (Fd merged = layers.writable(overlay).set("metacopy", "on").mount()) {
      sys.fchmodat(merged.number(), OsPath.of("file"), 0640);
      OsPath copy = layers.upper().resolve("file");
      return effect(sys.getxattr(copy, "trusted.overlay.metacopy", false).isPresent());
    }
  }

  private ProbeResult index(Layers layers, MountContext overlay) throws ErrnoException {
    try (Fd merged = layers.writable(overlay).set("index", "on").mount()) {
      return hasIndex(layers, merged);
    }
  }

  private ProbeResult nfsExport(Layers layers, MountContext overlay) throws ErrnoException {
    layers.writable(overlay).set("index", "on").set("nfs_export", "on");
    try (Fd merged = overlay.mount()) {
      return hasIndex(layers, merged);
    }
  }

  /** The mount must be there while it is looked at. */
  private ProbeResult hasIndex(Layers layers, Fd merged) throws ErrnoException {
    stat(merged, "file");
    return effect(files.lstat(layers.work().resolve("index")).isPresent());
  }

  /** Files of all file systems have the overlay's own device number. */
  private ProbeResult xino(Layers layers, MountContext overlay) throws ErrnoException {
    try (MountContext context = new MountContext(sys, "tmpfs");
        Fd other = context.mount()) {
      attach(other, layers.bottom());
    }
    files.replaceVolatile(layers.bottom().resolve("elsewhere"), CONTENT, 0600);
    try (Fd merged = layers.writable(overlay).set("xino", "on").mount()) {
      Statx root = stat(merged, "");
      return effect(
          root.sameFileSystem(stat(merged, "file"))
              && root.sameFileSystem(stat(merged, "elsewhere")));
    }
  }

  private void attach(Fd mount, OsPath point) throws ErrnoException {
    sys.move_mount(
        mount.number(), OsPath.EMPTY, Linux.AT_FDCWD, point, Linux.MOVE_MOUNT_F_EMPTY_PATH);
  }

  /**
   * Only whether it is taken: tmpfs has had user attributes since 6.6, overlay uses them longer.
   */
  private ProbeResult userxattr(Layers layers, MountContext overlay) throws ErrnoException {
    try (Fd merged = layers.writable(overlay).set("userxattr").mount()) {
      return showsBoth(merged);
    }
  }

  /** The kernel leaves a mark against a second mount. */
  private ProbeResult volatileOption(Layers layers, MountContext overlay) throws ErrnoException {
    try (Fd merged = layers.writable(overlay).set("volatile").mount()) {
      stat(merged, "file");
      OsPath mark = layers.work().resolve("work/incompat/volatile");
      return effect(files.lstat(mark).isPresent());
    }
  }

  /** A file that is only metadata in the lower gets its content from the layer of data. */
  private ProbeResult dataOnly(Layers layers, MountContext overlay) throws ErrnoException {
    OsPath metadata = layers.lower().resolve("stub");
    files.replaceVolatile(metadata, new byte[0], 0600);
    try (Fd file = new Fd(sys, sys.openat(Linux.AT_FDCWD, metadata, Linux.O_WRONLY, 0))) {
      sys.ftruncate(file.number(), CONTENT.length);
    }
    sys.setxattr(metadata, "trusted.overlay.metacopy", new byte[0], 0, false);
    sys.setxattr(metadata, "trusted.overlay.redirect", OsPath.encode("/data"), 0, false);
    files.replaceVolatile(layers.bottom().resolve("data"), CONTENT, 0600);
    overlay.set("lowerdir", layers.lower() + "::" + layers.bottom()).set("metacopy", "on");
    try (Fd merged = overlay.mount()) {
      if (!readsContent(merged, "stub")) {
        return effect(false);
      }
    }
    return takesDataOneByOne(layers)
        ? ProbeResult.yes("also by datadir+")
        : ProbeResult.yes("as lowerdir=…::… only");
  }

  private boolean readsContent(Fd directory, String name) throws ErrnoException {
    int opened = sys.openat(directory.number(), OsPath.of(name), Linux.O_RDONLY, 0);
    try (Fd file = new Fd(sys, opened)) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(2 * CONTENT.length);
      sys.read(file.number(), buffer);
      byte[] content = new byte[buffer.flip().remaining()];
      buffer.get(content);
      return Arrays.equals(content, CONTENT);
    }
  }

  private boolean takesDataOneByOne(Layers layers) throws ErrnoException {
    try (MountContext overlay = new MountContext(sys, TYPE)) {
      overlay.set("lowerdir+", layers.lower()).set("datadir+", layers.bottom());
      try (Fd merged = overlay.set("metacopy", "on").mount()) {
        return readsContent(merged, "stub");
      }
    } catch (ErrnoException e) {
      if (e.is(Errno.EINVAL)) {
        return false;
      }
      throw e;
    }
  }

  private ProbeResult verity(Layers layers, MountContext overlay) throws ErrnoException {
    layers.writable(overlay).set("metacopy", "on").set("verity", "on");
    try (Fd merged = overlay.mount()) {
      return showsBoth(merged);
    }
  }

  // ---- idmapped lowers ------------------------------------------------------------------------

  /**
   * Needs a user namespace other than this process's. A process of many threads cannot make one, so
   * one that some process has is borrowed.
   */
  private ProbeResult idmapped(Layers layers, MountContext overlay) throws ErrnoException {
    Optional<Fd> found = otherUserNamespace();
    if (found.isEmpty()) {
      return ProbeResult.notProbed(
          "it takes a second user namespace, no process has one, and making one takes a child"
              + " process");
    }
    try (Fd namespace = found.get();
        Fd clone = cloneOf(layers.lower())) {
      try {
        sys.mount_setattr(
            clone.number(),
            OsPath.EMPTY,
            Linux.AT_EMPTY_PATH,
            new MountAttr(Linux.MOUNT_ATTR_IDMAP, 0, 0, namespace.number()));
      } catch (ErrnoException e) {
        return ProbeResult.notProbed("a tmpfs cannot be idmapped here (" + e.errno().name() + ")");
      }
      attach(clone, layers.point());
    }
    overlay.set("lowerdir", layers.point() + ":" + layers.bottom());
    try (Fd merged = overlay.mount()) {
      return showsBoth(merged);
    }
  }

  private Fd cloneOf(OsPath directory) throws ErrnoException {
    int flags = Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC;
    return new Fd(sys, sys.open_tree(Linux.AT_FDCWD, directory, flags));
  }

  private Optional<Fd> otherUserNamespace() throws ErrnoException {
    OsPath name = OsPath.of("ns/user");
    OsPath own = sys.readlinkat(Linux.AT_FDCWD, PROC.resolve("self").resolve(name));
    for (OsPath process : files.list(PROC)) {
      if (!Character.isDigit(process.toString().charAt(0))) {
        continue;
      }
      OsPath link = PROC.resolve(process).resolve(name);
      try {
        if (!sys.readlinkat(Linux.AT_FDCWD, link).equals(own)) {
          return Optional.of(new Fd(sys, sys.openat(Linux.AT_FDCWD, link, Linux.O_RDONLY, 0)));
        }
      } catch (ErrnoException e) {
        boolean passedOver =
            e.is(Errno.ENOENT) || e.is(Errno.ESRCH) || e.is(Errno.EACCES) || e.is(Errno.EPERM);
        if (!passedOver) {
          throw e;
        }
      }
    }
    return Optional.empty();
  }
}
