package dev.ovl.engine.driver.overlay2;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.RandomBytes;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The directory of the overlay2 driver, {@code <root>/overlay2}, laid out as Docker lays it out: a
 * directory a layer ({@code diff link lower work merged}) and {@code l/} with the short links.
 *
 * <p>Callers hold the lock of the stack that a layer belongs to.
 */
public final class Overlay2Home {
  /** The driver's name and its directory's under the root. */
  public static final String NAME = "overlay2";

  private static final int ID_DIGITS = 64;
  private static final Pattern ID = Pattern.compile("[0-9a-f]{" + ID_DIGITS + "}");
  private static final String REMOVING = "-removing";

  private final Syscalls sys;
  private final Files files;
  private final RandomBytes random;
  private final OsPath directory;
  private final ShortLinks links;

  /**
   * @param sys what to call
   * @param root the root directory
   */
  public Overlay2Home(Syscalls sys, OsPath root) {
    this.sys = sys;
    this.files = new Files(sys);
    this.random = new RandomBytes(sys);
    this.directory = root.resolve(NAME);
    this.links = new ShortLinks(sys, directory);
  }

  /** {@code <root>/overlay2}. */
  public OsPath directory() {
    return directory;
  }

  /** The short links. */
  public ShortLinks links() {
    return links;
  }

  /** Makes the home and its link directory where they are missing. */
  public void prepare() throws ErrnoException {
    files.mkdirs(directory, 0710);
    files.mkdir(directory.resolve(ShortLinks.DIRECTORY_NAME), 0700);
  }

  /** An id that no layer has; nothing is made. */
  public String unusedId() throws ErrnoException {
    return random.hex(ID_DIGITS);
  }

  /** The layer's content, which is the upper directory of its mount. */
  public OsPath diff(String id) {
    return directory.resolve(id).resolve("diff");
  }

  /** The work directory of the layer's mount. */
  public OsPath work(String id) {
    return directory.resolve(id).resolve("work");
  }

  /** Where the layer is mounted unless told otherwise; exists only while it is. */
  public OsPath merged(String id) {
    return directory.resolve(id).resolve("merged");
  }

  /**
   * Makes an empty read-write layer.
   *
   * @param id from {@link #unusedId}
   * @param link from {@link ShortLinks#unusedName}
   * @param lowerLinks the links of what lies below it, nearest first; written to {@code lower}
   * @param rootOf whose permissions and owner the layer's root directory takes: a mount shows the
   *     upper's
   * @return false when the link's name is taken; the caller removes what was made
   */
  public boolean create(String id, String link, List<String> lowerLinks, Statx rootOf)
      throws ErrnoException {
    OsPath layer = directory.resolve(id);
    files.mkdir(layer, 0710);
    OsPath diff = diff(id);
    files.mkdir(diff, 0755);
    sys.fchownat(Linux.AT_FDCWD, diff, rootOf.uid(), rootOf.gid(), Linux.AT_SYMLINK_NOFOLLOW);
    sys.fchmodat(Linux.AT_FDCWD, diff, rootOf.permissions());
    files.mkdir(work(id), 0700);
    if (!links.make(link, linkTarget(id))) {
      return false;
    }
    writeText(layer.resolve("link"), link);
    writeLower(id, lowerLinks);
    files.sync(directory);
    return true;
  }

  /** Writes the layer's {@code lower} file. */
  public void writeLower(String id, List<String> lowerLinks) throws ErrnoException {
    if (!lowerLinks.isEmpty()) {
      writeText(
          directory.resolve(id).resolve("lower"),
          lowerLinks.stream()
              .map(name -> ShortLinks.relative(name).toString())
              .collect(Collectors.joining(":")));
    }
  }

  /** Removes what a crash left of writing a layer's files. */
  public void sweep(String id) throws ErrnoException {
    OsPath layer = directory.resolve(id);
    files.remove(Files.temporary(layer.resolve("link")));
    files.remove(Files.temporary(layer.resolve("lower")));
  }

  /** What the layer's link points to. */
  public static OsPath linkTarget(String id) {
    return OsPath.of("../" + id + "/diff");
  }

  /** Not waited for: a stack's definition has the links, too. */
  private void writeText(OsPath path, String text) throws ErrnoException {
    files.replaceVolatile(path, text.getBytes(StandardCharsets.US_ASCII), 0644);
  }

  /** The ids of the layers on disk, half removed ones included, sorted. */
  public List<String> layers() throws ErrnoException {
    return files.list(directory).stream()
        .map(OsPath::toString)
        .map(
            name ->
                name.endsWith(REMOVING)
                    ? name.substring(0, name.length() - REMOVING.length())
                    : name)
        .filter(name -> ID.matcher(name).matches())
        .distinct()
        .toList();
  }

  /** Where the layer is on disk: its directory, or what is left of it under another name. */
  public Optional<OsPath> find(String id) throws ErrnoException {
    for (String name : List.of(id, id + REMOVING)) {
      if (files.lstat(directory.resolve(name)).isPresent()) {
        return Optional.of(directory.resolve(name));
      }
    }
    return Optional.empty();
  }

  /**
   * Removes a layer's directory with all its content; one that is gone already is fine. It is
   * renamed first, so that a crash leaves rubbish that is recognised, never half a layer.
   *
   * @throws ErrnoException EBUSY, EXDEV: something is mounted in it, and stays
   */
  public void remove(String id) throws ErrnoException {
    OsPath layer = directory.resolve(id);
    OsPath removing = directory.resolve(id + REMOVING);
    if (files.lstat(layer).isPresent()) {
      files.rmdir(merged(id));
      files.rename(layer, removing);
    }
    files.removeTree(removing);
  }
}
