package dev.ovl.engine.move;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.RandomBytes;
import dev.ovl.json.Json;
import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import dev.ovl.sys.DirectoryEntries;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a move that copies is about, beside its destination: {@code .ovl-mv-<random>.json}, which is
 * there from before the first change until after the last; {@code .ovl-mv-<random>}, the directory
 * in which the copy is made; {@code .ovl-mv-<random>.list}, what was copied.
 *
 * <p>It is made durable with the copy, not before it. A machine that loses power meanwhile may
 * leave a blank one: then nothing has gone to its place, and the copy is rubbish.
 *
 * <p>The file says nothing of how far the move is, for that is seen: as long as the copy is in its
 * directory, the move has done no harm and can be undone; once the destination's name has the inode
 * that the list begins with, the source is to go. So it is written once, and never wrong.
 *
 * <p>flock(2) on the file is held from before it has its name until the move has ended, so that
 * nobody takes a move for dead that is under way. It is believed only when it belongs to the caller
 * and nobody else may write to it, since it tells what to delete.
 */
final class MoveJournal implements AutoCloseable {
  private static final String PREFIX = ".ovl-mv-";
  private static final String SUFFIX = ".json";
  private static final String UNFINISHED = ".json.new";
  private static final String LIST = ".list";
  private static final int RANDOM_DIGITS = 16;
  private static final int SCHEMA = 1;
  private static final int MOST_BYTES = 64 * 1024;
  private static final int OTHERS_MAY_WRITE = 022;

  private final Syscalls sys;
  private final Files files;
  private final Fd directory;
  private final Fd file;
  private final String stem;

  /**
   * What a journal says.
   *
   * @param source absolute
   * @param sourceDirectory inode of the directory that holds the source
   * @param destination one name, in the journal's directory
   */
  record Entry(OsPath source, long sourceDirectory, OsPath destination) {}

  /** A journal of a move that is no more under way, or one that cannot be read. */
  sealed interface Found {
    record Dead(MoveJournal journal, Entry entry) implements Found {}

    /** Its content never came to the disk. */
    record Blank(MoveJournal journal) implements Found {}

    record Unreadable(OsPath name, String reason) implements Found {}
  }

  private MoveJournal(Syscalls sys, Fd directory, Fd file, String stem) {
    this.sys = sys;
    this.files = new Files(sys);
    this.directory = directory;
    this.file = file;
    this.stem = stem;
  }

  /** The directory in which the copy is made, beside the destination. */
  OsPath workshop() {
    return OsPath.of(stem);
  }

  OsPath list() {
    return OsPath.of(stem + LIST);
  }

  OsPath name() {
    return OsPath.of(stem + SUFFIX);
  }

  // ---- writing ------------------------------------------------------------------------------

  /**
   * Begins one. It is not durable yet.
   *
   * @param directory of the destination, open for reading; stays open
   */
  static MoveJournal begin(Syscalls sys, Fd directory, Entry entry) throws ErrnoException {
    while (true) {
      String stem = PREFIX + new RandomBytes(sys).hex(RANDOM_DIGITS);
      OsPath unfinished = OsPath.of(stem + UNFINISHED);
      int flags = Linux.O_RDWR | Linux.O_CREAT | Linux.O_EXCL | Linux.O_NOFOLLOW;
      Fd file = new Fd(sys, sys.openat(directory.number(), unfinished, flags, 0600));
      boolean begun = false;
      try {
        begun = isBegun(sys, directory, file, stem, text(entry));
        if (begun) {
          return new MoveJournal(sys, directory, file, stem);
        }
      } finally {
        if (!begun) {
          file.close();
        }
      }
    }
  }

  private static boolean isBegun(Syscalls sys, Fd directory, Fd file, String stem, byte[] text)
      throws ErrnoException {
    OsPath name = OsPath.of(stem + UNFINISHED);
    try {
      // who sweeps may have been quicker, and has taken it for a dead one's
      if (!sys.flock(file.number(), Linux.LOCK_EX | Linux.LOCK_NB)) {
        return false;
      }
      write(sys, file, text);
      return isNamed(sys, directory, name, OsPath.of(stem + SUFFIX));
    } catch (ErrnoException e) {
      remove(sys, directory, name, e);
      throw e;
    }
  }

