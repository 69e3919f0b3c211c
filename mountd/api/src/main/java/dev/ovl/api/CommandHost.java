package dev.ovl.api;

import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What commands run against: the engine in their own process, or a daemon. Which of them it is
 * makes no difference to what is done, answered or refused.
 *
 * <p>Every method throws {@link HostException} when the request is refused or fails; then nothing
 * has changed, unless the failure's kind says that it is not known. For any number of threads.
 */
public interface CommandHost extends AutoCloseable {

  /** All stacks, by name, those that cannot be read included. */
  List<StackEntry> list() throws HostException;

  /** The names of all stacks, each after the stacks whose mounts it lies on. */
  List<String> namesByDependency() throws HostException;

  /** A stack in short. */
  StackSummary status(String name) throws HostException;

  /** All that is known of a stack. */
  StackReport inspect(String name) throws HostException;

  /**
   * Writes down a new stack.
   *
   * @param up mount it too; when that fails it is not created either
   * @param dryRun only check
   */
  Done create(StackDraft draft, boolean up, boolean dryRun) throws HostException;

  /** Changes a stack that is down. */
  Done set(String name, StackPatch patch, boolean dryRun) throws HostException;

  /** Changes the branches of a stack of aufs, which may be up. */
  Done changeBranch(String name, BranchPatch patch, boolean dryRun) throws HostException;

  /** Writes down a stack like another one. */
  Done copy(String name, StackCopy copy, boolean dryRun) throws HostException;

  /**
   * Mounts a stack; one that is up already is fine.
   *
   * @param acceptVolatile go on although a volatile mount was not ended cleanly
   */
  Done up(String name, boolean acceptVolatile, boolean dryRun) throws HostException;

  /**
   * Unmounts a stack; one that is down already is fine.
   *
   * @param lazy detach it although it is in use
   */
  Done down(String name, boolean lazy, boolean dryRun) throws HostException;

  /**
   * Mounts a stack in the mount namespace of another process; that it is mounted there is fine.
   *
   * @param acceptVolatile go on although a volatile mount was not ended cleanly
   */
  Done attach(String name, Attachment to, boolean acceptVolatile, boolean dryRun)
      throws HostException;

  /**
   * Unmounts a stack in the mount namespace of another process; that it is not mounted there is
   * fine.
   *
   * @param from without a target
   * @param lazy detach it although it is in use
   */
  Done detach(String name, Attachment from, boolean lazy, boolean dryRun) throws HostException;

  /**
   * Forgets a stack and deletes its own layer.
   *
   * @param force unmount it first
   */
  Done remove(String name, boolean force, boolean dryRun) throws HostException;

  /** Makes an overlay mount without a stack. */
  Done mount(MountDraft draft, boolean dryRun) throws HostException;

  /**
   * Unmounts the topmost overlay on a directory.
   *
   * @param target absolute
   * @param lazy detach it although it is in use
   */
  Done umount(String target, boolean lazy, boolean dryRun) throws HostException;

  /** What a stack's upper takes, found by walking it now. */
  StackUsage usage(String name) throws HostException;

  /** The lowers that mounted stacks have in common, and what of them is in the page cache now. */
  List<LowerUsage> sharedLowers() throws HostException;

  /** The directories that a stack is made of, topmost first, with what each takes, found now. */
  List<StackLevel> levels(String name, Watch watch) throws HostException;

  /**
   * Which of the directories that a stack is made of hold these paths, and what becomes of each.
   *
   * @param paths from the root of the stack
   */
  List<PathReport> which(String name, List<String> paths) throws HostException;

  /**
   * Which of the directories that a stack is made of what is seen beneath these paths comes from.
   *
   * @param paths from the root of the stack
   */
  List<SharesReport> shares(String name, List<String> paths, Watch watch) throws HostException;

  /**
   * Has the kernel copy files of a stack that is up into its upper, data included; what is in a
   * directory comes along.
   *
   * @param paths from the root of the stack
   * @param dryRun only tell what would be copied
   * @return the names and bytes that were not in the upper before
   */
  Tally copyUp(String name, List<String> paths, boolean dryRun, Watch watch) throws HostException;

  /**
   * Files that take room in a stack's upper for data that a directory below has, too.
   *
   * @param paths only beneath these, from the root of the stack
   */
  List<WastedCopy> wasted(String name, List<String> paths, Watch watch) throws HostException;

  /**
   * Looks a stack over.
   *
   * @param repair mend what can be mended; the stack must be down
   * @param lowers walk the lowers, too
   * @param dryRun with {@code repair}: only say what would be mended
   */
  List<StackFinding> fsck(String name, boolean repair, boolean lowers, boolean dryRun, Watch watch)
      throws HostException;

  /**
   * Makes a committed layer that shows what a stack shows now. The stack stays as it is.
   *
   * @param as the layer's id; absent: one is made up
   * @return the layer's id
   */
  String commit(String name, Optional<String> as, Watch watch) throws HostException;

