package dev.ovl.engine.driver.vfs;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.driver.DirectoryDraft;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerDirectories;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.Marker;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.NodeReader;
import dev.ovl.engine.tree.TreeReader;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Layers as whole trees, each a copy of its parent's with its own changes: no mounts, every file
 * system, much room. Where the file system can, files share their blocks (reflink).
 *
 * <p>{@code <root>/vfs/dir/<id>} is the tree, as Docker has it. Docker keeps parents elsewhere;
 * here {@code layers/<id>} has the ancestors, nearest first, a line each, and {@code
 * committed/<id>} says that a layer is read-only.
 */
public final class VfsDriver implements Driver {
  /** The driver's name and its directory's under the root. */
  public static final String NAME = "vfs";

  private final Syscalls sys;
  private final Files files;
  private final OsPath home;
  private final LayerDirectories trees;

  /**
   * Touches nothing yet.
   *
   * @param root the root directory
   */
  public VfsDriver(Syscalls sys, OsPath root) {
    this.sys = sys;
    this.files = new Files(sys);
    this.home = root.resolve(NAME);
    this.trees = new LayerDirectories(sys, home.resolve("dir"));
  }

  @Override
  public String name() {
    return NAME;
  }

  // ---- the whole ----------------------------------------------------------------------------

  @Override
  public boolean isUsed() throws ErrnoException {
    return !trees.list().isEmpty();
  }

  @Override
  public void prepare() throws ErrnoException {
    files.mkdirs(home, 0710);
    for (String directory : List.of("dir", "layers", "committed")) {
      files.mkdir(home.resolve(directory), 0700);
    }
  }

  @Override
  public List<String> recover(Guard guard) throws EngineException, ErrnoException {
    prepare();
    List<String> done = new ArrayList<>();
    for (OsPath rubbish : trees.sweep()) {
      done.add("removed " + rubbish.quoted() + ", which was not whole any more, or not yet");
    }
    for (String directory : List.of("layers", "committed")) {
      for (OsPath name : files.list(home.resolve(directory))) {
        String text = name.toString();
        int start = text.startsWith(Files.TEMPORARY_PREFIX) ? Files.TEMPORARY_PREFIX.length() : 0;
        Optional<LayerId> id = LayerId.parse(text.substring(start));
        if (id.isPresent() && !trees.exists(id.get())) {
          guard.ifFree(id.get(), () -> removeUnlessOfLayer(id.get(), directory, name));
        }
      }
    }
    for (LayerId id : trees.list()) {
      try {
        commitParent(id, guard, done);
      } catch (EngineException e) {
        if (trees.exists(id)) {
          done.add(e.getMessage());
        }
      }
    }
    return done;
  }

  private void removeUnlessOfLayer(LayerId id, String directory, OsPath name)
      throws ErrnoException {
    if (!trees.exists(id)) {
      files.remove(home.resolve(directory).resolve(name));
    }
  }

  private void commitParent(LayerId id, Guard guard, List<String> done)
      throws EngineException, ErrnoException {
    Optional<LayerId> parent = parent(id);
    if (parent.isPresent() && !isCommitted(parent.get())) {
      guard.ifFree(
          parent.get(),
          () -> {
            if (parent(id).equals(parent) && trees.exists(parent.get())) {
              commit(parent.get());
              done.add(
                  "layer "
                      + parent.get()
                      + ": marked as read-only, since layer "
                      + id
                      + " lies on it");
            }
          });
    }
  }

  private Optional<LayerId> parent(LayerId id) throws EngineException, ErrnoException {
    return ancestors(id).stream().findFirst();
  }

  @Override
  public SortedMap<String, String> status() throws ErrnoException {
    return new TreeMap<>(Map.of("Layers", String.valueOf(trees.list().size())));
  }

  @Override
  public List<LayerId> layers() throws ErrnoException {
    return trees.list();
  }

  @Override
  public void cleanup() {
    // nothing is ever mounted
  }

  // ---- a layer ------------------------------------------------------------------------------

  @Override
  public boolean exists(LayerId id) throws ErrnoException {
    return trees.exists(id);
  }

  private OsPath ancestorsFile(LayerId id) {
    return home.resolve("layers").resolve(id.text());
  }

  private Marker committed(LayerId id) {
    return new Marker(sys, committedFile(id));
  }

  private OsPath committedFile(LayerId id) {
    return home.resolve("committed").resolve(id.text());
  }

