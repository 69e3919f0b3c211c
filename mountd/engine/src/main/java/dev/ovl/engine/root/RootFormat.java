package dev.ovl.engine.root;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Locks;
import dev.ovl.engine.file.TrustedAttributes;
import dev.ovl.json.Json;
import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The file {@code <root>/ovl.json}, which says by which rules the root is laid out: the schema, and
 * where overlayfs keeps its books on layers. Those are attributes {@code trusted.overlay.}; who
 * made the root in a user namespace may not have such, and there they are {@code user.overlay.},
 * for good.
 */
public final class RootFormat {
  private static final int SCHEMA = 1;
  private static final String XATTRS = "xattrs";
  private static final String USER = "user";

  private final Syscalls sys;
  private final Files files;
  private final OsPath root;
  private volatile boolean known;
  private volatile boolean userXattrs;
  private volatile boolean permitted;

  /**
   * @param root need not exist
   */
  public RootFormat(Syscalls sys, OsPath root) {
    this.sys = sys;
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
    Optional<String> xattrs;
    try {
      JsonFields fields = new Json().readObject(text.get());
      schema = fields.number("schema");
      xattrs = fields.optionalString(XATTRS);
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
    userXattrs = xattrs.filter(USER::equals).isPresent();
    known = true;
  }

  /**
   * Whether overlays of this root keep their books in {@code user.} attributes, and so are mounted
   * with {@code userxattr}. A root that is not made yet says no.
   */
  public boolean hasUserXattrs() throws EngineException, ErrnoException {
    check();
    return userXattrs;
  }

  /** Whether dockerd keeps its images here, too, and so reads the layers that are made here. */
  public boolean isShared() throws ErrnoException {
    return files.lstat(root.resolve("image")).isPresent();
  }

  /**
   * Makes the root directory and the file where they are missing.
   *
   * @throws EngineException it is of a newer ovl, or its layers can be changed by root alone
   */
  public void prepare(Locks locks) throws EngineException, ErrnoException {
    check();
    if (!known) {
      make(locks);
      check();
    }
    if (!userXattrs && !permitted) {
      if (!TrustedAttributes.permitted(sys, root)) {
        throw EngineException.failed(
            "root "
                + root.quoted()
                + " was made by root: its layers have attributes trusted.overlay., which a user"
                + " namespace must not change",
            Errno.EPERM);
      }
      permitted = true;
    }
  }

  private void make(Locks locks) throws EngineException, ErrnoException {
    files.mkdirs(root, 0711);
    try (Locks.Held held = locks.acquire(lockFile(), "the root")) {
      if (files.lstat(file()).isEmpty()) {
        Map<String, Object> fields = new LinkedHashMap<>(Map.of("schema", SCHEMA));
        if (!TrustedAttributes.permitted(sys, root)) {
          fields.put(XATTRS, USER);
        }
        files.replace(file(), new Json().writeLine(fields), 0644);
      }
    }
  }

  /** What is locked while something is decided that concerns the root as a whole. */
  public OsPath lockFile() {
    return root.resolve("root.lock");
  }
}
