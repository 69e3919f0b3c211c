package dev.ovl.engine.mount;

import dev.ovl.engine.EngineException;
import dev.ovl.jni.NativeLibraryException;
import dev.ovl.jni.UserNamespaces;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.MountAttr;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;

/**
 * Copies of the mounts that directories lie on, with other owners shown: mount_setattr(2) with
 * MOUNT_ATTR_IDMAP. They are attached nowhere, and end with this object unless {@link #attach} is
 * called.
 */
final class MappedLowers implements AutoCloseable {
  private final Syscalls sys;
  private final List<Fd> copies = new ArrayList<>();

  private MappedLowers(Syscalls sys) {
    this.sys = sys;
  }

  /**
   * Maps them.
   *
   * @throws EngineException a user namespace that says how cannot be made, or the native library
   *     that makes it is missing; a directory cannot be mapped
   * @throws MountFailure a directory cannot be opened
   */
  static MappedLowers of(Syscalls sys, List<OsPath> directories, IdMap map)
      throws EngineException, MountFailure {
    MappedLowers lowers = new MappedLowers(sys);
    boolean whole = false;
    try (Fd users = userNamespace(sys, map)) {
      for (OsPath directory : directories) {
        lowers.add(directory, users);
      }
      whole = true;
      return lowers;
    } finally {
      if (!whole) {
        lowers.close();
      }
    }
  }

  private static Fd userNamespace(Syscalls sys, IdMap map) throws EngineException {
    try {
      return UserNamespaces.map(sys, IdMap.lines(map.users()), IdMap.lines(map.groups()));
    } catch (NativeLibraryException e) {
      throw EngineException.failed(e.getMessage());
    } catch (ErrnoException e) {
      throw EngineException.failed("no user namespace can be made that maps " + map, e);
    }
  }

  private void add(OsPath directory, Fd users) throws EngineException, MountFailure {
    Fd copy;
    try {
      int flags = Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC;
      copy = new Fd(sys, sys.open_tree(Linux.AT_FDCWD, directory, flags));
    } catch (ErrnoException e) {
      throw new MountFailure(e, List.of());
    }
    copies.add(copy);
    MountAttr mapped = new MountAttr(Linux.MOUNT_ATTR_IDMAP, 0, 0, users.number());
    try {
      sys.mount_setattr(copy.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, mapped);
    } catch (ErrnoException e) {
      throw EngineException.failed(
          "the owners in " + directory.quoted() + " cannot be mapped: " + reason(e), e);
    }
  }

  private static String reason(ErrnoException e) {
    return switch (e.errno()) {
      case ENOSYS -> "that takes Linux 5.12";
      case EINVAL -> "this kernel does not do that on its file system";
      case EPERM -> "they are mapped already, or its file system is not this user namespace's";
      default -> e.errno().message();
    };
  }

  /**
   * Attaches them to new directories.
   *
   * @param place where these are made
   * @return the directories, in the order of those that were given
   */
  List<OsPath> attach(OsPath place) throws ErrnoException {
    List<OsPath> attached = new ArrayList<>();
    for (Fd copy : copies) {
      OsPath directory = place.resolve("l" + attached.size());
      sys.mkdirat(Linux.AT_FDCWD, directory, 0700);
      int flags = Linux.MOVE_MOUNT_F_EMPTY_PATH;
      sys.move_mount(copy.number(), OsPath.EMPTY, Linux.AT_FDCWD, directory, flags);
      attached.add(directory);
    }
    return attached;
  }

  @Override
  public void close() {
    copies.forEach(Fd::close);
  }
}
