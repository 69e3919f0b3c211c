package dev.ovl.engine.stack;

import dev.ovl.engine.aufs.AufsOptions;
import dev.ovl.engine.aufs.AufsPermission;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.aufs.AufsHome;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
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
 * @param lowers topmost first, at least one; plain directories, and below them a chain of layers
 * @param upper where changes go
 * @param layer the driver's layer that is the stack's own; it holds the upper or the default
 *     target, and is absent when neither is needed
 * @param target where it is mounted; absent: the layer's own place
 * @param propagation absent: as the kernel decides
 * @param union which file system unites them, and how
 */
public record StackDefinition(
    StackName name,
    List<Lower> lowers,
    Upper upper,
    Optional<Layer> layer,
    Optional<OsPath> target,
    Optional<Propagation> propagation,
    Union union) {

  /** Copies the lowers. */
  public StackDefinition {
    lowers = List.copyOf(lowers);
  }

  /** The file system that unites a stack's directories. */
  public sealed interface Union {
    /** The name of the driver whose layers the stack can be made of. */
    String driver();

    /** The mount's options as words. */
    List<String> words();

    /**
     * overlayfs.
     *
     * @param options without contradictions
     * @param method forced; absent: the first that fits
     * @param lazyCopies redirect_dir and metacopy are on, where the options do not exclude it
     */
    record Overlay(MountOptions options, Optional<MountMethod> method, boolean lazyCopies)
        implements Union {
      @Override
      public String driver() {
        return Overlay2Home.NAME;
      }

      @Override
      public List<String> words() {
        return options.words();
      }
    }

    /**
     * aufs.
     *
     * @param upper what aufs may do with the upper
     */
    record Aufs(AufsOptions options, AufsPermission upper) implements Union {
      @Override
      public String driver() {
        return AufsHome.NAME;
      }

      @Override
      public List<String> words() {
        return options.words();
      }
    }
  }

  /** The name of the driver. */
  public String driver() {
    return union.driver();
  }

  /**
   * A directory as lower.
   *
   * @param path absolute; as the user named it, where it is a plain one
   * @param layer whose content it is; absent for a plain directory
   * @param link the name of its short link, which a layer's is, too; absent on aufs
   * @param permission what aufs may do with it; absent on an overlay, which only reads
   */
  public record Lower(
      OsPath path,
      Optional<LayerId> layer,
      Optional<String> link,
      Optional<AufsPermission> permission) {

    /** Of an overlay. */
    static Lower linked(OsPath path, String link, Optional<LayerId> layer) {
      return new Lower(path, layer, Optional.of(link), Optional.empty());
    }

    /** Of an aufs. */
    static Lower branch(OsPath path, AufsPermission permission, Optional<LayerId> layer) {
      return new Lower(path, layer, Optional.empty(), Optional.of(permission));
    }

    /** True for a branch of aufs in which whiteouts hide nothing. */
    public boolean isUnmarked() {
      return permission
          .filter(p -> !p.isWritable() && !p.attributes().contains(AufsPermission.Attribute.WH))
          .isPresent();
    }

    /** True for what changes may go to beside the upper. */
    public boolean isWritable() {
      return permission.filter(AufsPermission::isWritable).isPresent();
    }
  }

  /** The layer whose chain the stack lies on; empty where it lies on plain directories alone. */
  public Optional<LayerId> parent() {
    return lowers.stream().flatMap(lower -> lower.layer().stream()).findFirst();
  }

  /** The lowers that are plain directories, topmost first. */
  public List<Lower> plain() {
    return lowers.stream().filter(lower -> lower.layer().isEmpty()).toList();
  }

  /** The paths of the lowers that are plain directories, topmost first. */
  public List<OsPath> directories() {
    return plain().stream().map(Lower::path).toList();
  }

  /**
   * A layer of the driver.
   *
   * @param id of the driver's
   * @param link the name of its short link; absent on aufs
   */
  public record Layer(LayerId id, Optional<String> link) {}

  /** Where changes go. */
  public sealed interface Upper {
    /** Nowhere: the stack is read-only. */
    record None() implements Upper {}

    /** Into the stack's own layer. */
    record OfLayer() implements Upper {}

    /**
     * Into a directory of the user's, which ovl never deletes.
     *
     * @param directory absolute
     * @param work absolute; absent on aufs, which needs none
     */
    record Given(OsPath directory, Optional<OsPath> work) implements Upper {
      /** Both. */
      List<OsPath> directories() {
        return Stream.concat(Stream.of(directory), work.stream()).toList();
      }
    }
  }

  /** The same definition with a layer of its own. */
  StackDefinition withLayer(Layer own) {
    return new StackDefinition(name, lowers, upper, Optional.of(own), target, propagation, union);
  }

  /** The same definition united otherwise. */
  StackDefinition withUnion(Union other) {
    return new StackDefinition(name, lowers, upper, layer, target, propagation, other);
  }

  /** The same definition with other lowers. */
  StackDefinition withLowers(List<Lower> others) {
    return new StackDefinition(name, others, upper, layer, target, propagation, union);
  }

  /** The user's directories that the stack writes to, or its file system keeps books in. */
  List<OsPath> written() {
    Stream<OsPath> given =
        upper instanceof Upper.Given theirs ? theirs.directories().stream() : Stream.empty();
    return Stream.concat(given, plain().stream().filter(Lower::isWritable).map(Lower::path))
        .toList();
  }

  /** The names of all short links that belong to the stack, not to layers below it. */
  public Stream<String> links() {
    return Stream.concat(
        plain().stream().flatMap(lower -> lower.link().stream()),
        layer.stream().flatMap(own -> own.link().stream()));
  }
}
