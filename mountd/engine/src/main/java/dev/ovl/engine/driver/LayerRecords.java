package dev.ovl.engine.driver;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Layers that are bare directories, with what is known of them: {@code layers/<id>} has the
 * ancestors, nearest first, a line each, as Docker's aufs driver keeps them; {@code committed/<id>}
 * says that a layer is read-only, {@code owners/<id>}, a symbolic link, whose own it is. A record
 * without a layer says nothing.
 */
public final class LayerRecords {
  private static final String ANCESTORS = "layers";
  private static final String COMMITTED = "committed";
  private static final String OWNERS = "owners";
  private static final List<String> ALL = List.of(ANCESTORS, COMMITTED, OWNERS);
  private static final int PERMISSIONS = 0644;
  private static final int PERMISSIONS_OF_LAYER = 0755;

  private final Syscalls sys;
  private final Files files;
  private final OsPath home;
  private final LayerDirectories layers;

  /**
   * @param home that holds the records' directories
   * @param layers that they are of
   */
  public LayerRecords(Syscalls sys, OsPath home, LayerDirectories layers) {
    this.sys = sys;
    this.files = new Files(sys);
    this.home = home;
    this.layers = layers;
  }

  /** Makes the directories where they are missing. */
  public void prepare() throws ErrnoException {
    files.mkdir(home.resolve(ANCESTORS), 0700);
    files.mkdir(home.resolve(COMMITTED), 0700);
  }

  // ---- ancestors ----------------------------------------------------------------------------

  private OsPath ancestorsFile(LayerId id) {
    return home.resolve(ANCESTORS).resolve(id.text());
  }

  private List<String> ancestorLines(LayerId id) throws ErrnoException {
    return files
        .read(ancestorsFile(id))
        .map(bytes -> new String(bytes, StandardCharsets.US_ASCII))
        .orElse("")
        .lines()
        .toList();
  }

  /**
   * The layer's ancestors, nearest first.
   *
   * @throws EngineException one of them is gone
   */
  public List<LayerId> ancestors(LayerId id) throws EngineException, ErrnoException {
    List<LayerId> ancestors = new ArrayList<>();
    for (String line : ancestorLines(id)) {
      LayerId ancestor = LayerId.of(line);
      if (!layers.exists(ancestor)) {
        throw EngineException.failed(
            "layer " + id + " was made on " + ancestor + ", which is gone", Errno.ENOENT);
      }
      ancestors.add(ancestor);
    }
    return ancestors;
  }

  /** The layers that lie directly on this one. */
  public List<LayerId> children(LayerId id) throws ErrnoException {
    List<LayerId> children = new ArrayList<>();
    for (LayerId other : layers.list()) {
      if (ancestorLines(other).stream().findFirst().filter(id.text()::equals).isPresent()) {
        children.add(other);
      }
    }
    return children;
  }

  private void writeAncestors(LayerId id, Optional<LayerId> parent)
      throws EngineException, ErrnoException {
    StringBuilder lines = new StringBuilder();
    if (parent.isPresent()) {
      lines.append(parent.get()).append('\n');
      ancestors(parent.get()).forEach(ancestor -> lines.append(ancestor).append('\n'));
    }
    files.replace(
        ancestorsFile(id), lines.toString().getBytes(StandardCharsets.US_ASCII), PERMISSIONS);
  }

  // ---- committed ----------------------------------------------------------------------------

  private OsPath committedFile(LayerId id) {
    return home.resolve(COMMITTED).resolve(id.text());
  }

  /** Says whether the layer is read-only. */
  public Marker committed(LayerId id) {
    return new Marker(sys, committedFile(id));
  }

  // ---- owners -------------------------------------------------------------------------------

  private OsPath ownerFile(LayerId id) {
    return home.resolve(OWNERS).resolve(id.text());
  }