  private List<String> ancestorLines(LayerId id) throws ErrnoException {
    return files
        .read(ancestorsFile(id))
        .map(bytes -> new String(bytes, StandardCharsets.US_ASCII))
        .orElse("")
        .lines()
        .toList();
  }

  @Override
  public List<LayerId> ancestors(LayerId id) throws EngineException, ErrnoException {
    List<LayerId> ancestors = new ArrayList<>();
    for (String line : ancestorLines(id)) {
      LayerId ancestor = LayerId.of(line);
      if (!trees.exists(ancestor)) {
        throw EngineException.failed(
            "layer " + id + " was made on " + ancestor + ", which is gone", Errno.ENOENT);
      }
      ancestors.add(ancestor);
    }
    return ancestors;
  }

  @Override
  public List<LayerId> children(LayerId id) throws ErrnoException {
    List<LayerId> children = new ArrayList<>();
    for (LayerId other : trees.list()) {
      if (ancestorLines(other).stream().findFirst().filter(id.text()::equals).isPresent()) {
        children.add(other);
      }
    }
    return children;
  }

  @Override
  public void create(LayerId id, Optional<LayerId> parent) throws EngineException, ErrnoException {
    createReadWrite(id, parent);
  }

  @Override
  public void createReadWrite(LayerId id, Optional<LayerId> parent)
      throws EngineException, ErrnoException {
    make(id, parent, TreeSink::finish, false);
  }

  @Override
  public void create(LayerId id, Optional<LayerId> parent, Writing content)
      throws EngineException, ErrnoException {
    make(id, parent, content, true);
  }

  private void make(LayerId id, Optional<LayerId> parent, Writing content, boolean committed)
      throws EngineException, ErrnoException {
    try {
      trees.make(
          id,
          0755,
          draft -> {
            if (parent.isPresent()) {
              writeAncestors(id, parent.get());
              write(draft, sink -> copy(trees.place(parent.get()), sink));
            }
            write(draft, content);
            files.syncFileSystem(draft);
            if (committed) {
              commit(id);
            }
          });
      if (parent.isPresent()) {
        commit(parent.get());
      }
    } catch (EngineException | ErrnoException | RuntimeException failure) {
      try {
        remove(id);
      } catch (ErrnoException | RuntimeException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }

  private void writeAncestors(LayerId id, LayerId parent) throws EngineException, ErrnoException {
    StringBuilder lines = new StringBuilder();
    lines.append(parent).append('\n');
    ancestors(parent).forEach(ancestor -> lines.append(ancestor).append('\n'));
    files.replace(ancestorsFile(id), lines.toString().getBytes(StandardCharsets.US_ASCII), 0600);
  }

  private void write(OsPath tree, Writing content) throws EngineException, ErrnoException {
    try (TreeWriter writer =
        new TreeWriter(sys, tree, LayerForm.PLAIN, TreeWriter.Parents.UNKNOWN)) {
      content.into(writer);
    }
  }

  private void copy(OsPath from, TreeSink to) throws EngineException, ErrnoException {
    NodeReader nodes = new NodeReader(sys, NodeReader.XattrFilter.ALL);
    new TreeReader(sys, nodes).read(from, to, () -> false);
    to.finish();
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

  @Override
  public void remove(LayerId id) throws ErrnoException {
    trees.remove(id);
    for (OsPath file : List.of(ancestorsFile(id), committedFile(id))) {
      files.remove(Files.temporary(file));
      files.remove(file);
    }
  }

  @Override
  public OsPath get(LayerId id) {
    return trees.place(id);
  }

  @Override
  public void put(LayerId id) {
    // nothing was mounted
  }

  @Override
  public boolean isMounted(LayerId id) {
    return false;
  }

  @Override
  public void refuseUsed(LayerId id) {
    // nothing tells who writes into a plain directory
  }

  @Override
  public SortedMap<String, String> metadata(LayerId id) {
    return new TreeMap<>(Map.of("Dir", trees.place(id).toString()));
  }

  @Override
  public View view(LayerId id) {
    return new View.Plain(trees.place(id));
  }

  @Override
  public Draft draft(LayerId id) throws EngineException, ErrnoException {
    return DirectoryDraft.begin(sys, trees.place(id), LayerForm.PLAIN, TreeWriter.Parents.UNKNOWN);
  }

  @Override
  public void close() {
    // nothing is kept
  }
}
