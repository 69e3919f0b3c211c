package dev.ovl.engine.driver.overlay2;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.LayerDirectories;
import dev.ovl.engine.driver.LayerHome;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.Marker;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.RandomBytes;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The directory of the overlay2 driver, {@code <root>/overlay2}, laid out as Docker lays it out: a
 * directory a layer ({@code diff link lower work merged committed}) and {@code l/} with the short
 * links. Docker does not know {@code stack}, a symbolic link to its stack's name in a stack's own
 * layer.
 */
public final class Overlay2Home implements LayerHome {
  /** The driver's name and its directory's under the root. */
  public static final String NAME = "overlay2";

  /** The file by which a stack's own layer tells that it is so. */
  private static final String OWNER = "stack";

  private static final Pattern LINK_TARGET = Pattern.compile("\\.\\./([^/]+)/diff");

  private final Syscalls sys;
  private final Files files;
  private final RandomBytes random;
  private final OsPath directory;
  private final LayerDirectories layers;
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
    this.layers = new LayerDirectories(sys, directory);
    this.links = new ShortLinks(sys, directory);
  }

  @Override
  public String driver() {
    return NAME;
  }

  @Override
  public OsPath directory() {
    return directory;
  }

  /** The short links. */
  public ShortLinks links() {
    return links;
  }

  @Override
  public void prepare() throws ErrnoException {
    files.mkdirs(directory, 0710);
    files.mkdir(directory.resolve(ShortLinks.DIRECTORY_NAME), 0700);
  }

  @Override
  public LayerId unusedId() throws ErrnoException {
    return LayerId.random(random);
  }

  // ---- places -------------------------------------------------------------------------------

  @Override
  public OsPath place(LayerId id) {
    return layers.place(id);
  }

  @Override
  public OsPath diff(LayerId id) {
    return place(id).resolve("diff");
  }

  @Override
  public Optional<OsPath> work(LayerId id) {
    return Optional.of(workDirectory(id));
  }

  OsPath workDirectory(LayerId id) {
    return place(id).resolve("work");
  }

  /** {@code merged}, which exists only while the layer is mounted there. */
  @Override
  public OsPath mountPoint(LayerId id) {
    return place(id).resolve("merged");
  }

  // ---- what there is ------------------------------------------------------------------------

  @Override
  public List<LayerId> layers() throws ErrnoException {
    return layers.list();
  }

  @Override
  public boolean exists(LayerId id) throws ErrnoException {
    return layers.exists(id);
  }

  /** The name of the layer's short link; empty when its file is lost or makes no sense. */
  public Optional<String> link(LayerId id) throws ErrnoException {
    return linkText(id).filter(ShortLinks::isName);
  }

  /** What the layer's {@code link} file says, sense or not; empty when it is lost. */
  Optional<String> linkText(LayerId id) throws ErrnoException {
    return text(linkFile(id));
  }

  private OsPath linkFile(LayerId id) {
    return place(id).resolve("link");
  }

  private Optional<String> text(OsPath path) throws ErrnoException {
    return files.read(path).map(bytes -> new String(bytes, StandardCharsets.ISO_8859_1));
  }

  /** The links of what lies below the layer, nearest first; none when nothing does. */
  public List<String> lowerLinks(LayerId id) throws ErrnoException {
    String lower = text(place(id).resolve("lower")).orElse("");
    String prefix = ShortLinks.DIRECTORY_NAME + "/";
    List<String> names = new ArrayList<>();
    for (String word : lower.split(":")) {
      if (word.startsWith(prefix)) {
        names.add(word.substring(prefix.length()));
      }
    }
    return names;
  }

  /**
   * A directory that lies below a layer.
   *
   * @param link the name of its short link
   * @param directory absolute
   * @param layer whose content it is; empty for a plain directory, as stacks have them
   */
  public record Below(String link, OsPath directory, Optional<LayerId> layer) {}

  /**
   * What lies below the layer, nearest first.
   *
   * @throws EngineException a link is missing
   */
  public List<Below> below(LayerId id) throws EngineException, ErrnoException {
    List<Below> below = new ArrayList<>();
    for (String link : lowerLinks(id)) {
      OsPath target =
          links
              .target(link)
              .orElseThrow(
                  () ->
                      EngineException.failed(
                          "layer "
                              + id
                              + " lies on "
                              + link
                              + ", a link that is lost: try 'layer cleanup'",
                          Errno.ENOENT));
      Optional<LayerId> layer = layerOf(target);
      below.add(new Below(link, layer.map(this::diff).orElse(target), layer));
    }
    return below;
  }

  /** The layer that a link with this target is for; empty when it is for a plain directory. */
  static Optional<LayerId> layerOf(OsPath target) {
    Matcher form = LINK_TARGET.matcher(target.toString());
    return form.matches() ? LayerId.parse(form.group(1)) : Optional.empty();
  }

  /** What the layer's link points to. */
  public static OsPath linkTarget(LayerId id) {
    return OsPath.of("../" + id + "/diff");
  }

  // ---- making and removing ------------------------------------------------------------------

  /**
   * Makes a layer.
   *
   * @param id that no layer has
   * @param link from {@link ShortLinks#unusedName}
   * @param lowerLinks the links of what lies below it, nearest first; written to {@code lower}
   * @param rootOf whose permissions and owner the layer's root directory takes, since a mount shows
   *     the upper's; absent: 0755, and this process's
   * @param durable whether the disk is waited for: not for a stack's layer, since the definition
   *     has the links, too
   * @param content writes what else is to be there from the beginning
   * @return false when the link's name is taken; nothing is made then
   */
  public boolean create(
      LayerId id,
      String link,
      List<String> lowerLinks,
      Optional<Statx> rootOf,
      boolean durable,
      LayerDirectories.Filling content)
      throws EngineException, ErrnoException {
    layers.make(
        id,
        0710,
        draft -> {
          fill(draft, link, lowerLinks, rootOf, durable);
          content.fill(draft);
        });
    if (links.make(link, linkTarget(id))
        || links.target(link).equals(Optional.of(linkTarget(id)))) {
      return true;
    }
    remove(id);
    return false;
  }

  private void fill(
      OsPath draft, String link, List<String> lowerLinks, Optional<Statx> rootOf, boolean durable)
      throws ErrnoException {
    OsPath diff = draft.resolve("diff");
    files.mkdir(diff, 0755);
    if (rootOf.isPresent()) {
      files.setOwnerAndMode(diff, rootOf.get());
    }
    files.create(draft.resolve("link"), ascii(link), 0644, durable);
    if (!lowerLinks.isEmpty()) {
      files.mkdir(draft.resolve("work"), 0700);
      files.create(draft.resolve("lower"), lowerText(lowerLinks), 0644, durable);
    }
  }

  /** Writes the layer's {@code lower} file anew. */
  public void writeLower(LayerId id, List<String> lowerLinks) throws ErrnoException {
    files.replace(place(id).resolve("lower"), lowerText(lowerLinks), 0644);
  }

  private static byte[] lowerText(List<String> links) {
    return ascii(
        links.stream()
            .map(name -> ShortLinks.relative(name).toString())
            .collect(Collectors.joining(":")));
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Writes the layer's {@code link} file anew.
   *
   * @param before what it says, empty where it is lost: when it says something else by now nothing
   *     is written
   * @return whether it was written
   */
  boolean writeLink(LayerId id, String link, Optional<String> before) throws ErrnoException {
    OsPath file = linkFile(id);
    if (before.isEmpty()) {
      return files.createWhole(file, ascii(link), 0644);
    }
    if (!text(file).equals(before)) {
      return false;
    }
    files.replace(file, ascii(link), 0644);
    return true;
  }

  @Override
  public boolean isCommitted(LayerId id) throws ErrnoException {
    return committed(id).isSet();
  }

  @Override
  public void commit(LayerId id) throws ErrnoException {
    committed(id).set();
  }

  @Override
  public void uncommit(LayerId id) throws ErrnoException {
    committed(id).clear();
  }

  private Marker committed(LayerId id) {
    return new Marker(sys, place(id).resolve("committed"));
  }

  /**
   * Notes whose own a layer is that is being made, by a symbolic link beside its content: unlike a
   * file's, its text is as durable as the directory that it is in.
   *
   * @param draft from {@link LayerDirectories.Filling}
   */
  public void noteOwner(OsPath draft, OsPath owner) throws ErrnoException {
    sys.symlinkat(owner, Linux.AT_FDCWD, draft.resolve(OWNER));
  }

  /** Gives the root directory of a layer that is being made another owner. */
  public void giveTo(OsPath draft, int uid, int gid) throws ErrnoException {
    sys.fchownat(Linux.AT_FDCWD, draft.resolve("diff"), uid, gid, Linux.AT_SYMLINK_NOFOLLOW);
  }

  @Override
  public Optional<OsPath> owner(LayerId id) throws ErrnoException {
    return files.readLink(place(id).resolve(OWNER));
  }

  @Override
  public void remove(LayerId id) throws ErrnoException {
    if (exists(id)) {
      files.rmdir(mountPoint(id));
      Optional<String> link = link(id);
      if (link.isPresent() && links.target(link.get()).equals(Optional.of(linkTarget(id)))) {
        links.remove(link.get());
      }
    }
    layers.remove(id);
  }

  @Override
  public void sweep(LayerId id) throws ErrnoException {
    for (String file : List.of("link", "lower", "committed")) {
      files.remove(Files.temporary(place(id).resolve(file)));
    }
  }

  @Override
  public List<OsPath> sweep() throws ErrnoException {
    return layers.sweep();
  }

  @Override
  public List<OsPath> rubbish() throws ErrnoException {
    return layers.rubbish();
  }
}
