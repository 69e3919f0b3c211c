package dev.ovl.engine.stack;

import dev.ovl.engine.aufs.AufsBranch;
import dev.ovl.engine.aufs.AufsOptions;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.Propagation;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;

/**
 * What {@code create} is asked for. All paths are absolute.
 *
 * @param lowers plain directories, topmost first; may be empty where there is a parent
 * @param parent the layer whose chain lies below the plain directories
 * @param readOnly no upper at all
 * @param target absent: the layer's own place
 * @param union which file system unites them
 */
public record StackRequest(
    StackName name,
    List<OsPath> lowers,
    Optional<LayerId> parent,
    boolean readOnly,
    Optional<OsPath> target,
    Optional<Propagation> propagation,
    Union union) {

  /** Copies the lowers. */
  public StackRequest {
    lowers = List.copyOf(lowers);
  }

  /** The file system that is to unite a stack's directories. */
  public sealed interface Union {
    /**
     * overlayfs.
     *
     * @param upper a directory of the user's; absent: a new layer, unless read-only
     * @param compat mount it as Docker would: without the options by which a rename or a change of
     *     owner copies nothing, and which other engines do not understand
     */
    record Overlay(
        Optional<OverlayMount.Upper> upper,
        MountOptions options,
        Optional<MountMethod> method,
        boolean compat)
        implements Union {}

    /**
     * aufs.
     *
     * @param branches above the lowers, topmost first; where one of them can be written to, the
     *     topmost must be, and is the upper
     */
    record Aufs(List<AufsBranch> branches, AufsOptions options) implements Union {
      /** Copies the branches. */
      public Aufs {
        branches = List.copyOf(branches);
      }
    }
  }

  /** Of an overlay of plain directories. */
  public StackRequest(
      StackName name,
      List<OsPath> lowers,
      boolean readOnly,
      Optional<OverlayMount.Upper> upper,
      Optional<OsPath> target,
      MountOptions options,
      Optional<Propagation> propagation,
      Optional<MountMethod> method) {
    this(
        name,
        lowers,
        Optional.empty(),
        readOnly,
        target,
        propagation,
        new Union.Overlay(upper, options, method, false));
  }
}
