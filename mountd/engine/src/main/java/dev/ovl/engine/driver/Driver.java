package dev.ovl.engine.driver;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/**
 * Keeps layers on disk and shows them: Docker's graph driver.
 *
 * <p>A layer has an id, perhaps a parent, and content of its own: what it has that its parent has
 * not. With its ancestors it is a <em>chain</em>, nearest first. {@link #get} gives a directory
 * that shows the chain as one tree, mounted where that takes a mount; {@link #put} ends that. A
 * layer is writable until it is committed, by {@link #commit} or by a child that is made on it.
 *
 * <p>Of Docker's two interfaces, ProtoDriver and Driver, the first is here as it is. The second,
 * Diff, Changes, ApplyDiff and DiffSize, follows from two questions, so that it is the same code
 * for all drivers: {@link #view}, what a layer shows as layers or as a plain tree, between two of
 * which differences are found; and {@link #draft}, a place where content is written before anybody
 * sees it.
 *
 * <p>Every operation can be the last one of its process: then the layers are whole, and {@link
 * #recover} clears away what it left. Callers see to it that no two operations on one layer run at
 * once. All methods throw {@link EngineException} for what a caller can understand and {@link
 * ErrnoException} for a system call that failed in no foreseen way; in both cases nothing has
 * changed.
 */
public interface Driver extends AutoCloseable {

  /** Its name, which is also that of its directory under the root. */
  String name();

  // ---- the whole ----------------------------------------------------------------------------

  /** Whether the root has layers of this driver. */
  boolean isUsed() throws ErrnoException;

  /** Makes its directory where it is missing. */
  void prepare() throws ErrnoException;

  /**
   * Repairs what crashes, other tools and broken disks left, as far as that can be known.
   *
   * @param guard asked for each layer that is about to be changed
   * @return what was done, a line each, for people
   */
  List<String> recover(Guard guard) throws EngineException, ErrnoException;

  /** Keeps {@link #recover} away from layers that somebody is at work on. */
  interface Guard {
    /** Does something with a layer while nobody else does; nothing if somebody does now. */
    void ifFree(LayerId id, Step step) throws EngineException, ErrnoException;
  }

  /** What is done with a layer. What was known of it before may be otherwise by then. */
  interface Step {
    /** Does it. */
    void run() throws EngineException, ErrnoException;
  }

  /** What Docker's Status tells: names and values for people, in the order to be shown. */
  SortedMap<String, String> status() throws ErrnoException;

  /** The ids of all layers, sorted. */
  List<LayerId> layers() throws ErrnoException;

  /** Ends all its mounts that nobody uses. */
  void cleanup() throws EngineException, ErrnoException;

  // ---- a layer ------------------------------------------------------------------------------

  /** Whether there is such a layer. */
  boolean exists(LayerId id) throws ErrnoException;

  /**
   * The layer's ancestors, nearest first; empty for a base layer.
   *
   * @throws EngineException one of them is missing or cannot be known
   */
  List<LayerId> ancestors(LayerId id) throws EngineException, ErrnoException;

  /**
   * The layers that lie directly on this one, sorted. Some microseconds for each layer that there
   * is.
   */
  List<LayerId> children(LayerId id) throws EngineException, ErrnoException;

  /**
   * Makes an empty layer that is to be filled by {@link #draft} and committed.
   *
   * @param parent exists, and is committed by this
   */
  void create(LayerId id, Optional<LayerId> parent) throws EngineException, ErrnoException;

  /**
   * Makes a layer with content and commits it, at one stroke: nobody sees it before it is whole.
   *
   * @param parent exists, and is committed by this
   */
  void create(LayerId id, Optional<LayerId> parent, Writing content)
      throws EngineException, ErrnoException;

  /** Content that is to be written. */
  interface Writing {
    /**
     * Writes it.
     *
     * @param sink is finished by this
     */
    void into(TreeSink sink) throws EngineException, ErrnoException;
  }

  /** Makes an empty layer that is to be mounted and written to. */
  void createReadWrite(LayerId id, Optional<LayerId> parent) throws EngineException, ErrnoException;

  /** Whether the layer is read-only. */
  boolean isCommitted(LayerId id) throws ErrnoException;

  /** Makes the layer read-only for good; one that is so already is fine. It is not mounted. */
  void commit(LayerId id) throws EngineException, ErrnoException;

  /** Takes back a {@link #commit} of which nobody has made use yet. */
  void uncommit(LayerId id) throws EngineException, ErrnoException;

  /**
   * Removes the layer with its content; one that is gone already is fine. It is not mounted, nor
   * used.
   */
  void remove(LayerId id) throws EngineException, ErrnoException;

  /**
   * Where the layer's tree is seen; mounts it unless it is mounted or needs no mount.
   *
   * @return absolute
   */
  OsPath get(LayerId id) throws EngineException, ErrnoException;

  /** Ends what {@link #get} made; nothing to end is fine. */
  void put(LayerId id) throws EngineException, ErrnoException;

  /** Whether {@link #get} has mounted it, as the kernel says. */
  boolean isMounted(LayerId id) throws ErrnoException;

  /** Refuses a layer that somebody writes to by a mount that {@link #get} did not make. */
  void refuseUsed(LayerId id) throws EngineException, ErrnoException;

  /** Docker's GetMetadata: paths, by the names that {@code docker inspect} shows. */
  SortedMap<String, String> metadata(LayerId id) throws EngineException, ErrnoException;

  /**
   * What {@link #get} shows, as layers or as a plain tree: what differences are found by.
   *
   * @throws EngineException an ancestor is missing
   */
  View view(LayerId id) throws EngineException, ErrnoException;

  /**
   * Begins to write into a layer that is neither committed nor mounted, above what it has already.
   */
  Draft draft(LayerId id) throws EngineException, ErrnoException;

  /** Content that is being written; nobody sees it before it is kept. */
  interface Draft extends AutoCloseable {
    /** Takes the content. */
    TreeSink sink();

    /** Puts the content in the layer's place, durably, at one stroke. The sink is finished. */
    void keep() throws EngineException, ErrnoException;

    /** Throws away what was not kept. */
    @Override
    void close() throws ErrnoException;
  }

  /** Ends what this object needed; mounts stay. */
  @Override
  void close();
}
