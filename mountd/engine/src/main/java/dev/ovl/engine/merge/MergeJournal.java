package dev.ovl.engine.merge;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.json.Json;
import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a merge has to say to whoever comes after it died. A file, durable when it is written. */
final class MergeJournal {
  private static final int SCHEMA = 1;
  private static final int PERMISSIONS = 0600;

  private final Files files;
  private final Json json = new Json();
  private final OsPath file;

  MergeJournal(Syscalls sys, OsPath file) {
    this.files = new Files(sys);
    this.file = file;
  }

  /**
   * A merge under way.
   *
   * @param upper which directory is merged, so that nothing is done to another one in its place
   * @param placed all that the upper has lies in the lower, durably: the upper is to be emptied.
   *     Else it still holds what makes the view what it is
   * @param times of directories of the upper, which change with what is taken from them
   */
  record Entry(String upper, boolean placed, List<Time> times) {
    Entry {
      times = List.copyOf(times);
    }

    Entry afterPlacing() {
      return new Entry(upper, true, times);
    }
  }

  /**
   * When a directory was changed last, as far as users are concerned.
   *
   * @param path from the root of the upper, which is {@link OsPath#DOT}
   */
  record Time(OsPath path, Timestamp modified) {}

  void write(Entry entry) throws ErrnoException {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("schema", SCHEMA);
    map.put("upper", entry.upper());
    map.put("placed", entry.placed());
    List<Map<String, Object>> times = new ArrayList<>();
    for (Time time : entry.times()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("path", time.path().toString());
      one.put("seconds", time.modified().seconds());
      one.put("nanoseconds", time.modified().nanoseconds());
      times.add(one);
    }
    map.put("times", times);
    files.replace(file, json.writeLine(map), PERMISSIONS);
  }

  /** Empty when no merge is under way. */
  Optional<Entry> find() throws EngineException, ErrnoException {
    Optional<byte[]> text = files.read(file);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    try {
      JsonFields fields = json.readObject(text.get());
      if (fields.number("schema") != SCHEMA) {
        throw new JsonException("it was written by another version of ovl");
      }
      List<Time> times = new ArrayList<>();
      for (JsonFields time : fields.objects("times")) {
        Timestamp modified = new Timestamp(time.number("seconds"), time.number("nanoseconds"));
        times.add(new Time(OsPath.of(time.string("path")), modified));
      }
      return Optional.of(new Entry(fields.string("upper"), fields.truth("placed"), times));
    } catch (JsonException e) {
      throw EngineException.failed(
          "the journal of its merge cannot be read: " + file.quoted() + ": " + e.getMessage());
    }
  }

  void end() throws ErrnoException {
    files.remove(Files.temporary(file));
    if (files.remove(file)) {
      files.sync(file.parent());
    }
  }
}
