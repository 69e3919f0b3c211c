package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.json.JsonException;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The definitions under {@code <root>/stacks}, one file each, replaced as a whole.
 *
 * <p>A file that cannot be read as a definition is reported by name and left alone; the others are
 * not touched by it. Who changes a definition holds its stack's lock.
 */
final class StackStore {
  private static final String SUFFIX = ".json";
  private static final String LOCK_SUFFIX = ".lock";

  private final Files files;
  private final OsPath directory;
  private final StackFile format;
  private final Map<StackName, Cached> cache = new ConcurrentHashMap<>();

  /** A definition as it was read from the very file that {@code identity} describes. */
  private record Cached(Statx identity, StackDefinition stack) {}

  StackStore(Syscalls sys, OsPath root, LayerHomes homes) {
    this.files = new Files(sys);
    this.format = new StackFile(homes);
    this.directory = root.resolve("stacks");
  }

  void prepare() throws ErrnoException {
    files.mkdirs(directory, 0700);
  }

  /** Where the definition of a stack is, if there is one. */
  OsPath file(StackName name) {
    return directory.resolve(name + SUFFIX);
  }

  /**
   * The stack's definition; empty when there is none.
   *
   * @throws EngineException the file is corrupt, or a newer version's
   */
  Optional<StackDefinition> find(StackName name) throws EngineException, ErrnoException {
    OsPath file = file(name);
    Optional<Statx> now = files.lstat(file);
    if (now.isEmpty()) {
      cache.remove(name);
      return Optional.empty();
    }
    Cached known = cache.get(name);
    if (known != null && isSameContent(known.identity(), now.get())) {
      return Optional.of(known.stack());
    }
    Optional<byte[]> text = files.read(file);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    try {
      StackDefinition stack = format.read(text.get());
      if (!stack.name().equals(name)) {
        throw new JsonException("it defines " + OsPath.quoted(stack.name().text()));
      }
      cache.put(name, new Cached(now.get(), stack));
      return Optional.of(stack);
    } catch (JsonException e) {
      throw EngineException.failed(
          "the definition " + file.quoted() + " cannot be read: " + e.getMessage());
    }
  }

  /** A definition is only ever replaced, by a new inode with a new change time. */
  private static boolean isSameContent(Statx one, Statx other) {
    return one.sameFile(other)
        && one.size() == other.size()
        && one.changed().equals(other.changed())
        && one.modified().equals(other.modified());
  }

  /** True when there is a definition, readable or not. */
  boolean exists(StackName name) throws ErrnoException {
    return files.lstat(file(name)).isPresent();
  }

  /**
   * As {@link #find}, but one that cannot be read is absent: it owns nothing that could be told.
   */
  Optional<StackDefinition> findReadable(StackName name) throws ErrnoException {
    try {
      return find(name);
    } catch (EngineException e) {
      return Optional.empty();
    }
  }

  void write(StackDefinition stack) throws ErrnoException {
    files.replace(file(stack.name()), format.write(stack), 0600);
  }

  void delete(StackName name) throws ErrnoException {
    files.remove(file(name));
    files.sync(directory);
    cache.remove(name);
  }

  /** The file that is locked while a stack is worked on. */
  OsPath lockFile(StackName name) {
    return directory.resolve("." + name + LOCK_SUFFIX);
  }

  /** Stacks that have a lock file and no definition: their creation died before it began. */
  List<StackName> strayLocks() throws ErrnoException {
    List<OsPath> entries = files.list(directory);
    Set<OsPath> present = new HashSet<>(entries);
    List<StackName> names = new ArrayList<>();
    for (OsPath entry : entries) {
      String text = entry.toString();
      if (text.startsWith(".") && text.endsWith(LOCK_SUFFIX)) {
        Optional<StackName> name =
            StackName.parse(text.substring(1, text.length() - LOCK_SUFFIX.length()));
        name.filter(n -> !present.contains(file(n).fileName())).ifPresent(names::add);
      }
    }
    return names;
  }

  /** Removes what a crash left of writing this definition. */
  void sweep(StackName name) throws ErrnoException {
    files.remove(Files.temporary(file(name)));
  }

  /** The names that have a definition, readable or not, sorted. */
  List<StackName> names() throws ErrnoException {
    List<StackName> names = new ArrayList<>();
    for (OsPath entry : files.list(directory)) {
      String text = entry.toString();
      if (text.endsWith(SUFFIX)) {
        StackName.parse(text.substring(0, text.length() - SUFFIX.length())).ifPresent(names::add);
      }
    }
    names.sort(null);
    return names;
  }
}
