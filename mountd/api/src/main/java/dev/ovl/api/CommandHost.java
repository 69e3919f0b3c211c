package dev.ovl.api;

import java.util.List;
import java.util.Map;

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

  /** What kernel and root can do, as {@code info --json} prints it. */
  Map<String, Object> probe() throws HostException;

  /** Ends what this object needed; mounts stay. */
  @Override
  void close();
}
