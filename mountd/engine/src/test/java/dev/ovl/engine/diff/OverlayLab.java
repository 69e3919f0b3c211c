package dev.ovl.engine.diff;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Layers that the kernel writes, in one directory. */
public final class OverlayLab {
  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);
  private final OsPath place;
  private int made;

  /** Does something in a mounted tree. */
  public interface Work {
    void in(OsPath mounted) throws Exception;
  }

  /** In an existing directory that can hold uppers. */
  public OverlayLab(OsPath place) {
    this.place = place;
  }

  /** An empty directory. */
  public OsPath directory(String name) throws ErrnoException {
    OsPath directory = place.resolve(name + made++);
    files.mkdirs(directory, 0755);
    return directory;
  }

  /**
   * A new upper, after work was done in a mount of it above these layers.
   *
   * @param lowers topmost first
   */
  public OsPath upper(List<OsPath> lowers, String options, Work work) throws Exception {
    OsPath upper = directory("l");
    work(upper, lowers, options, work);
    return upper;
  }

  /** Works in a mount of an upper that is there already. */
  public void work(OsPath upper, List<OsPath> lowers, String options, Work work) throws Exception {
    OsPath workdir = directory("w");
    String more = ",upperdir=" + upper + ",workdir=" + workdir;
    mounted(lowers, options + more, work);
    files.removeTree(workdir);
  }

  /** Shows these layers as they are, redirects and metadata-only copies followed. */
  public void shown(List<OsPath> layers, boolean user, Work work) throws Exception {
    List<OsPath> lowers = new ArrayList<>(layers);
    if (lowers.size() < 2) {
      lowers.add(directory("none")); // one lower alone is no overlay
    }
    mounted(lowers, user ? ",userxattr" : ",redirect_dir=on,metacopy=on", work);
  }

  /** Mounts, works, unmounts. */
  public void mounted(List<OsPath> lowers, String options, Work work) throws Exception {
    OsPath target = directory("m");
    String layers = lowers.stream().map(OsPath::toString).collect(Collectors.joining(":"));
    byte[] data = OsPath.encode("lowerdir=" + layers + options);
    sys.mount(OsPath.of("overlay"), target, "overlay", 0, data);
    try {
      work.in(target);
    } finally {
      sys.umount2(target, 0);
      files.rmdir(target);
    }
  }
}
