package dev.ovl.engine.stack;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.root.BootFiles;
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

/**
 * Which mount was made for a stack, under {@code <run>/stacks/<root>/}: a hint that ends with the
 * boot and that is always checked against the kernel. Lost or wrong, it costs a search and nothing
 * else.
 */
final class MountRecords {
  private final Files files;
  private final Json json = new Json();
  private final BootFiles boot;

  MountRecords(Syscalls sys, OsPath root, OsPath run) {
    this.files = new Files(sys);
    this.boot = new BootFiles(sys, root, run, "stacks");
  }

  /**
   * @param mountId of the mount that was made
   * @param device of its superblock
   */
  record Made(long mountId, MountEntry.Device device) {
    static Made of(MountEntry mount) {
      return new Made(mount.id(), mount.device());
    }
  }

  /** Where the record of a stack is, if there is one. */
  OsPath file(StackName stack) throws ErrnoException {
    return boot.directory().resolve(stack.text());
  }

  /** The stacks that there are records of, defined or not. */
  List<StackName> names() throws ErrnoException {
    List<StackName> names = new ArrayList<>();
    for (OsPath file : files.list(boot.directory())) {
      StackName.parse(file.toString()).ifPresent(names::add);
    }
    return names;
  }

  void write(StackName stack, Made made) throws ErrnoException {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("mountId", made.mountId());
    map.put("deviceMajor", made.device().major());
    map.put("deviceMinor", made.device().minor());
    map.put("bootId", boot.bootId());
    boot.write(file(stack), json.writeLine(map));
  }

  void delete(StackName stack) throws ErrnoException {
    files.remove(file(stack));
  }

  /** Removes all that is here of a stack. */
  void forget(StackName stack) throws ErrnoException {
    files.remove(Files.temporary(file(stack)));
    delete(stack);
  }

  /** The record of this boot; empty when there is none or it makes no sense. */
  Optional<Made> find(StackName stack) throws ErrnoException {
    Optional<byte[]> text = files.read(file(stack));
    if (text.isEmpty()) {
      return Optional.empty();
    }
    try {
      JsonFields fields = json.readObject(text.get());
      if (!fields.string("bootId").equals(boot.bootId())) {
        return Optional.empty();
      }
      return Optional.of(
          new Made(
              fields.number("mountId"),
              new MountEntry.Device(
                  (int) fields.number("deviceMajor"), (int) fields.number("deviceMinor"))));
    } catch (JsonException e) {
      // a hint that cannot be read is no hint: the kernel is asked instead
      return Optional.empty();
    }
  }
}
