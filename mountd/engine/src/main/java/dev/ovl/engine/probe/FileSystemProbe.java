package dev.ovl.engine.probe;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountContext;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Asks which file system types there are. Nothing is mounted but aufs, where there is one. */
final class FileSystemProbe {
  private static final OsPath PROC = OsPath.of("/proc");
  private static final OsPath MODULES = OsPath.of("/sys/module");

  private final Syscalls sys;
  private final Files files;
  private final String release;

  /**
   * @param release the kernel's, which names the directory of its modules
   */
  FileSystemProbe(Syscalls sys, String release) {
    this.sys = sys;
    this.files = new Files(sys);
    this.release = release;
  }

  List<Feature> features() throws ErrnoException {
    List<String> registered = registered();
    List<Feature> features = new ArrayList<>();
    ProbeResult aufs = aufs(available("aufs", registered));
    features.add(new Feature("aufs.available", "aufs", Feature.Group.AUFS, aufs));
    features.addAll(new AufsProbe(sys).features(aufs));
    for (String type : List.of("erofs", "squashfs", "btrfs", "xfs", "ext4")) {
      features.add(feature(type, type, available(type, registered)));
    }
    features.add(feature("dm_thin", "device-mapper thin pools", thinPools()));
    return features;
  }

  private static Feature feature(String name, String title, ProbeResult result) {
    return new Feature("fs." + name, title, Feature.Group.FILE_SYSTEMS, result);
  }

  private String read(OsPath file) throws ErrnoException {
    return files.read(file).map(OsPath::decode).orElse("");
  }

  /** The types in /proc/filesystems (proc_filesystems(5)): those built in or loaded. */
  private List<String> registered() throws ErrnoException {
    return read(PROC.resolve("filesystems"))
        .lines()
        .map(line -> line.substring(line.indexOf('\t') + 1).strip())
        .toList();
  }

  /** Whether the kernel has the type or, asked for it, loads a module that brings it. */
  private ProbeResult available(String type, List<String> registered) {
    if (registered.contains(type)) {
      return ProbeResult.yes();
    }
    try {
      new MountContext(sys, type).close();
      return ProbeResult.yes("its module was loaded to find out");
    } catch (ErrnoException e) {
      return switch (e.errno()) {
        case EPERM ->
            ProbeResult.notProbed("not loaded, and only root can ask for its module (EPERM)");
        case ENOSYS ->
            ProbeResult.notProbed(
                "not loaded, and this kernel has no fsopen(2) to ask for its module (ENOSYS)");
        default -> ProbeResult.refused(e);
      };
    }
  }

  private ProbeResult aufs(ProbeResult available) throws ErrnoException {
    String version = read(MODULES.resolve("aufs/version")).strip();
    return available.isYes() && !version.isEmpty()
        ? ProbeResult.yes("version " + version)
        : available;
  }

  /**
   * By looking, not by asking the device mapper, which would create its control device. The
   * target's module has a parameter, so that it shows in /sys when it is built in, too.
   */
  private ProbeResult thinPools() throws ErrnoException {
    if (files.stat(MODULES.resolve("dm_thin_pool")).isPresent()) {
      return files.stat(OsPath.of("/dev/mapper/control")).isPresent()
          ? ProbeResult.yes()
          : ProbeResult.yes("there is no /dev/mapper/control yet");
    }
    Optional<byte[]> modules =
        files.read(OsPath.of("/lib/modules").resolve(release).resolve("modules.dep"));
    if (modules.isPresent()) {
      return OsPath.decode(modules.get()).contains("/dm-thin-pool.ko")
          ? ProbeResult.notProbed("its module dm_thin_pool is installed and not loaded")
          : ProbeResult.no("the kernel has it neither built in nor as a module");
    }
    boolean deviceMapper = read(PROC.resolve("misc")).contains("device-mapper");
    return deviceMapper
        ? ProbeResult.notProbed(
            "the device mapper is there; whether there is a module dm_thin_pool is not known, for"
                + " lack of /lib/modules/"
                + release)
        : ProbeResult.no("this kernel has no device mapper, and no modules are installed");
  }
}
