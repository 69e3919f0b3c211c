package dev.ovl.engine.tree;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.DirectoryEntries;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OpenHow;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Writes a stream of files into a directory, and nothing outside of it, whatever the stream says:
 * paths and link targets are resolved with the directory as their root (openat2(2) with
 * RESOLVE_IN_ROOT), so that {@code ..} and absolute links end inside; last components are never
 * followed.
 *
 * <p>What is no directory and has the name of a file that comes is unlinked first, and never
 * written to: it may have other names. A directory stays where a directory comes, else it goes with
 * all that is in it. Attributes are set in the order owner, extended attributes, permissions,
 * times, for a change of the owner takes capabilities and setuid away; the umask means nothing. The
 * times of a directory, and the ACL that it would hand down, are set when it is left. A directory
 * that does not come itself keeps its times.
 *
 * <p>Each directory on the way to the current one is open; so a file costs no more than its own
 * calls. To write other owners, devices and {@code trusted.} attributes the caller is root, at
 * least of its user namespace. What belongs to somebody whom that namespace lacks is the caller's,
 * as with tar(1), but in a copy that is to be {@link LayerForm#EXACT}.
 *
 * <p>All failures are {@link EngineException}s that name the file. For one thread.
 */
public final class TreeWriter implements TreeSink, AutoCloseable {
  /** Directories kept open; more are opened again when they are met again. */
  private static final int OPEN_DIRECTORIES = 32;

  /** A rename elsewhere makes the kernel say EAGAIN; so many in a row are somebody's intention. */
  private static final int RESOLUTIONS = 1000;

  /** Paths remembered so that an opaque mark which comes late spares them. */
  private static final int REMEMBERED_PATHS = 1 << 20;

  /** chown(2): this id is not to be changed. */
  private static final int KEEP = -1;

  private static final String ACCESS_ACL = "system.posix_acl_access";
  private static final String DEFAULT_ACL = "system.posix_acl_default";
  private static final String UMASK = "Umask:";
  private static final String SECURITY = "security.";
  private static final long IN_ROOT = Linux.RESOLVE_IN_ROOT | Linux.RESOLVE_NO_MAGICLINKS;
  private static final Optional<byte[]> NO_ACL = Optional.empty();
  private static final Timestamp LEAVE = Attributes.UNKNOWN;
  private static final int NEW_FILE =
      Linux.O_WRONLY | Linux.O_CREAT | Linux.O_EXCL | Linux.O_NOFOLLOW;
  private static final int DIRECTORY = Linux.O_RDONLY | Linux.O_DIRECTORY;

  private final Syscalls sys;
  private final Files files;
  private final Marking marking;
  private final boolean keepsOwners;
  private final Parents parents;
  private final DataWriter data;
  private final Fd root;

  /** From the root downwards: the directories on the way to the last file. */
  private final Deque<Place> places = new ArrayDeque<>();

  private final Set<OsPath> written = new HashSet<>();
  private boolean forgotten;
  private OsPath last = OsPath.EMPTY;
  private Optional<NewFiles> ofNewFiles = Optional.empty();
  private int umask = -1;

  /** What directories are like that are on the way to a file and not in the stream. */
  public interface Parents {
    /** Knows nothing: such directories belong to root and have 0755. */
    Parents UNKNOWN = path -> Optional.empty();

    /**
     * The attributes of a directory that has to be made.
     *
     * @param path from the root of the tree, {@code a/b}
     * @return empty: root's, 0755
     */
    Optional<Attributes> attributes(OsPath path) throws EngineException, ErrnoException;
  }

  /**
   * Opens the directory.
   *
   * @param root an existing directory; what is in it stays, unless the stream says otherwise
   */
  public TreeWriter(Syscalls sys, OsPath root, LayerForm form, Parents parents)
      throws ErrnoException {
    this(sys, root, form, parents, CopyWatch.NONE);
  }

  /**
   * As {@link #TreeWriter(Syscalls, OsPath, LayerForm, Parents)}.
   *
   * @param watch hears how far the writing is
   */
  public TreeWriter(Syscalls sys, OsPath root, LayerForm form, Parents parents, CopyWatch watch)
      throws ErrnoException {
    this.sys = sys;
    this.files = new Files(sys);
    this.marking = Marking.of(form, sys);
    this.keepsOwners = form == LayerForm.EXACT;
    this.parents = parents;
    this.data = new DataWriter(sys, watch);
    this.root = files.openDirectory(root);
  }

  // ---- the stream ---------------------------------------------------------------------------

  @Override
  public void put(Node node, Content content) throws EngineException {
    run("write", node.path(), () -> write(node, content));
  }

  private void write(Node node, Content content) throws EngineException, ErrnoException {
    OsPath path = node.path();
    Attributes attributes = node.attributes();
    if (path.equals(OsPath.DOT)) {
      writeRoot(node);
      return;
    }
    OsPath name = name(path);
    Place place = enter(path.parent());
    remember(path);
    boolean hid = marking.unhide(place, name);
    switch (node.kind()) {
      case Node.Kind.Directory() -> writeDirectory(place, path, name, attributes, hid);
      case Node.Kind.Regular(long size) -> writeFile(place, name, size, attributes, content);
      case Node.Kind.HardLink(OsPath to) -> link(place, name, to);
      case Node.Kind.Symlink(OsPath target) -> {
        create(
            place,
            name,
            () -> {
              sys.symlinkat(target, place.number(), name);
              return name;
            });
        setByName(place, name, attributes, false);
      }
      case Node.Kind.Device(boolean block, int major, int minor) -> {
        if (!block && major == 0 && minor == 0 && !marking.keepsWhiteouts()) {
          throw EngineException.failed("the character device 0:0 is a deletion and no file");
        }
        writeSpecial(place, name, block ? Linux.S_IFBLK : Linux.S_IFCHR, major, minor, attributes);
      }
      case Node.Kind.Fifo() -> writeSpecial(place, name, Linux.S_IFIFO, 0, 0, attributes);
      case Node.Kind.Socket() -> writeSpecial(place, name, Linux.S_IFSOCK, 0, 0, attributes);
    }
  }

  @Override
  public void delete(OsPath path) throws EngineException {
    run(
        "delete",
        path,
        () -> {
          OsPath name = name(path);
          Optional<Place> place =
              marking.marksDeletions() ? enterToMark(path.parent()) : enterIfThere(path.parent());
          if (place.isEmpty()) {
            return;
          }
          files.removeAny(place.get().directory(), name);
          marking.unhide(place.get(), name);
          marking.delete(place.get(), name);
        });
  }

  @Override
  public void opaque(OsPath directory) throws EngineException {
    run(
        "empty",
        directory,
        () -> {
          Place place = enter(directory);
          removeOld(place);
          marking.opaque(place);
        });
  }

  @Override
  public void finish() throws EngineException {
    run(
        "finish",
        OsPath.DOT,
        () -> {
          while (!places.isEmpty()) {
            leave();
          }
        });
    close();
  }

  /** Closes what is open; after a failure nothing else is done. */
  @Override
  public void close() {
    while (!places.isEmpty()) {
      places.removeLast().directory().close();
    }
    root.close();
  }

  /** Something done to a file. */
  private interface Action {
    void run() throws EngineException, ErrnoException;
  }

  private static void run(String verb, OsPath path, Action action) throws EngineException {
    try {
      action.run();
    } catch (ErrnoException e) {
      throw EngineException.failed(
          "cannot " + verb + " " + path.quoted() + ": " + e.errno().message(), e);
    } catch (EngineException e) {
      throw e.within("cannot " + verb + " " + path.quoted() + ": ");
    }
  }

  private OsPath name(OsPath path) throws EngineException {
    OsPath name = path.fileName();
    if (name.isEmpty() || isDots(name)) {
      throw EngineException.failed("that is no file's name");
    }
    marking.check(name);
    return name;
  }

  private static boolean isDots(OsPath name) {
    return name.at(0) == '.' && (name.length() == 1 || (name.length() == 2 && name.at(1) == '.'));
  }

  // ---- directories --------------------------------------------------------------------------

  /** The directory, made with its parents where it is missing. */
  private Place enter(OsPath path) throws EngineException, ErrnoException {
    Optional<Place> there = enterIfThere(path);
    return there.isPresent() ? there.get() : make(path);
  }

  /** The directory; empty where there is none. */
  private Optional<Place> enterIfThere(OsPath path) throws ErrnoException {
    leaveUpTo(path);
    if (!places.isEmpty() && places.getLast().path().equals(path)) {
      return Optional.of(places.getLast());
    }
    Fd directory;
    try {
      directory = resolve(path);
    } catch (ErrnoException e) {
      if (isAbsent(e)) {
        return Optional.empty();
      }
      throw e;
    }
    try {
      Timestamp modified = stat(directory, OsPath.DOT).orElseThrow().modified();
      push(
          path,
          directory,
          inherits(directory),
          new Place.Later(LEAVE, Optional.of(modified), NO_ACL, true));
    } catch (ErrnoException | RuntimeException e) {
      directory.close();
      throw e;
    }
    return Optional.of(places.getLast());
  }

  /**
   * The directory, so that a deletion in it can be marked; empty where that means nothing, since it
   * or one above it is deleted or no directory.
   */
  private Optional<Place> enterToMark(OsPath path) throws EngineException, ErrnoException {
    Optional<Place> there = enterIfThere(path);
    if (there.isPresent()) {
      return there;
    }
    Optional<Place> parent = enterToMark(path.parent());
    OsPath name = name(path);
    if (parent.isEmpty()
        || stat(parent.get().directory(), name).isPresent()
        || marking.isHidden(parent.get(), name)) {
      return Optional.empty();
    }
    return Optional.of(make(path));
  }

  private static boolean isAbsent(ErrnoException e) {
    return switch (e.errno()) {
      case ENOENT, ENOTDIR, ELOOP -> true;
      default -> false;
    };
  }

  /** Makes a directory that did not come itself. */
  private Place make(OsPath path) throws EngineException, ErrnoException {
    OsPath name = name(path);
    Place parent = enter(path.parent());
    boolean hid = marking.unhide(parent, name);
    Optional<Statx> there = stat(parent.directory(), name);
    if (there.isPresent()) {
      if (!marking.isDeletion(parent.directory(), name, there.get())) {
        throw EngineException.failed(path.quoted() + " is no directory", Errno.ENOTDIR);
      }
      sys.unlinkat(parent.number(), name, 0);
      hid = true;
    }
    sys.mkdirat(parent.number(), name, 0700);
    Optional<Attributes> attributes = parents.attributes(path);
    Fd directory = openDirectory(parent, name);
    try {
      if (attributes.isPresent()) {
        pushWith(path, directory, attributes.get(), parent.inherits());
      } else {
        if (parent.inherits()) {
          removeOldAttributes(directory, Xattrs.NONE);
        }
        sys.fchownat(directory.number(), OsPath.EMPTY, 0, 0, Linux.AT_EMPTY_PATH);
        sys.fchmod(directory.number(), 0755);
        push(path, directory, false, new Place.Later(LEAVE, Optional.empty(), NO_ACL, false));
      }
    } catch (ErrnoException | RuntimeException e) {
      directory.close();
      throw e;
    }
    Place made = places.getLast();
    if (hid) {
      marking.opaque(made);
    }
    return made;
  }

  private void writeDirectory(
      Place place, OsPath path, OsPath name, Attributes attributes, boolean unhidden)
      throws ErrnoException {
    boolean hid = unhidden;
    boolean isNew = isMade(place, name);
    while (!isNew) {
      Optional<Statx> there = stat(place.directory(), name);
      if (there.isPresent() && there.get().isDirectory()) {
        break;
      }
      files.removeAny(place.directory(), name);
      hid = true; // and so it hid what is below, all of which stays hidden
      isNew = isMade(place, name);
    }
    Fd directory = openDirectory(place, name);
    try {
      pushWith(path, directory, attributes, !isNew || place.inherits());
    } catch (ErrnoException | RuntimeException e) {
      directory.close();
      throw e;
    }
    if (hid) {
      marking.opaque(places.getLast());
    }
  }

  private boolean isMade(Place place, OsPath name) throws ErrnoException {
    try {
      sys.mkdirat(place.number(), name, 0700);
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.EEXIST)) {
        return false;
      }
      throw e;
    }
  }

  private void writeRoot(Node node) throws EngineException, ErrnoException {
    if (!(node.kind() instanceof Node.Kind.Directory)) {
      throw EngineException.failed("the root of a tree is a directory");
    }
    while (!places.isEmpty()) {
      leave();
    }
    remember(node.path());
    Fd directory = resolve(OsPath.DOT);
    try {
      pushWith(OsPath.DOT, directory, node.attributes(), true);
    } catch (ErrnoException | RuntimeException e) {
      directory.close();
      throw e;
    }
  }

  private Fd openDirectory(Place place, OsPath name) throws ErrnoException {
    return new Fd(sys, sys.openat(place.number(), name, DIRECTORY | Linux.O_NOFOLLOW, 0));
  }

  /** Gives a directory its attributes, and enters it. */
  private void pushWith(OsPath path, Fd directory, Attributes attributes, boolean isUsed)
      throws ErrnoException {
    setOpen(directory, attributes, isUsed, true);
    Optional<byte[]> acl = Optional.ofNullable(attributes.xattrs().values().get(DEFAULT_ACL));
    Timestamp accessed = attributes.accessed();
    Timestamp modified = attributes.modified();
    push(path, directory, false, new Place.Later(accessed, Optional.of(modified), acl, false));
  }

  private void push(OsPath path, Fd directory, boolean inherits, Place.Later later)
      throws ErrnoException {
    if (places.size() == OPEN_DIRECTORIES) {
      leave(places.removeFirst());
    }
    places.addLast(new Place(path, directory, inherits, later));
    remember(path);
  }

  private boolean inherits(Fd directory) throws ErrnoException {
    try {
      return sys.fgetxattr(directory.number(), DEFAULT_ACL).isPresent();
    } catch (ErrnoException e) {
      if (e.is(Errno.EOPNOTSUPP)) {
        return false;
      }
      throw e;
    }
  }

  /** Leaves all directories that are neither the path nor above it. */
  private void leaveUpTo(OsPath path) throws ErrnoException {
    while (!places.isEmpty()) {
      OsPath last = places.getLast().path();
      if (last.equals(OsPath.DOT) || path.startsWith(last)) {
        return;
      }
      leave();
    }
  }

  private void leave() throws ErrnoException {
    leave(places.removeLast());
  }

  private void leave(Place place) throws ErrnoException {
    try (Fd directory = place.directory()) {
      int number = directory.number();
      if (place.later().defaultAcl().isPresent()) {
        sys.fsetxattr(number, DEFAULT_ACL, place.later().defaultAcl().get(), 0);
      }
      if (place.later().modified().isPresent()) {
        Timestamp accessed = place.later().accessed();
        sys.utimensat(number, OsPath.DOT, accessed, place.later().modified().get(), 0);
      }
    } catch (ErrnoException e) {
      // it was removed by another path to it; or its times are not ours to set: we passed through
      if (!e.is(Errno.ENOENT) && !(e.is(Errno.EPERM) && place.later().passing())) {
        throw e;
      }
    }
  }

  /** Opens a directory with the tree's root for root, whatever links lead to. */
  private Fd resolve(OsPath path) throws ErrnoException {
    List<OsPath> parts = Beneath.parts(path);
    if (parts.size() == 1) {
      return open(root, path, DIRECTORY, IN_ROOT);
    }
    Fd at = open(root, parts.getFirst(), DIRECTORY, IN_ROOT);
    for (OsPath part : parts.subList(1, parts.size())) {
      try (Fd above = at) {
        // a link that is met so far down would begin at the wrong root
        at = open(above, part, DIRECTORY, Linux.RESOLVE_BENEATH | Linux.RESOLVE_NO_SYMLINKS);
      }
    }
    return at;
  }

  private Fd open(Fd from, OsPath path, int flags, long resolve) throws ErrnoException {
    OpenHow how = new OpenHow(flags, 0, resolve);
    for (int attempt = 1; ; attempt++) {
      try {
        return new Fd(sys, sys.openat2(from.number(), path, how));
      } catch (ErrnoException e) {
        if (!e.is(Errno.EAGAIN) || attempt == RESOLUTIONS) {
          throw e;
        }
      }
    }
  }

  // ---- files --------------------------------------------------------------------------------

  /** Makes something. */
  private interface Creation<T> {
    T make() throws ErrnoException;
  }

  /** Makes something in the place of whatever has its name. */
  private <T> T create(Place place, OsPath name, Creation<T> creation) throws ErrnoException {
    while (true) {
      try {
        return creation.make();
      } catch (ErrnoException e) {
        if (!e.is(Errno.EEXIST)) {
          throw e;
        }
      }
      files.removeAny(place.directory(), name);
    }
  }

  private void writeFile(
      Place place, OsPath name, long size, Attributes attributes, Content content)
      throws EngineException, ErrnoException {
    boolean asMade = isAsMade(place, attributes);
    int mode = asMade ? attributes.permissions() : 0600;
    int created = create(place, name, () -> sys.openat(place.number(), name, NEW_FILE, mode));
    try (Fd file = new Fd(sys, created)) {
      data.write(file, size, content);
      if (!asMade) {
        if (ofNewFiles.isEmpty() || ofNewFiles.get().directory() != place.directory()) {
          Statx made = stat(place.directory(), name).orElseThrow();
          ofNewFiles = Optional.of(new NewFiles(place.directory(), made.uid(), made.gid()));
        }
        setOpen(file, attributes, place.inherits(), false);
      }
      // by its name: utimensat(2) of a descriptor takes Linux 5.8
      setTime(place, name, attributes);
      file.closeWritten();
    }
  }

  /**
   * What the kernel gives to new files in a directory, as the first of them had it.
   *
   * @param directory where
   */
  private record NewFiles(Fd directory, int uid, int gid) {}

  /** Whether a file has its owner and permissions as soon as it is made with these. */
  private boolean isAsMade(Place place, Attributes attributes) throws ErrnoException {
    return ofNewFiles.isPresent()
        && ofNewFiles.get().directory() == place.directory()
        && ofNewFiles.get().uid() == attributes.uid()
        && ofNewFiles.get().gid() == attributes.gid()
        && !place.inherits()
        && attributes.xattrs().values().isEmpty()
        && (attributes.permissions() & (umask() | ~0777)) == 0;
  }

  /** The umask, which only another thread's umask(2) would change; nobody here calls it. */
  private int umask() throws ErrnoException {
    if (umask < 0) {
      String status =
          OsPath.decode(files.read(OsPath.of("/proc/thread-self/status")).orElse(new byte[0]));
      umask =
          status
              .lines()
              .filter(line -> line.startsWith(UMASK))
              .map(line -> Integer.parseInt(line.substring(UMASK.length()).strip(), 8))
              .findFirst()
              .orElse(0777);
    }
    return umask;
  }

  private void writeSpecial(
      Place place, OsPath name, int type, int major, int minor, Attributes attributes)
      throws ErrnoException {
    create(
        place,
        name,
        () -> {
          sys.mknodat(place.number(), name, type | 0600, major, minor);
          return name;
        });
    setByName(place, name, attributes, true);
  }

  private void link(Place place, OsPath name, OsPath to) throws EngineException, ErrnoException {
    OsPath toName = name(to);
    if (to.parent().equals(place.path())) {
      link(place, name, to, place.directory(), toName);
      return;
    }
    Fd directory;
    try {
      directory = resolve(to.parent());
    } catch (ErrnoException e) {
      if (isAbsent(e)) {
        throw noTarget(to);
      }
      throw e;
    }
    try (directory) {
      link(place, name, to, directory, toName);
    }
  }

  private void link(Place place, OsPath name, OsPath to, Fd directory, OsPath toName)
      throws EngineException, ErrnoException {
    Optional<Statx> target = stat(directory, toName);
    if (target.isEmpty() || marking.isDeletion(directory, toName, target.get())) {
      throw noTarget(to);
    }
    if (target.get().isDirectory()) {
      throw EngineException.failed(
          "it is a link to " + to.quoted() + ", which is a directory", Errno.EPERM);
    }
    Optional<Statx> there = stat(place.directory(), name);
    if (there.isPresent() && there.get().sameFile(target.get())) {
      return;
    }
    create(
        place,
        name,
        () -> {
          sys.linkat(directory.number(), toName, place.number(), name, 0);
          return name;
        });
  }

  private static EngineException noTarget(OsPath to) {
    return EngineException.failed(
        "it is a link to " + to.quoted() + ", which is not there", Errno.ENOENT);
  }

  private Optional<Statx> stat(Fd directory, OsPath name) throws ErrnoException {
    try {
      int flags = Linux.AT_SYMLINK_NOFOLLOW | Linux.AT_NO_AUTOMOUNT;
      return Optional.of(sys.statx(directory.number(), name, flags, Linux.STATX_BASIC_STATS));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  // ---- attributes ---------------------------------------------------------------------------

  /**
   * Owner, extended attributes and permissions of an open file.
   *
   * @param isUsed it may have attributes already
   */
  private void setOpen(Fd file, Attributes attributes, boolean isUsed, boolean isDirectory)
      throws ErrnoException {
    int number = file.number();
    setOwner(number, OsPath.EMPTY, attributes, Linux.AT_EMPTY_PATH);
    if (isUsed) {
      removeOldAttributes(file, attributes.xattrs());
    }
    for (Map.Entry<String, byte[]> xattr : attributes.xattrs().values().entrySet()) {
      if (!isDirectory || !xattr.getKey().equals(DEFAULT_ACL)) {
        sys.fsetxattr(number, marking.attribute(xattr.getKey()), xattr.getValue(), 0);
      }
    }
    sys.fchmod(number, attributes.permissions());
  }

  private void setOwner(int directory, OsPath name, Attributes attributes, int flags)
      throws ErrnoException {
    try {
      sys.fchownat(directory, name, attributes.uid(), attributes.gid(), flags);
    } catch (ErrnoException e) {
      if (keepsOwners || !e.is(Errno.EINVAL)) {
        throw e;
      }
      setKnown(directory, name, attributes.uid(), KEEP, flags);
      setKnown(directory, name, KEEP, attributes.gid(), flags);
    }
  }

  /** An id that the user namespace lacks stays what it is. */
  private void setKnown(int directory, OsPath name, int uid, int gid, int flags)
      throws ErrnoException {
    try {
      sys.fchownat(directory, name, uid, gid, flags);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EINVAL)) {
        throw e;
      }
    }
  }

  private void removeOldAttributes(Fd file, Xattrs wanted) throws ErrnoException {
    List<String> there;
    try {
      there = sys.flistxattr(file.number());
    } catch (ErrnoException e) {
      if (e.is(Errno.EOPNOTSUPP)) {
        return;
      }
      throw e;
    }
    for (String name : there) {
      boolean ofModule = name.startsWith(SECURITY);
      if (!ofModule && !marking.isMark(name) && !wanted.values().containsKey(name)) {
        remove(file, name);
      }
    }
    if (there.contains(DEFAULT_ACL) && wanted.values().containsKey(DEFAULT_ACL)) {
      remove(file, DEFAULT_ACL); // comes again when the directory is left
    }
  }

  private void remove(Fd file, String attribute) throws ErrnoException {
    try {
      sys.fremovexattr(file.number(), attribute);
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENODATA)) { // XFS shows an ACL by two names
        throw e;
      }
    }
  }

  /** All attributes of what cannot be opened. */
  private void setByName(Place place, OsPath name, Attributes attributes, boolean hasPermissions)
      throws ErrnoException {
    int flags = Linux.AT_SYMLINK_NOFOLLOW;
    setOwner(place.number(), name, attributes, flags);
    OsPath path = OsPath.of("/proc/self/fd/" + place.number()).resolve(name);
    if (place.inherits() && hasPermissions) {
      try {
        sys.removexattr(path, ACCESS_ACL, false);
      } catch (ErrnoException e) {
        if (!e.is(Errno.ENODATA)) {
          throw e;
        }
      }
    }
    for (Map.Entry<String, byte[]> xattr : attributes.xattrs().values().entrySet()) {
      sys.setxattr(path, marking.attribute(xattr.getKey()), xattr.getValue(), 0, false);
    }
    if (hasPermissions) {
      int reference = Linux.O_PATH | Linux.O_NOFOLLOW;
      try (Fd file = new Fd(sys, sys.openat(place.number(), name, reference, 0))) {
        OsPath itself = OsPath.of("/proc/self/fd/" + file.number());
        sys.fchmodat(Linux.AT_FDCWD, itself, attributes.permissions());
      }
    }
    setTime(place, name, attributes);
  }

  private void setTime(Place place, OsPath name, Attributes attributes) throws ErrnoException {
    int flags = Linux.AT_SYMLINK_NOFOLLOW;
    sys.utimensat(place.number(), name, attributes.accessed(), attributes.modified(), flags);
  }

  // ---- what an opaque directory loses ---------------------------------------------------------

  private void remember(OsPath path) {
    if (written.size() == REMEMBERED_PATHS) {
      written.clear();
      forgotten = true;
    }
    written.add(path);
    last = path;
  }

  private void removeOld(Place place) throws EngineException, ErrnoException {
    if (forgotten && !last.equals(place.path())) {
      throw EngineException.failed(
          "its opaque mark comes too late: more than " + REMEMBERED_PATHS + " files came before");
    }
    removeOld(place.directory(), place.path());
  }

  private void removeOld(Fd directory, OsPath path) throws ErrnoException {
    List<OsPath> names = new ArrayList<>();
    sys.lseek(directory.number(), 0, Linux.SEEK_SET);
    for (List<DirectoryEntries.Entry> some = files.nextEntries(directory);
        !some.isEmpty();
        some = files.nextEntries(directory)) {
      some.forEach(entry -> names.add(entry.name()));
    }
    for (OsPath name : names) {
      OsPath child = path.equals(OsPath.DOT) ? name : path.resolve(name);
      if (!written.contains(child)) {
        files.removeAny(directory, name);
      } else if (stat(directory, name).filter(Statx::isDirectory).isPresent()) {
        int flags = DIRECTORY | Linux.O_NOFOLLOW;
        try (Fd deeper = new Fd(sys, sys.openat(directory.number(), name, flags, 0))) {
          removeOld(deeper, child);
        }
      }
    }
  }
}
