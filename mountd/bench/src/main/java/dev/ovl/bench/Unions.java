package dev.ovl.bench;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.aufs.AufsBranch;
import dev.ovl.engine.aufs.AufsMount;
import dev.ovl.engine.aufs.AufsMounter;
import dev.ovl.engine.aufs.AufsOptions;
import dev.ovl.engine.aufs.AufsPermission;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountFailure;
import dev.ovl.engine.mount.MountHolders;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.OverlayMounter;
import dev.ovl.engine.mount.Processes;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The same layers, mounted by the engine as an overlay and as an aufs. */
final class Unions implements AutoCloseable {
  private final MountTable mounts;
  private final MountHolders holders;
  private final OverlayMounter overlays;
  private final AufsMounter aufses;

  /**
   * @param sys what to call
   * @param run for what ends with the boot, on a tmpfs
   */
  Unions(Syscalls sys, Path run) {
    OsPath directory = OsPath.of(run.toString());
    this.mounts = new MountTable(sys);
    this.holders = new MountHolders(sys, mounts, new Processes(sys));
    this.overlays = new OverlayMounter(sys, directory.resolve("scratch"));
    this.aufses = new AufsMounter(sys, mounts, holders, directory);
  }

  /**
   * An overlay, by the method that a stack of these layers would be mounted by.
   *
   * @param place where its directories are made, on the file system of the layers
   * @param layers topmost first
   */
  Overlay overlay(Path place, List<OsPath> layers)
      throws EngineException, ErrnoException, IOException {
    return new Overlay(place.resolve("overlay-" + layers.size()), layers);
  }

  /** An aufs; as {@link #overlay}. */
  Union aufs(Path place, List<OsPath> layers) throws IOException {
    return new Aufs(place.resolve("aufs-" + layers.size()), layers);
  }

  private static OsPath make(Path directory) throws IOException {
    return OsPath.of(Files.createDirectories(directory).toString());
  }

  private MountEntry mountedAt(OsPath target) throws ErrnoException {
    return mounts.at(target).orElseThrow();
  }

  final class Overlay implements Union {
    private final Path home;
    private final OverlayMount mount;
    private final OverlayMounter.Plan plan;

    private Overlay(Path home, List<OsPath> layers)
        throws EngineException, ErrnoException, IOException {
      this.home = home;
      this.mount =
          new OverlayMount(
              OsPath.of("ovl:overlay"),
              layers,
              Optional.of(new OverlayMount.Upper(make(upper()), make(home.resolve("work")))),
              MountOptions.NONE,
              make(root()),
              Optional.empty(),
              Optional.of(shortNames(layers)));
      this.plan = overlays.plan(mount, Optional.empty());
    }

    /** Links as long as those of the driver. */
    private OverlayMount.ShortNames shortNames(List<OsPath> layers) throws IOException {
      List<OsPath> names = new ArrayList<>();
      Path links = Files.createDirectories(home.resolve("l"));
      for (int i = 0; i < layers.size(); i++) {
        Path link = links.resolve(String.format(Locale.ROOT, "%026d", i));
        if (!Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
          Files.createSymbolicLink(link, Path.of(layers.get(i).toString()));
        }
        names.add(OsPath.of("l/" + link.getFileName()));
      }
      return new OverlayMount.ShortNames(OsPath.of(home.toString()), names);
    }

    /** How it is mounted, as {@code --method} has it. */
    String method() {
      return plan.method().word();
    }

    @Override
    public void mount() throws EngineException, ErrnoException, MountFailure {
      overlays.mount(mount, plan);
    }

    @Override
    public void unmount() throws EngineException, ErrnoException {
      holders.unmount(mountedAt(mount.target()), Linux.UMOUNT_NOFOLLOW);
    }

    @Override
    public Path home() {
      return home;
    }
  }

  private final class Aufs implements Union {
    private final Path home;
    private final AufsMount mount;

    private Aufs(Path home, List<OsPath> layers) throws IOException {
      this.home = home;
      List<AufsBranch> branches = new ArrayList<>();
      branches.add(new AufsBranch(make(upper()), AufsPermission.RW));
      layers.forEach(layer -> branches.add(new AufsBranch(layer, AufsPermission.RO_WH)));
      this.mount =
          new AufsMount(
              OsPath.of("ovl:aufs"), branches, AufsOptions.NONE, make(root()), Optional.empty());
    }

    @Override
    public void mount() throws EngineException, ErrnoException {
      aufses.mount(mount);
    }

    @Override
    public void unmount() throws EngineException, ErrnoException {
      aufses.unmount(mountedAt(mount.target()), Linux.UMOUNT_NOFOLLOW);
    }

    @Override
    public Path home() {
      return home;
    }
  }

  @Override
  public void close() {
    overlays.close();
  }
}
