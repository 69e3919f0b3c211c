package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.AufsNames;
import dev.ovl.engine.tree.Beneath;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.NodeReader;
import dev.ovl.engine.tree.OverlayXattrs;
import dev.ovl.sys.DirectoryEntries;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;

/**
 * One real tree of a view, open. What is gone by the time it is looked at is absent; every other
 * failure is told as one of this layer.
 */
final class Layer implements AutoCloseable {
  /** What stands behind the prefix of an attribute that an overlay inside an overlay has set. */
  private static final String ESCAPE = "overlay.";

  private static final int LOOK = Linux.AT_SYMLINK_NOFOLLOW | Linux.AT_NO_AUTOMOUNT;

  private final Syscalls sys;
  private final Files files;
  private final Beneath beneath;
  private final NodeReader reader;
  private final OsPath path;
  private final Optional<View.Books> books;
  private final Fd root;
  private final Statx rootStat;

  private Layer(Syscalls sys, OsPath path, Optional<View.Books> books, Fd root, Statx rootStat) {
    this.sys = sys;
    this.files = new Files(sys);
    this.beneath = new Beneath(sys);
    this.reader = new NodeReader(sys, filter(books));
    this.path = path;
    this.books = books;
    this.root = root;
    this.rootStat = rootStat;
  }

  /**
   * Opens a layer.
   *
   * @param books empty: a plain directory
   */
  static Layer open(Syscalls sys, OsPath path, Optional<View.Books> books) throws EngineException {
    try {
      int flags = Linux.O_PATH | Linux.O_DIRECTORY;
      Fd root = new Fd(sys, sys.openat(Linux.AT_FDCWD, path, flags, 0));
      try {
        Statx stat = sys.statx(root.number(), OsPath.DOT, LOOK, Linux.STATX_BASIC_STATS);
        return new Layer(sys, path, books, root, stat);
      } catch (ErrnoException e) {
        root.close();
        throw e;
      }
    } catch (ErrnoException e) {
      throw EngineException.failed("cannot open the layer " + path.quoted(), e);
    }
  }

  private static NodeReader.XattrFilter filter(Optional<View.Books> books) {
    return books
        .flatMap(View.Books::prefix)
        .map(Layer::withoutBooks)
        .orElse(NodeReader.XattrFilter.ALL);
  }

  private static NodeReader.XattrFilter withoutBooks(String prefix) {
    return name ->
        !name.startsWith(prefix)
            ? Optional.of(name)
            : name.startsWith(ESCAPE, prefix.length())
                ? Optional.of(prefix + name.substring(prefix.length() + ESCAPE.length()))
                : Optional.empty();
  }

  /** Names in it that begin with {@code .wh.} are marks, obeyed or not. */
  private boolean isBranch() {
    return isMarked() || books.equals(Optional.of(View.Books.AUFS_UNMARKED));
  }

  /** Its marks are obeyed. */
  private boolean isMarked() {
    return books.equals(Optional.of(View.Books.AUFS));
  }

  /** Both are the same directory, read in the same way. */
  boolean isSame(Layer other) {
    return rootStat.sameFile(other.rootStat) && books.equals(other.books);
  }

  /** True for a layer of an overlay that may have redirects and metadata-only copies. */
  boolean follows() {
    return books.filter(b -> b == View.Books.TRUSTED).isPresent();
  }

  /** Opens what is beneath the layer's root; empty when it is gone. */
  Optional<Fd> open(OsPath at, int flags) throws EngineException {
    try {
      return beneath.open(root, at.isEmpty() ? OsPath.DOT : at, flags);
    } catch (ErrnoException e) {
      throw unreadable(at, e);
    }
  }

  /**
   * Opens the data of a regular file, without leaving a trace in its access time where that is
   * allowed; empty when it is gone or something else by now.
   */
  Optional<Fd> openData(Place place) throws EngineException {
    // what became a FIFO meanwhile must not be waited for
    int flags = Linux.O_RDONLY | Linux.O_NONBLOCK | Linux.O_NOCTTY;
    Optional<Fd> opened;
    try {
      opened = beneath.open(root, place.path(), flags | Linux.O_NOATIME);
    } catch (ErrnoException e) {
      opened = e.is(Errno.EPERM) ? open(place.path(), flags) : missingDevice(place, e);
    }
    if (opened.isPresent() && !statOf(opened.get(), place).isRegularFile()) {
      opened.get().close();
      return Optional.empty();
    }
    return opened;
  }

