package dev.ovl.engine.stack;

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
 * @param driver absent: the root's, or the best there is
 * @param lowers plain directories, topmost first; may be empty where there is a parent
 * @param parent the layer whose chain lies below the plain directories
 * @param readOnly no upper at all
 * @param upper a directory of the user's; absent: a new layer, unless read-only
 * @param target absent: the layer's own place
 * @param compat mount it as Docker would: without the options by which a rename or a change of
 *     owner copies nothing, and which other engines do not understand
 */
public record StackRequest(
    StackName name,
    Optional<String> driver,
    List<OsPath> lowers,
    Optional<LayerId> parent,
    boolean readOnly,
    Optional<OverlayMount.Upper> upper,
    Optional<OsPath> target,
    MountOptions options,
    Optional<Propagation> propagation,
    Optional<MountMethod> method,
    boolean compat) {

  /** Of plain directories alone. */
  public StackRequest(
      StackName name,
      Optional<String> driver,
      List<OsPath> lowers,
      boolean readOnly,
      Optional<OverlayMount.Upper> upper,
      Optional<OsPath> target,
      MountOptions options,
      Optional<Propagation> propagation,
      Optional<MountMethod> method) {
    this(
        name,
        driver,
        lowers,
        Optional.empty(),
        readOnly,
        upper,
        target,
        options,
        propagation,
        method,
        false);
  }
}
