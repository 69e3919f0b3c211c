package dev.ovl.engine.mount;

import dev.ovl.sys.OsPath;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * An overlay mount before it is made: a value, which {@link OverlayMounter} turns into system
 * calls.
 *
 * @param source what mountinfo shows as source, {@code ovl:web}
 * @param lowers topmost first, at least one; absolute paths
 * @param upper where changes go; absent for a read-only mount
 * @param options free of contradictions
 * @param target an existing directory, absolute
 * @param propagation absent: as the kernel decides by the parent mount
 * @param names short names for the layers; absent where there are none, which rules out {@link
 *     MountMethod#RELATIVE}
 */
public record OverlayMount(
    OsPath source,
    List<OsPath> lowers,
    Optional<Upper> upper,
    MountOptions options,
    OsPath target,
    Optional<Propagation> propagation,
    Optional<ShortNames> names) {

  /** Lower layers that the kernel takes in one mount (OVL_MAX_STACK). */
  public static final int MAX_LOWERS = 500;

  /** Lower layers with the bottom {@value #MAX_LOWERS} folded into one: 499 and that one. */
  public static final int MAX_LOWERS_NESTED = 2 * MAX_LOWERS - 1;

  /** Copies the lowers. */
  public OverlayMount {
    lowers = List.copyOf(lowers);
    if (lowers.isEmpty()) {
      throw new IllegalArgumentException("an overlay needs a lower");
    }
  }

  /**
   * The writable layer.
   *
   * @param directory upperdir, absolute
   * @param work workdir, absolute, on the same mount
   */
  public record Upper(OsPath directory, OsPath work) {}

  /**
   * Names that reach the layers from one directory, so that many fit a page.
   *
   * @param base the directory; absolute
   * @param lowers one for each of the mount's lowers, relative to base
   */
  public record ShortNames(OsPath base, List<OsPath> lowers) {
    /** Copies the names. */
    public ShortNames {
      lowers = List.copyOf(lowers);
    }

    /** A path as seen from the base: shortened when it lies beneath, else as it is. */
    OsPath shorten(OsPath path) {
      if (!path.startsWith(base) || path.equals(base)) {
        return path;
      }
      byte[] bytes = path.bytes();
      int start = base.length() + (base.equals(OsPath.ROOT) ? 0 : 1);
      return OsPath.of(Arrays.copyOfRange(bytes, start, bytes.length));
    }
  }

  /** The same mount on another directory. */
  public OverlayMount at(OsPath other) {
    return new OverlayMount(source, lowers, upper, options, other, propagation, names);
  }

  /** The same mount of other lowers, which have no short names. */
  OverlayMount over(List<OsPath> others) {
    return new OverlayMount(source, others, upper, options, target, propagation, Optional.empty());
  }

  /** True when the layers are more than one mount takes. */
  public boolean needsNesting() {
    return lowers.size() > MAX_LOWERS;
  }
}
