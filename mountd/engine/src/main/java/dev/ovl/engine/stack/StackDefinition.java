package dev.ovl.engine.stack;

import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.Propagation;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What {@code create} wrote down: everything that is needed to mount a stack, and nothing about
 * whether it is mounted. Immutable; {@link StackStore} keeps it.
 *
 * @param name unique under the root
 * @param driver the driver's name
 * @param lowers topmost first, at least one; plain directories, and below them a chain of layers
 * @param upper where changes go
 * @param layer the driver's layer that is the stack's own; it holds the upper or the default
 *     target, and is absent when neither is needed
 * @param target where it is mounted; absent: the layer's own place
 * @param options without contradictions
 * @param propagation absent: as the kernel decides
 * @param method forced; absent: the first that fits
 * @param lazyCopies redirect_dir and metacopy are on, where the options do not exclude it
 */
public record StackDefinition(
    StackName name,
    String driver,
    List<Lower> lowers,
    Upper upper,
    Optional<Layer> layer,
    Optional<OsPath> target,
    MountOptions options,
    Optional<Propagation> propagation,
    Optional<MountMethod> method,
    boolean lazyCopies) {

  /** Copies the lowers. */
  public StackDefinition {
    lowers = List.copyOf(lowers);
  }

  /**
   * A directory as lower.
   *
   * @param path absolute; as the user named it, where it is a plain one
   * @param link the name of its short link
   * @param layer whose content it is, and whose the link is; absent for a plain directory
   */
  public record Lower(OsPath path, String link, Optional<LayerId> layer) {}

  /** The layer whose chain the stack lies on; empty where it lies on plain directories alone. */
  public Optional<LayerId> parent() {
    return lowers.stream().flatMap(lower -> lower.layer().stream()).findFirst();
  }

  /** The lowers that are plain directories, topmost first. */
  public List<OsPath> directories() {
    return lowers.stream().filter(lower -> lower.layer().isEmpty()).map(Lower::path).toList();
  }

  /**
   * A layer of the driver.
   *
   * @param id of the driver's
   * @param link the name of its short link
   */
  public record Layer(LayerId id, String link) {}

  /** Where changes go. */
  public sealed interface Upper {
    /** Nowhere: the stack is read-only. */
    record None() implements Upper {}

    /** Into the stack's own layer. */
    record OfLayer() implements Upper {}

    /** Into a directory of the user's, which ovl never deletes. Both paths are absolute. */
    record Given(OsPath directory, OsPath work) implements Upper {}
  }

  /** The same definition with a layer of its own. */
  StackDefinition withLayer(Layer own) {
    return new StackDefinition(
        name,
        driver,
        lowers,
        upper,
        Optional.of(own),
        target,
        options,
        propagation,
        method,
        lazyCopies);
  }

  /** The names of all short links that belong to the stack, not to layers below it. */
  public Stream<String> links() {
    return Stream.concat(
        lowers.stream().filter(lower -> lower.layer().isEmpty()).map(Lower::link),
        layer.stream().map(Layer::link));
  }
}
