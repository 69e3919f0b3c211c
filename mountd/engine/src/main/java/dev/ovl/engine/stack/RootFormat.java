package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.json.Json;
import dev.ovl.engine.json.JsonException;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.util.Map;
import java.util.Optional;

/** The file {@code <root>/ovl.json}, which says by which rules the root is laid out. */
public final class RootFormat {
  private static final int SCHEMA = 1;

  private final Files files;
  private final OsPath root;

  /**
   * @param root need not exist
   */
  public RootFormat(Files files, OsPath root) {
    this.files = files;
    this.root = root;
  }

  private OsPath file() {
    return root.resolve("ovl.json");
  }

  /**
   * Refuses a root that this version does not understand. One without the file is fine: it is empty, or
   * another engine's.
   */
  public void check() throws EngineException, ErrnoException {
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
  }

  /** Makes the root directory and the file where they are missing. */
  void prepare() throws ErrnoException {
    files.mkdirs(root, 0711);
    if (files.lstat(file()).isEmpty()) {
      files.replace(file(), new Json().writeLine(Map.of("schema", SCHEMA)), 0644);
    }
  }
}