  /** ENXIO is what a socket, or a device without a driver, answers. */
  private Optional<Fd> missingDevice(Place place, ErrnoException e) throws EngineException {
    if (e.is(Errno.ENXIO) || e.is(Errno.ENODEV)) {
      return Optional.empty();
    }
    throw unreadable(place.path(), e);
  }

  private Statx statOf(Fd fd, Place place) throws EngineException {
    try {
      return sys.statx(fd.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_BASIC_STATS);
    } catch (ErrnoException e) {
      fd.close();
      throw unreadable(place.path(), e);
    }
  }

  /**
   * Adds the names in a directory that is open for reading, and those that it has whiteouts for.
   */
  void list(OpenDirectory directory, SortedSet<OsPath> names) throws EngineException {
    Optional<Fd> fd = directory.fd();
    if (fd.isEmpty()) {
      return;
    }
    try {
      for (List<DirectoryEntries.Entry> some = files.nextEntries(fd.get());
          !some.isEmpty();
          some = files.nextEntries(fd.get())) {
        some.forEach(entry -> name(entry.name()).ifPresent(name -> names.add(name)));
      }
    } catch (ErrnoException e) {
      if (!Beneath.isGone(e)) {
        throw unreadable(directory.path(), e);
      }
    }
  }

  /** The name that a file's name is about; empty where it is about none. */
  private Optional<OsPath> name(OsPath file) {
    if (!isBranch() || !AufsNames.isMark(file)) {
      return Optional.of(file);
    }
    return AufsNames.isOwn(file) || !isMarked()
        ? Optional.empty()
        : Optional.of(AufsNames.hidden(file));
  }

  /** What has this name in a directory, or hides it; empty when nothing has. */
  Optional<Found.Real> find(OpenDirectory where, OsPath name) throws EngineException {
    if (!isBranch() || name.isEmpty()) {
      return findFile(where, name);
    }
    if (AufsNames.isMark(name)) {
      return Optional.empty();
    }
    if (!isMarked()) {
      return findFile(where, name);
    }
    Optional<Found.Real> whiteout = findFile(where, AufsNames.whiteout(name));
    return whiteout.isPresent() ? whiteout : findFile(where, name);
  }

  private Optional<Found.Real> findFile(OpenDirectory where, OsPath name) throws EngineException {
    Optional<Fd> fd = where.fd();
    if (fd.isEmpty()) {
      return Optional.empty();
    }
    OsPath at = name.isEmpty() ? OsPath.DOT : name;
    try {
      Statx stat = reader.stat(fd.get(), at);
      if (!name.isEmpty() && isMounted(stat)) {
        throw EngineException.failed(
            "something is mounted on "
                + where.path().resolve(name).quoted()
                + " in the layer "
                + path.quoted()
                + ", and what it covers cannot be seen",
            Errno.EXDEV);
      }
      boolean listed = stat.isDirectory() || stat.isRegularFile();
      List<String> xattrs = listed ? xattrs(fd.get(), at) : List.of();
      return Optional.of(new Found.Real(where, name, stat, xattrs));
    } catch (ErrnoException e) {
      // longer than any name of this file system is as good as absent
      if (Beneath.isGone(e) || e.is(Errno.ENAMETOOLONG)) {
        return Optional.empty();
      }
      throw unreadable(where.path().resolve(name), e);
    }
  }

  /**
   * A kernel before 5.8 does not tell mount points; there the device does. Elsewhere it says
   * nothing: a Btrfs subvolume has another one, and overlayfs enters it.
   */
  private boolean isMounted(Statx stat) {
    return (stat.attributesMask() & Linux.STATX_ATTR_MOUNT_ROOT) == 0
        ? !stat.sameFileSystem(rootStat)
        : (stat.attributes() & Linux.STATX_ATTR_MOUNT_ROOT) != 0;
  }

  private List<String> xattrs(Fd directory, OsPath name) throws ErrnoException {
    try {
      return sys.listxattr(Files.procPath(directory).resolve(name), false);
    } catch (ErrnoException e) {
      if (e.is(Errno.EOPNOTSUPP)) {
        return List.of();
      }
      throw e;
    }
  }

