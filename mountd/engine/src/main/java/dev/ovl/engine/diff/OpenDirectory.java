package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import java.util.Optional;

/** A directory of a layer, opened when it is first needed. One that is gone by then is empty. */
final class OpenDirectory implements AutoCloseable {
  private final Layer layer;
  private final OsPath path;
  private final int access;
  private Optional<Fd> fd = Optional.empty();
  private boolean tried;

  /**
   * @param path from the root of the layer
   * @param access O_PATH, or O_RDONLY when it is to be listed
   */
  OpenDirectory(Layer layer, OsPath path, int access) {
    this.layer = layer;
    this.path = path;
    this.access = access;
  }

  Layer layer() {
    return layer;
  }

  OsPath path() {
    return path;
  }

  /** Open until this is closed; empty when it is gone. */
  Optional<Fd> fd() throws EngineException {
    if (!tried) {
      fd = layer.open(path, access | Linux.O_DIRECTORY);
      tried = true;
    }
    return fd;
  }

  @Override
  public void close() {
    fd.ifPresent(Fd::close);
    fd = Optional.empty();
  }
}
