package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.file.Files;
import dev.ovl.json.Json;
import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What operations under way are about to make or remove, under {@code <root>/journal}: one file a
 * stack, written before the first step and removed after the last.
 *
 * <p>An entry names layers and links. Whatever of them the stack's definition does not name when
 * the operation has ended, or died, is rubbish. So one rule finishes or undoes every operation: the
 * moment at which the definition is replaced or deleted decides which.
 */
final class Journal {
  private static final String SUFFIX = ".json";
  private static final int SCHEMA = 1;

  private final Files files;
  private final Json json = new Json();
  private final OsPath directory;

  Journal(Syscalls sys, OsPath root) {
    this.files = new Files(sys);
    this.directory = root.resolve("journal");
  }

  /**
   * @param driver whose the layers are
   * @param layers ids of layers that come or go
   * @param links names of short links that come or go
   */
  record Entry(StackName stack, String driver, List<LayerId> layers, List<String> links) {}

  void prepare() throws ErrnoException {
    files.mkdirs(directory, 0700);
  }

  void begin(Entry entry) throws ErrnoException {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("schema", SCHEMA);
    map.put("stack", entry.stack());
    map.put("driver", entry.driver());
    map.put("layers", entry.layers());
    map.put("links", entry.links());
    // for crashes of a process: what an entry names that a power failure took is told as left over,
    // and to wait for the disk twice would cost more than all else
    files.replaceVolatile(file(entry.stack()), json.writePretty(map), 0600);
  }

  void end(StackName stack) throws ErrnoException {
    files.remove(file(stack));
  }

  /** Where the entry of a stack is, if there is one. */
  OsPath file(StackName stack) {
    return directory.resolve(stack + SUFFIX);
  }

  /** The stacks with an operation that was begun, or about to, and not ended. */
  Set<StackName> open() throws EngineException, ErrnoException {
    Set<StackName> stacks = new TreeSet<>();
    for (OsPath file : files.list(directory)) {
      String name = file.toString();
      if (name.endsWith(SUFFIX)) {
        int start = name.startsWith(Files.TEMPORARY_PREFIX) ? Files.TEMPORARY_PREFIX.length() : 0;
        stacks.add(StackName.of(name.substring(start, name.length() - SUFFIX.length())));
      }
    }
    return stacks;
  }

  /** Removes what a crash left of writing this stack's entry. */
  void sweep(StackName stack) throws ErrnoException {
    files.remove(Files.temporary(file(stack)));
    if (files.read(file(stack)).filter(Journal::isTorn).isPresent()) {
      end(stack);
    }
  }

  /** What is left of an entry whose content had not reached the disk when the power failed. */
  private static boolean isTorn(byte[] text) {
    return text.length == 0;
  }

  /**
   * The stack's entry; empty when there is none, or none whose content reached the disk.
   *
   * @throws EngineException it cannot be read; it is left alone
   */
  Optional<Entry> find(StackName stack) throws EngineException, ErrnoException {
    Optional<byte[]> text = files.read(file(stack)).filter(bytes -> !isTorn(bytes));
    if (text.isEmpty()) {
      return Optional.empty();
    }
    try {
      JsonFields fields = json.readObject(text.get());
      if (fields.number("schema") != SCHEMA) {
        throw new JsonException("it was written by another version of ovl");
      }
      StackName name = StackName.of(fields.string("stack"));
      // there was but one before
      String driver = fields.optionalString("driver").orElse(Overlay2Home.NAME);
      List<LayerId> layers = new ArrayList<>();
      for (String layer : fields.strings("layers")) {
        layers.add(LayerId.of(layer));
      }
      return Optional.of(new Entry(name, driver, layers, fields.strings("links")));
    } catch (JsonException e) {
      throw EngineException.failed(
          "the journal entry " + file(stack).quoted() + " cannot be read: " + e.getMessage());
    }
  }
}
