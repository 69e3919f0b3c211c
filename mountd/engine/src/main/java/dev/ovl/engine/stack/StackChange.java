package dev.ovl.engine.stack;

import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.Propagation;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;

/**
 * What {@code set} and {@code clone} change of a definition; what is absent stays. Where a setting
 * can be taken back to its default, it is an optional within the optional.
 *
 * @param lowers the plain directories, topmost first
 * @param parent the layer whose chain lies below them
 * @param upper of an overlay
 * @param options each {@code name} or {@code name=value}, as the stack's file system knows them
 * @param method of an overlay
 */
public record StackChange(
    Optional<List<OsPath>> lowers,
    Optional<Optional<LayerId>> parent,
    Optional<OverlayMount.Upper> upper,
    Optional<Optional<OsPath>> target,
    Optional<List<String>> options,
    Optional<Optional<Propagation>> propagation,
    Optional<Optional<MountMethod>> method) {

  /** That leaves the parent as it is. */
  public StackChange(
      Optional<List<OsPath>> lowers,
      Optional<OverlayMount.Upper> upper,
      Optional<Optional<OsPath>> target,
      Optional<List<String>> options,
      Optional<Optional<Propagation>> propagation,
      Optional<Optional<MountMethod>> method) {
    this(lowers, Optional.empty(), upper, target, options, propagation, method);
  }
}