  /** Checks what {@link #commit} checks before it begins. */
  Done checkCommit(String name, Optional<String> as) throws HostException;

  /**
   * Makes the own upper of a stack that is down a committed layer as it is, and puts a new one
   * above it.
   *
   * @return the layer's id
   */
  String commitByMove(String name) throws HostException;

  /** Checks what {@link #commitByMove} checks before it begins. */
  Done checkCommitByMove(String name) throws HostException;

  /**
   * Folds the upper of a stack that is down into the lower right below it. The stack shows the same
   * afterwards, and if this ends on the way.
   */
  MergeReport merge(String name, Watch watch) throws HostException;

  /**
   * Checks what {@link #merge} checks before it begins. What it would change is what {@link
   * #changes} tells of the stack.
   */
  Done checkMerge(String name) throws HostException;

  /**
   * Makes a committed layer without parent that shows what a stack shows now. The stack stays as it
   * is.
   *
   * @param as the layer's id; absent: one is made up
   * @return the layer's id
   */
  String flatten(String name, Optional<String> as, Watch watch) throws HostException;

  /** Checks what {@link #flatten} checks before it begins. */
  Done checkFlatten(String name, Optional<String> as) throws HostException;

  // ---- content of stacks and layers ---------------------------------------------------------

  /**
   * What a stack or layer has that what it lies on has not, and the reverse.
   *
   * @param against a layer to compare a layer with; absent: its parent
   * @param listener gets each change, a directory before what is in it; false: enough
   * @return how many there are
   */
  long changes(Subject of, Optional<String> against, Predicate<PathChange> listener, Watch watch)
      throws HostException;

  /**
   * The bytes of the regular files that {@link #diff} would pack.
   *
   * @param against a layer to compare a layer with; absent: its parent
   */
  long size(Subject of, Optional<String> against, Watch watch) throws HostException;

  /**
   * Packs what {@link #changes} tells. When it fails in the middle, what was written is no whole
   * archive.
   *
   * @param to takes the archive; stays the caller's
   */
  Tally diff(Subject of, Packing packing, WritableByteChannel to, Watch watch) throws HostException;

  /**
   * Writes what an archive holds into a layer or the upper of a stack that is down, above what it
   * has. When it fails that is as it was.
   *
   * @param archive plain, or packed by gzip or zstd; stays the caller's
   * @param format as of {@link Packing}; {@code overlay} for devices 0:0 as deletions; absent: oci
   * @param dryRun read the archive through, and write nothing
   */
  Tally apply(
      Subject to, Optional<String> format, ReadableByteChannel archive, boolean dryRun, Watch watch)
      throws HostException;

  // ---- layers -------------------------------------------------------------------------------

  /**
   * All layers of a driver, by id, those that are broken included.
   *
   * @param driver absent: the one that the root was used with
   */
  List<LayerEntry> layers(Optional<String> driver) throws HostException;

  /** All that is known of a layer. */
  LayerReport layer(LayerName layer) throws HostException;

  /** Whether there is such a layer. */
  default boolean layerExists(LayerName layer) throws HostException {
    try {
      var _ = layer(layer);
      return true;
    } catch (HostException e) {
      if (e.failure().kind() == Failure.Kind.NO_SUCH_LAYER) {
        return false;
      }
      throw e;
    }
  }

  /** Makes an empty layer. */
  Done createLayer(LayerDraft draft, boolean dryRun) throws HostException;

  /**
   * Makes the layers of one driver those of another.
   *
   * @param from absent: the other driver whose layers the root has
   * @param keep the layers there were stay
   * @return the ids of the layers, parents first
   */
  List<String> convertLayers(Optional<String> from, String to, boolean keep, Watch watch)
      throws HostException;

  /** Checks what {@link #convertLayers} checks before it begins. */
  Done checkConvertLayers(Optional<String> from, String to) throws HostException;

  /** Makes a layer read-only for good; one that is so already is fine. */
  Done commitLayer(LayerName layer, boolean dryRun) throws HostException;

  /** Tells where a layer's tree is seen, and mounts it where that takes a mount. */
  Done getLayer(LayerName layer, boolean dryRun) throws HostException;

  /** Takes back one {@link #getLayer}; the last one unmounts. */
  Done putLayer(LayerName layer, boolean dryRun) throws HostException;

  /** Removes a layer that nobody needs. */
  Done removeLayer(LayerName layer, boolean dryRun) throws HostException;

  /**
   * What a driver tells of itself.
   *
   * @param driver absent: the one that the root was used with
   */
  DriverStatus driverStatus(Optional<String> driver) throws HostException;

  /**
   * Unmounts all layers that {@link #getLayer} mounted, whoever has them still.
   *
   * @param driver absent: the one that the root was used with
   */
  Done cleanUpLayers(Optional<String> driver, boolean dryRun) throws HostException;

  // ---- the machine --------------------------------------------------------------------------

  /** What kernel and root can do, as {@code info --json} prints it. */
  Map<String, Object> probe() throws HostException;

  /** Ends what this object needed; mounts stay. */
  @Override
  void close();
}
