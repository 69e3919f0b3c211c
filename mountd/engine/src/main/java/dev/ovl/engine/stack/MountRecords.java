package dev.ovl.engine.stack;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.json.Json;
import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which mount was made for a stack, under {@code <run>/stacks/<root>/}: a hint that ends with the
 * boot and that is always checked against the kernel. Lost or wrong, it costs a search and nothing
 * else.
 *
 * <p>A run directory may serve several roots, so that each root has a directory of its own there,
 * named by its device and inode number.
 */
final class MountRecords {
  private static final OsPath BOOT_ID = OsPath.of("/proc/sys/kernel/random/boot_id");

  private final Files files;
  private final Json json = new Json();
  private final OsPath root;
  private final OsPath run;
  private volatile OsPath directory;
  private volatile String bootId;

  MountRecords(Syscalls sys, OsPath root, OsPath run) {
    this.files = new Files(sys);
    this.root = root;
    this.run = run;
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
    return directory().resolve(stack.text());
  }

  /** The stacks that there are records of, defined or not. */
  List<StackName> names() throws ErrnoException {
    List<StackName> names = new ArrayList<>();
    for (OsPath file : files.list(directory())) {
      StackName.parse(file.toString()).ifPresent(names::add);
    }
    return names;
  }

  private OsPath directory() throws ErrnoException {
    OsPath known = directory;
    if (known == null) {
      Optional<Statx> stat = files.stat(root);
      String key =
          stat.map(s -> s.devMajor() + "-" + s.devMinor() + "-" + s.inode()).orElse("none");
      known = run.resolve("stacks").resolve(key);
      if (stat.isPresent()) {
        directory = known;
      }
    }
    return known;
  }

  private String bootId() throws ErrnoException {
    String known = bootId;
    if (known == null) {
      known =
          files
              .read(BOOT_ID)
              .map(text -> new String(text, StandardCharsets.US_ASCII).strip())
              .orElse("");
      bootId = known;
    }
    return known;
  }

  void write(StackName stack, Made made) throws ErrnoException {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("mountId", made.mountId());
    map.put("deviceMajor", made.device().major());
    map.put("deviceMinor", made.device().minor());
    map.put("bootId", bootId());
    OsPath file = file(stack);
    byte[] text = json.writeLine(map);
    try {
      files.replaceVolatile(file, text, 0600);
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
      files.mkdirs(file.parent(), 0700);
      files.replaceVolatile(file, text, 0600);
    }
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
      if (!fields.string("bootId").equals(bootId())) {
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
