package dev.ovl.engine.run;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What is mounted beneath a directory of the host, as whoever lays something over the directory
 * must know: an overlay shows its lower without what is mounted in it.
 */
public final class HostMounts {
  /** What a command has of its own. */
  private static final List<OsPath> OWN =
      List.of(OsPath.of("/proc"), OsPath.of("/sys"), OsPath.of("/dev"));

  /** File systems of the kernel's, in which there are no files to keep. */
  private static final Set<String> KERNELS =
      Set.of(
          "autofs",
          "binfmt_misc",
          "bpf",
          "cgroup",
          "cgroup2",
          "configfs",
          "debugfs",
          "devpts",
          "efivarfs",
          "fusectl",
          "hugetlbfs",
          "mqueue",
          "nsfs",
          "proc",
          "pstore",
          "rpc_pipefs",
          "securityfs",
          "selinuxfs",
          "sysfs",
          "tracefs");

  /** Those that overlayfs does not take as lowers, since names in them are compared otherwise. */
  private static final Set<String> UNFIT =
      Set.of(
          "affs", "cifs", "exfat", "hfs", "hfsplus", "hpfs", "iso9660", "msdos", "ntfs", "ntfs3",
          "smb3", "vfat");

  private final Files files;
  private final MountTable table;

  /**
   * @param sys what to call
   */
  public HostMounts(Syscalls sys) {
    this.files = new Files(sys);
    this.table = new MountTable(sys);
  }

  /**
   * A mount point.
   *
   * @param coverable whether an overlay can lie over it; it cannot over files, and some file
   *     systems
   */
  public record HostMount(OsPath point, boolean coverable) {}

  /**
   * What is mounted beneath a directory and can be seen there, but for what is in /proc, /sys and
   * /dev; outer ones first.
   *
   * @param directory absolute, without links
   */
  public List<HostMount> beneath(OsPath directory) throws ErrnoException {
    Set<OsPath> points =
        new TreeSet<>(Comparator.comparingInt(OsPath::length).thenComparing(p -> p));
    for (MountEntry mount : table.all()) {
      OsPath point = mount.point();
      boolean inside = point.startsWith(directory) && !point.equals(directory);
      if (inside && OWN.stream().noneMatch(point::startsWith)) {
        points.add(point);
      }
    }
    List<HostMount> seen = new ArrayList<>();
    for (OsPath point : points) {
      // what lies on top; hidden ones cannot be reached
      Optional<MountEntry> top = table.at(point);
      if (top.filter(mount -> mount.point().equals(point)).isPresent()) {
        String type = top.get().type();
        boolean isDirectory = files.stat(point).filter(Statx::isDirectory).isPresent();
        seen.add(
            new HostMount(point, isDirectory && !KERNELS.contains(type) && !UNFIT.contains(type)));
      }
    }
    return seen;
  }
}
