package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.LayerHome;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.stack.StackDefinition.Layer;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.stack.StackDefinition.Union;
import dev.ovl.engine.stack.StackDefinition.Upper;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What is different for stacks with the file system that unites their directories. */
interface UnionKind {
  /** Where the stacks' own layers and those below them are. */
  LayerHome home();

  // ---- definitions --------------------------------------------------------------------------

  /** What of a definition depends on the file system. */
  record Parts(List<Lower> lowers, Upper upper, Union union) {}

  /**
   * What a request asks for, with names for what is new; nothing is made.
   *
   * @throws EngineException USAGE: the request makes no sense
   */
  Parts parts(StackRequest request) throws EngineException, ErrnoException;

  /**
   * What a change makes of a definition, with names for what is new; nothing is made.
   *
   * @param present lowers that keep their names
   * @throws EngineException USAGE: the change makes no sense
   */
  Parts parts(StackDefinition from, List<Lower> present, StackChange change)
      throws EngineException, ErrnoException;

  /** The request for a stack like this one, with another name and a layer of its own. */
  StackRequest like(StackDefinition stack, StackName as);

  /** A layer's name for a stack; nothing is made. */
  Layer unusedLayer() throws EngineException, ErrnoException;

  /** A stack's own layer as the lower of one that lies on it. */
  Lower frozen(Layer own);

  /** Refuses directories that the kernel would refuse. */
  void check(Parts parts) throws EngineException, ErrnoException;

  /** Refuses what cannot be mounted for other reasons than its directories. */
  void refuseUnmountable(StackDefinition stack) throws EngineException, ErrnoException;

  /**
   * Makes what a definition needs: links and the own layer.
   *
   * @param made gets the names of the links
   * @return false when a link's name is taken
   */
  boolean make(StackDefinition stack, Optional<StackDefinition> before, Set<String> made)
      throws EngineException, ErrnoException;

  // ---- mounts -------------------------------------------------------------------------------

  /** Forgets what follows from the definition of a stack that is no more. */
  void forget(StackName name);

  /**
   * Name and target of each short link that a mount of the stack goes through; none where there are
   * no such links.
   */
  Map<String, OsPath> links(StackDefinition stack);

  /**
   * Refuses what would use a directory that the stack writes to, beside other overlays: those are
   * asked already.
   */
  void refuseUsed(List<OsPath> written) throws EngineException, ErrnoException;

  /**
   * Refuses what shows directories that are to change, beside overlays: those are asked already.
   */
  void refuseShown(List<OsPath> directories) throws EngineException, ErrnoException;

  /**
   * Mounts on an existing directory.
   *
   * @param acceptVolatile go on although a volatile mount was not ended cleanly
   * @throws EngineException why not; nothing is mounted, or what is will be taken away
   */
  void mount(StackDefinition stack, boolean acceptVolatile) throws EngineException, ErrnoException;

  /**
   * Makes the mount that the definition asks for, attached nowhere: it ends with the descriptor,
   * wherever that was attached meanwhile.
   *
   * @param acceptVolatile go on although a volatile mount was not ended cleanly
   * @return empty where this kind must end its mounts itself, and so has them attached
   */
  Optional<Fd> mountDetached(StackDefinition stack, boolean acceptVolatile)
      throws EngineException, ErrnoException;

  /** Refuses a target that cannot be mounted on. */
  void checkTarget(OsPath target) throws EngineException, ErrnoException;

  /** Unmounts; {@code flags} are those of umount2(2). */
  void unmount(MountEntry mount, int flags) throws EngineException, ErrnoException;

  /** Clears up in the upper after a mount that has ended. */
  void ended(StackDefinition stack) throws ErrnoException;

  /** How the mount is, or would be, made, for people. */
  record Manner(List<String> options, MountMethod method, boolean nested) {}

  /** How the mount is, or would be, made. */
  Manner manner(StackDefinition stack) throws EngineException, ErrnoException;
}
