package dev.ovl.engine.root;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Locks;
import dev.ovl.json.Json;
import dev.ovl.json.JsonException;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.Map;
import java.util.Optional;

/** The file {@code <root>/ovl.json}, which says by which rules the root is laid out. */
public final class RootFormat {
  private static final int SCHEMA = 1;

  private final Files files;
  private final OsPath root;
  private volatile boolean known;

  /**
   * @param root need not exist
   */
  public RootFormat(Syscalls sys, OsPath root) {
    this.files = new Files(sys);
    this.root = root;
  }

  private OsPath file() {
    return root.resolve("ovl.json");
  }

  /**
   * Refuses a root that this version does not understand. One without the file is fine: it is
   * empty, or another engine's. A format that is known is not read again.
   */
  public void check() throws EngineException, ErrnoException {
    if (known) {
      return;
    }
    Optional<byte[]> text = files.read(file());
    if (text.isEmpty()) {
      return;
    }
    long schema;
    try {
      schema = new Json().readObject(text.get()).number("schema");
    } catch (JsonException e) {
      throw EngineException.failed(
          "root " + root.quoted() + ": ovl.json cannot be read: " + e.getMessage());
    }
    if (schema > SCHEMA) {
      throw EngineException.failed(
          "root "
              + root.quoted()
              + " is of a newer ovl (schema "
              + schema
              + ", this one knows "
              + SCHEMA
              + ")");
    }
    known = true;
  }

  /** Whether dockerd keeps its images here, too, and so reads the layers that are made here. */
  public boolean isShared() throws ErrnoException {
    return files.lstat(root.resolve("image")).isPresent();
  }

  /** Makes the root directory and the file where they are missing. */
  public void prepare(Locks locks) throws EngineException, ErrnoException {
    check();
    if (known) {
      return;
    }
    files.mkdirs(root, 0711);
    try (Locks.Held held = locks.acquire(lockFile(), "the root")) {
      if (files.lstat(file()).isEmpty()) {
        files.replace(file(), new Json().writeLine(Map.of("schema", SCHEMA)), 0644);
      }
    }
  }

  /** What is locked while something is decided that concerns the root as a whole. */
  public OsPath lockFile() {
    return root.resolve("root.lock");
  }
}
