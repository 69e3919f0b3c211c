package dev.ovl.engine.tree;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;

/** What {@link LayerForm}s do differently. */
interface Marking {

  /** The one of a form. */
  static Marking of(LayerForm form, Syscalls sys) {
    return switch (form) {
      case OVERLAY -> new OverlayMarking(sys, OverlayXattrs.TRUSTED, true);
      case USER_OVERLAY -> new OverlayMarking(sys, OverlayXattrs.USER, true);
      case OVERLAY_XATTRS -> new OverlayMarking(sys, OverlayXattrs.TRUSTED, false);
      case USER_OVERLAY_XATTRS -> new OverlayMarking(sys, OverlayXattrs.USER, false);
      case AUFS -> new AufsMarking(sys);
      case PLAIN -> new NoMarking(false);
      case EXACT -> new NoMarking(true);
    };
  }

  /** Whether there is a mark for what is deleted, for which its directory is needed. */
  boolean marksDeletions();

  /** Whether a file of that kind marks the deletion of its name. */
  boolean isDeletion(Fd directory, OsPath name, Statx stat) throws ErrnoException;

  /** Whether a name that nothing has is marked as deleted. */
  boolean isHidden(Place place, OsPath name) throws ErrnoException;

  /**
   * Takes the mark away that hides a name and is not of that name.
   *
   * @return whether there was one
   */
  boolean unhide(Place place, OsPath name) throws ErrnoException;

  /** Marks a name, which nothing has, as deleted. */
  void delete(Place place, OsPath name) throws ErrnoException;

  /** Marks a directory as opaque. */
  void opaque(Place directory) throws ErrnoException;

  /** Whether the character device 0:0 is a file like others. */
  default boolean keepsWhiteouts() {
    return false;
  }

  /** The name under which a file's extended attribute is kept. */
  String attribute(String name);

  /** Whether an attribute that is there is a mark. */
  boolean isMark(String attribute);

  /** Refuses a name that would be a mark. */
  void check(OsPath name) throws EngineException;
}