  /** Notes whose own a layer is that is being made, until it is removed. */
  public void noteOwner(LayerId id, OsPath owner) throws ErrnoException {
    files.mkdir(home.resolve(OWNERS), 0700);
    files.remove(ownerFile(id));
    files.symlink(owner, ownerFile(id));
  }

  /** Who was noted as the layer's owner; empty for nobody's. */
  public Optional<OsPath> owner(LayerId id) throws ErrnoException {
    return files.readLink(ownerFile(id));
  }

  // ---- making, removing ---------------------------------------------------------------------

  /** Removes a layer with all that its driver keeps of it; what is gone already is fine. */
  public interface Removal {
    void remove(LayerId id) throws ErrnoException;
  }

  /**
   * Makes a layer and its records; its parent is read-only from then on.
   *
   * @param committed whether the layer is read-only from the beginning
   * @param filling writes the layer's content, durably
   * @param undo called when it fails
   */
  public void make(
      LayerId id,
      Optional<LayerId> parent,
      boolean committed,
      LayerDirectories.Filling filling,
      Removal undo)
      throws EngineException, ErrnoException {
    try {
      layers.make(
          id,
          PERMISSIONS_OF_LAYER,
          draft -> {
            writeAncestors(id, parent);
            filling.fill(draft);
            if (committed) {
              committed(id).set();
            }
          });
      if (parent.isPresent()) {
        committed(parent.get()).set();
      }
    } catch (EngineException | ErrnoException | RuntimeException failure) {
      try {
        undo.remove(id);
      } catch (ErrnoException | RuntimeException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }

  /** Removes a layer, and then what is known of it. */
  public void remove(LayerId id) throws ErrnoException {
    layers.remove(id);
    sweep(id);
    for (String directory : ALL) {
      files.remove(home.resolve(directory).resolve(id.text()));
    }
  }

  /** Removes what a crash left of writing a layer's records. */
  public void sweep(LayerId id) throws ErrnoException {
    for (String directory : ALL) {
      files.remove(Files.temporary(home.resolve(directory).resolve(id.text())));
    }
  }

  /**
   * Removes what crashes left of layers, and records without layers; marks layers as read-only that
   * others lie on.
   *
   * @param guard asked for each layer that is about to be changed
   * @return what was done, a line each, for people
   */
  public List<String> recover(Driver.Guard guard) throws EngineException, ErrnoException {
    List<String> done = new ArrayList<>();
    for (OsPath rubbish : layers.sweep()) {
      done.add("removed " + rubbish.quoted() + ", which was not whole any more, or not yet");
    }
    for (String directory : ALL) {
      for (OsPath name : files.list(home.resolve(directory))) {
        String text = name.toString();
        int start = text.startsWith(Files.TEMPORARY_PREFIX) ? Files.TEMPORARY_PREFIX.length() : 0;
        Optional<LayerId> id = LayerId.parse(text.substring(start));
        if (id.isPresent() && !layers.exists(id.get())) {
          guard.ifFree(id.get(), () -> removeUnlessOfLayer(id.get(), directory, name));
        }
      }
    }
    for (LayerId id : layers.list()) {
      try {
        commitParent(id, guard, done);
      } catch (EngineException e) {
        if (layers.exists(id)) {
          done.add(e.getMessage());
        }
      }
    }
    return done;
  }

  private void removeUnlessOfLayer(LayerId id, String directory, OsPath name)
      throws ErrnoException {
    if (!layers.exists(id)) {
      files.remove(home.resolve(directory).resolve(name));
    }
  }

  private void commitParent(LayerId id, Driver.Guard guard, List<String> done)
      throws EngineException, ErrnoException {
    Optional<LayerId> parent = parent(id);
    if (parent.isPresent() && !committed(parent.get()).isSet()) {
      guard.ifFree(
          parent.get(),
          () -> {
            if (parent(id).equals(parent) && layers.exists(parent.get())) {
              committed(parent.get()).set();
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
}
