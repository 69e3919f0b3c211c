package dev.ovl.engine.driver;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;

/**
 * Where a driver keeps its layers, for those who have layers of their own there, beside those that
 * the driver itself makes: stacks.
 *
 * <p>Callers see to it that no two operations on one layer run at once.
 */
public interface LayerHome {
  /** The driver's name. */
  String driver();

  /** {@code <root>/<driver>}. */
  OsPath directory();

  /** Makes the directories where they are missing. */
  void prepare() throws ErrnoException;

  /** An id that no layer has; nothing is made. */
  LayerId unusedId() throws ErrnoException;

  // ---- places -------------------------------------------------------------------------------

  /** What is named by the layer's id: all that is the layer's, or its content. */
  OsPath place(LayerId id);

  /** The layer's content, which is the upper of its mount. */
  OsPath diff(LayerId id);

  /** The work directory of the layer's mount; empty where the file system needs none. */
  Optional<OsPath> work(LayerId id);

  /** Where the layer is mounted unless told otherwise. */
  OsPath mountPoint(LayerId id);

  // ---- what there is ------------------------------------------------------------------------

  /** The ids of the layers, sorted. */
  List<LayerId> layers() throws ErrnoException;

  /** Whether there is such a layer. */
  boolean exists(LayerId id) throws ErrnoException;

  /** Who was noted as the layer's owner; empty for nobody's. */
  Optional<OsPath> owner(LayerId id) throws ErrnoException;

  /** Whether the layer is read-only. */
  boolean isCommitted(LayerId id) throws ErrnoException;

  // ---- changing it --------------------------------------------------------------------------

  /** Makes the layer read-only for good. */
  void commit(LayerId id) throws ErrnoException;

  /** Takes back {@link #commit}. */
  void uncommit(LayerId id) throws ErrnoException;

  /**
   * Removes a layer with all its content; one that is gone already is fine.
   *
   * @throws ErrnoException EBUSY, EXDEV: something is mounted in it, and stays
   */
  void remove(LayerId id) throws ErrnoException;

  /** Removes what a crash left of writing a layer's files. */
  void sweep(LayerId id) throws ErrnoException;

  /**
   * Removes what crashes left of layers that were being made or removed, and leaves alone those of
   * operations under way.
   *
   * @return what was removed
   */
  List<OsPath> sweep() throws ErrnoException;

  /** What {@link #sweep()} would remove. */
  List<OsPath> rubbish() throws ErrnoException;
}
