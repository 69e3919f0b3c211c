package dev.ovl.engine.driver.vfs;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.driver.DirectoryDraft;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerDirectories;
import dev.ovl.engine.driver.LayerId;
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

  private static final byte[] NOTHING = {};

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
  public List<String> recover() throws ErrnoException {
    prepare();
    List<String> done = new ArrayList<>();
    for (OsPath rubbish : trees.sweep()) {
      done.add("removed " + rubbish.quoted() + ", which was not whole any more, or not yet");
    }
    for (String directory : List.of("layers", "committed")) {
      for (OsPath name : files.list(home.resolve(directory))) {
        Optional<LayerId> id = LayerId.parse(name.toString());
        if (id.isPresent() && !trees.exists(id.get())) {
          files.remove(home.resolve(directory).resolve(name));
        }
      }
    }
    return done;
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

  private OsPath committedFile(LayerId id) {
    return home.resolve("committed").resolve(id.text());
  }

  @Override
  public List<LayerId> ancestors(LayerId id) throws EngineException, ErrnoException {
    List<LayerId> ancestors = new ArrayList<>();
    String text =
        files
            .read(ancestorsFile(id))
            .map(bytes -> new String(bytes, StandardCharsets.US_ASCII))
            .orElse("");
    for (String line : text.lines().toList()) {
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
  public void create(LayerId id, Optional<LayerId> parent) throws EngineException, ErrnoException {
    createReadWrite(id, parent);
  }

  @Override
  public void createReadWrite(LayerId id, Optional<LayerId> parent)
      throws EngineException, ErrnoException {
    makeOrTakeBack(id, parent, TreeSink::finish, false);
  }

  @Override
  public void create(LayerId id, Optional<LayerId> parent, Writing content)
      throws EngineException, ErrnoException {
    makeOrTakeBack(id, parent, content, true);
  }

  private void makeOrTakeBack(
      LayerId id, Optional<LayerId> parent, Writing content, boolean committed)
      throws EngineException, ErrnoException {
    try {
      if (committed) {
        commit(id);
      }
      make(id, parent, content);
    } catch (EngineException | ErrnoException | RuntimeException failure) {
      try {
        remove(id);
      } catch (ErrnoException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }

  private void make(LayerId id, Optional<LayerId> parent, Writing content)
      throws EngineException, ErrnoException {
    List<LayerId> ancestors = new ArrayList<>();
    if (parent.isPresent()) {
      ancestors.add(parent.get());
      ancestors.addAll(ancestors(parent.get()));
      commit(parent.get());
      StringBuilder lines = new StringBuilder();
      ancestors.forEach(ancestor -> lines.append(ancestor).append('\n'));
      files.replace(ancestorsFile(id), lines.toString().getBytes(StandardCharsets.US_ASCII), 0600);
    }
    trees.make(
        id,
        0755,
        draft -> {
          if (parent.isPresent()) {
            write(draft, sink -> copy(trees.place(parent.get()), sink));
          }
          write(draft, content);
          files.syncFileSystem(draft);
        });
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
    return files.lstat(committedFile(id)).isPresent();
  }

  @Override
  public void commit(LayerId id) throws ErrnoException {
    if (!isCommitted(id)) {
      files.replace(committedFile(id), NOTHING, 0600);
    }
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
