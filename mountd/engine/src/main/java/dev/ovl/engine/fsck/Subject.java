package dev.ovl.engine.fsck;

import dev.ovl.engine.diff.View;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An overlay that is looked over.
 *
 * @param lowers topmost first, at least one
 * @param upper absent for a read-only one
 * @param books in which attributes the layers keep their books
 * @param mountedOn where it is mounted now; absent while nothing has the upper in use
 * @param wholeLowers walk the lowers, too, which takes as long as they are large
 */
public record Subject(
    List<OsPath> lowers,
    Optional<OverlayMount.Upper> upper,
    View.Books books,
    Optional<OsPath> mountedOn,
    boolean wholeLowers) {
  /** Copies the lowers. */
  public Subject {
    lowers = List.copyOf(lowers);
    if (lowers.isEmpty()) {
      throw new IllegalArgumentException("an overlay has a lower");
    }
  }

  /** All layers, topmost first. */
  List<OsPath> layers() {
    List<OsPath> layers = new ArrayList<>();
    upper.ifPresent(u -> layers.add(u.directory()));
    layers.addAll(lowers);
    return layers;
  }
}