  /**
   * An attribute in which overlayfs keeps its books, {@code opaque} for instance; empty where there
   * is none.
   */
  Optional<byte[]> book(Found.Real real, String name) throws EngineException {
    Optional<String> prefix = books.flatMap(View.Books::prefix);
    if (prefix.isEmpty() || real.xattrs().isEmpty()) {
      return Optional.empty();
    }
    String full = prefix.get() + name;
    Optional<Fd> fd = real.where().fd();
    if (!real.xattrs().contains(full) || fd.isEmpty()) {
      return Optional.empty();
    }
    try {
      OsPath at = real.name().isEmpty() ? OsPath.DOT : real.name();
      return sys.getxattr(Files.procPath(fd.get()).resolve(at), full, false);
    } catch (ErrnoException e) {
      if (Beneath.isGone(e)) {
        return Optional.empty();
      }
      throw unreadable(real.place().path(), e);
    }
  }

  /** Nothing is there, whatever lies below. */
  boolean isWhiteout(Found.Real real) throws EngineException {
    Statx stat = real.stat();
    if (isBranch() && AufsNames.isMark(real.name())) {
      return true;
    }
    boolean empty = stat.isRegularFile() && stat.size() == 0;
    return stat.isWhiteout() || (empty && book(real, OverlayXattrs.WHITEOUT).isPresent());
  }

  /** A directory that nothing below shines through. */
  boolean isOpaque(Found.Real real) throws EngineException {
    if (isBranch()) {
      return isMarked() && real.stat().isDirectory() && hasOpaqueMark(real.place().path());
    }
    Optional<byte[]> value = book(real, OverlayXattrs.OPAQUE);
    return value.isPresent() && value.get().length == 1 && value.get()[0] == 'y';
  }

  private boolean hasOpaqueMark(OsPath directory) throws EngineException {
    try (OpenDirectory open = new OpenDirectory(this, directory, Linux.O_PATH)) {
      return findFile(open, AufsNames.OPAQUE).isPresent();
    }
  }

  /** A file that was found, without its data; empty when it is gone. */
  Optional<Node> read(Found.Real real, OsPath as) throws EngineException {
    Optional<Fd> fd = real.where().fd();
    if (fd.isEmpty()) {
      return Optional.empty();
    }
    OsPath at = real.name().isEmpty() ? OsPath.DOT : real.name();
    try {
      return Optional.of(reader.read(fd.get(), at, as, real.stat()));
    } catch (ErrnoException e) {
      // EINVAL: no link any more
      if (Beneath.isGone(e) || e.is(Errno.EINVAL)) {
        return Optional.empty();
      }
      throw unreadable(real.place().path(), e);
    }
  }

  /** What is kept of a file that was found; empty when it is gone. */
  Optional<Attributes> attributes(Found.Real real) throws EngineException {
    Optional<Fd> fd = real.where().fd();
    if (fd.isEmpty()) {
      return Optional.empty();
    }
    OsPath at = real.name().isEmpty() ? OsPath.DOT : real.name();
    try {
      return Optional.of(reader.attributes(fd.get(), at, real.stat()));
    } catch (ErrnoException e) {
      if (Beneath.isGone(e)) {
        return Optional.empty();
      }
      throw unreadable(real.place().path(), e);
    }
  }

  /** Where a symbolic link points to; empty when it is gone. */
  Optional<OsPath> target(Found.Real real) throws EngineException {
    Optional<Fd> fd = real.where().fd();
    if (fd.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(sys.readlinkat(fd.get().number(), real.name()));
    } catch (ErrnoException e) {
      if (Beneath.isGone(e) || e.is(Errno.EINVAL)) {
        return Optional.empty();
      }
      throw unreadable(real.place().path(), e);
    }
  }

  /** A failure of this layer, on one line. */
  EngineException unreadable(OsPath at, ErrnoException cause) {
    return EngineException.failed("cannot read " + describe(at), cause);
  }

  /** What the layer holds makes no sense. */
  EngineException broken(Place place, String why) {
    return EngineException.failed(describe(place.path()) + " " + why);
  }

  private String describe(OsPath at) {
    return (at.isEmpty() ? "the root" : at.quoted()) + " of the layer " + path.quoted();
  }

  @Override
  public void close() {
    root.close();
  }
}
