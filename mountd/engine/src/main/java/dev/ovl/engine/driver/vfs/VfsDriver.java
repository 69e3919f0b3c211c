package dev.ovl.engine.driver.vfs;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.driver.DirectoryDraft;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerDirectories;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.LayerRecords;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.NodeReader;
import dev.ovl.engine.tree.TreeReader;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
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
 * here {@link LayerRecords} lie beside them.
 */
public final class VfsDriver implements Driver {
  /** The driver's name and its directory's under the root. */
  public static final String NAME = "vfs";

  private final Syscalls sys;
  private final Files files;
  private final OsPath home;
  private final LayerDirectories trees;
  private final LayerRecords records;

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
    this.records = new LayerRecords(sys, home, trees);
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
    files.mkdir(home.resolve("dir"), 0700);
    records.prepare();
  }

  @Override
  public List<String> recover(Guard guard) throws EngineException, ErrnoException {
    prepare();
    return records.recover(guard);
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

  @Override
  public List<LayerId> ancestors(LayerId id) throws EngineException, ErrnoException {
    return records.ancestors(id);
  }

  @Override
  public List<LayerId> children(LayerId id) throws ErrnoException {
    return records.children(id);
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
    records.make(
        id,
        parent,
        committed,
        draft -> {
          if (parent.isPresent()) {
            write(draft, sink -> copy(trees.place(parent.get()), sink));
          }
          write(draft, content);
          files.syncFileSystem(draft);
        },
        this::remove);
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
    return records.committed(id).isSet();
  }

  @Override
  public void commit(LayerId id) throws ErrnoException {
    records.committed(id).set();
  }

  @Override
  public void uncommit(LayerId id) throws ErrnoException {
    records.committed(id).clear();
  }

  @Override
  public void remove(LayerId id) throws ErrnoException {
    records.remove(id);
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