  private static boolean isNamed(Syscalls sys, Fd directory, OsPath from, OsPath to)
      throws ErrnoException {
    try {
      sys.renameat2(directory.number(), from, directory.number(), to, 0);
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return false;
      }
      throw e;
    }
  }

  private static byte[] text(Entry entry) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("schema", SCHEMA);
    map.put("source", entry.source().toString());
    map.put("sourceDirectory", entry.sourceDirectory());
    map.put("destination", entry.destination().toString());
    return new Json().writePretty(map);
  }

  /** Writes a new file, and leaves it to the caller to make it durable. */
  static void write(Syscalls sys, Fd file, byte[] content) throws ErrnoException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(MOST_BYTES);
    for (int done = 0; done < content.length; ) {
      int part = Math.min(content.length - done, MOST_BYTES);
      buffer.clear().put(content, done, part).flip();
      while (buffer.hasRemaining()) {
        sys.write(file.number(), buffer);
      }
      done += part;
    }
  }

  private static void remove(Syscalls sys, Fd directory, OsPath name, ErrnoException cause) {
    try {
      sys.unlinkat(directory.number(), name, 0);
    } catch (ErrnoException e) {
      cause.addSuppressed(e);
    }
  }

  /** Waits until it is on the disk. */
  void makeDurable() throws ErrnoException {
    sys.fsync(file.number());
  }

  /**
   * Removes the copy, or what there is of it, and the journal. The list goes first: without it
   * nobody takes the copy for one that has gone to its place.
   *
   * @return false when nothing had been made yet
   */
  boolean undo() throws ErrnoException {
    unlink(list());
    boolean begun = removeWorkshop();
    unlink(name());
    return begun;
  }

  /** The move is done: removes the journal, and what else there is beside the destination. */
  void end() throws ErrnoException {
    removeWorkshop();
    unlink(list());
    unlink(name());
  }

  private boolean removeWorkshop() throws ErrnoException {
    Optional<Statx> there = stat(workshop());
    if (there.isEmpty() || !there.get().isDirectory() || there.get().uid() != sys.geteuid()) {
      return false;
    }
    files.removeTree(directory, workshop());
    return true;
  }

  /**
   * What is there, not followed.
   *
   * @param path in the destination's directory
   */
  Optional<Statx> stat(OsPath path) throws ErrnoException {
    int flags = Linux.AT_SYMLINK_NOFOLLOW | Linux.AT_NO_AUTOMOUNT;
    try {
      return Optional.of(sys.statx(directory.number(), path, flags, Linux.STATX_BASIC_STATS));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private void unlink(OsPath name) throws ErrnoException {
    try {
      sys.unlinkat(directory.number(), name, 0);
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
    }
  }

  @Override
  public void close() {
    file.close();
  }

  // ---- reading ------------------------------------------------------------------------------

  /**
   * The names in a directory that journals have, or had before they were finished.
   *
   * @param directory at its beginning
   */
  static List<OsPath> names(Syscalls sys, Fd directory) throws ErrnoException {
    List<OsPath> names = new ArrayList<>();
    ByteBuffer buffer = ByteBuffer.allocateDirect(MOST_BYTES);
    while (sys.getdents64(directory.number(), buffer.clear()) > 0) {
      for (DirectoryEntries.Entry entry : entries(buffer)) {
        String name = entry.name().toString();
        if (name.startsWith(PREFIX) && (name.endsWith(SUFFIX) || name.endsWith(UNFINISHED))) {
          names.add(entry.name());
        }
      }
    }
    return names;
  }

  private static List<DirectoryEntries.Entry> entries(ByteBuffer buffer) {
    List<DirectoryEntries.Entry> entries = new ArrayList<>();
    new DirectoryEntries(buffer).forEach(entries::add);
    return entries;
  }

  /**
   * Takes the journal of a move that is no more under way; the caller closes it. One that was not
   * finished is removed.
   *
   * @return empty: there is none, or it is in use, or not the caller's
   */
  static Optional<Found> take(Syscalls sys, Fd directory, OsPath name) throws ErrnoException {
    Optional<Fd> opened = open(sys, directory, name);
    if (opened.isEmpty()) {
      return Optional.empty();
    }
    Fd file = opened.get();
    boolean taken = false;
    try {
      if (!sys.flock(file.number(), Linux.LOCK_EX | Linux.LOCK_NB) || !isTrusted(sys, file)) {
        return Optional.empty();
      }
      String text = name.toString();
      if (text.endsWith(UNFINISHED)) {
        sys.unlinkat(directory.number(), name, 0);
        return Optional.empty();
      }
      byte[] content = content(sys, file);
      Optional<Entry> entry =
          content.length == 0
              ? Optional.empty()
              : Optional.of(read(new Json().readObject(content)));
      String stem = text.substring(0, text.length() - SUFFIX.length());
      MoveJournal journal = new MoveJournal(sys, directory, file, stem);
      taken = true;
      return Optional.of(
          entry.isPresent() ? new Found.Dead(journal, entry.get()) : new Found.Blank(journal));
    } catch (JsonException e) {
      return Optional.of(new Found.Unreadable(name, e.getMessage()));
    } finally {
      if (!taken) {
        file.close();
      }
    }
  }

  private static Optional<Fd> open(Syscalls sys, Fd directory, OsPath name) throws ErrnoException {
    int flags = Linux.O_RDONLY | Linux.O_NOFOLLOW | Linux.O_NONBLOCK;
    try {
      return Optional.of(new Fd(sys, sys.openat(directory.number(), name, flags, 0)));
    } catch (ErrnoException e) {
      return switch (e.errno()) {
        // it has ended; it is no file of ours
        case ENOENT, ELOOP, ENXIO, EACCES -> Optional.empty();
        default -> throw e;
      };
    }
  }

  /** Whether a file is still there, and says what this user has written, or root. */
  static boolean isTrusted(Syscalls sys, Fd file) throws ErrnoException {
    int mask = Linux.STATX_BASIC_STATS;
    Statx stat = sys.statx(file.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, mask);
    return stat.isRegularFile()
        && stat.links() == 1
        && stat.uid() == sys.geteuid()
        && (stat.permissions() & OTHERS_MAY_WRITE) == 0;
  }

  private static byte[] content(Syscalls sys, Fd file) throws ErrnoException {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    ByteBuffer buffer = ByteBuffer.allocateDirect(MOST_BYTES);
    while (sys.read(file.number(), buffer.clear()) > 0) {
      byte[] some = new byte[buffer.flip().remaining()];
      buffer.get(some);
      content.writeBytes(some);
    }
    return content.toByteArray();
  }

  private static Entry read(JsonFields fields) throws JsonException {
    if (fields.number("schema") != SCHEMA) {
      throw new JsonException("it was written by another version of ovl");
    }
    OsPath destination = OsPath.of(fields.string("destination"));
    OsPath source = OsPath.of(fields.string("source"));
    if (!source.isAbsolute() || destination.isEmpty() || destination.contains('/')) {
      throw new JsonException("it names no source and destination");
    }
    return new Entry(source, fields.number("sourceDirectory"), destination);
  }

  // ---- the list -----------------------------------------------------------------------------

  /** Writes what was copied; it is not durable yet. The caller closes it. */
  Fd writeList(CopiedFiles copied, long inode) throws ErrnoException {
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_EXCL | Linux.O_NOFOLLOW;
    Fd list = new Fd(sys, sys.openat(directory.number(), list(), flags, 0600));
    try {
      write(sys, list, copied.bytes(inode));
      return list;
    } catch (ErrnoException | RuntimeException e) {
      list.close();
      throw e;
    }
  }

  /**
   * A list from disk.
   *
   * @param inode of the copy
   */
  record Listed(long inode, CopiedFiles copied) {}

  /** The list; empty where there is none, or none that this user wrote. */
  Optional<Listed> readList() throws ErrnoException {
    Optional<Fd> opened = open(sys, directory, list());
    if (opened.isEmpty()) {
      return Optional.empty();
    }
    try (Fd list = opened.get()) {
      byte[] bytes = isTrusted(sys, list) ? content(sys, list) : new byte[0];
      return bytes.length < 2 * Long.BYTES || bytes.length % Long.BYTES != 0
          ? Optional.empty()
          : Optional.of(new Listed(ByteBuffer.wrap(bytes).getLong(), CopiedFiles.of(bytes)));
    }
  }
}
