package dev.ovl.engine.fsck;

import dev.ovl.engine.file.Lookout;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.mount.OverlayCensus;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.Processes;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;

/**
 * Which mounts have an upper or its work directory in use, as such or as a lower, in any mount
 * namespace.
 */
public final class UsersOfUpper {
  private UsersOfUpper() {}

  /**
   * A mount.
   *
   * @param isHere in this process's namespace
   * @param writes it is its upper, not a lower
   */
  public record User(MountEntry mount, boolean isHere, boolean writes) {}

  /** All of them; none when the overlay may be repaired. Waits for the file systems they are on. */
  public static List<User> of(Syscalls sys, OverlayMount.Upper upper) throws ErrnoException {
    try (Lookout lookout = new Lookout(sys)) {
      OverlayCensus census =
          new OverlayCensus(sys, new MountTable(sys), new Processes(sys), lookout);
      OverlayCensus.Snapshot overlays = census.snapshot();
      List<User> users = new ArrayList<>();
      if (overlays.hasAny()) {
        for (OverlayCensus.Overlay user : overlays.usersOf(census.directories(upper))) {
          users.add(new User(user.now().orElse(user.mount()), user.isHere(), true));
        }
        for (OverlayCensus.Overlay user : overlays.readersOf(census.directories(upper))) {
          users.add(new User(user.now().orElse(user.mount()), user.isHere(), false));
        }
      }
      return users;
    }
  }
}
