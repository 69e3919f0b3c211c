package dev.ovl.bench;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.StackDraft;
import dev.ovl.sys.OsPath;
import java.util.List;

/** A stack, worked on through a host: the engine of this process or a daemon. */
record HostStack(CommandHost host, String name) {
  /** What {@code create} is asked for by default: an upper and a target of the driver's. */
  StackDraft draft(List<OsPath> lowers) {
    return StackDraft.over(name, lowers.stream().map(OsPath::toString).toList());
  }

  void create(List<OsPath> lowers, boolean up) throws HostException {
    host.create(draft(lowers), up, false);
  }

  void up() throws HostException {
    host.up(name, false, false);
  }

  void down() throws HostException {
    host.down(name, false, false);
  }

  void remove(boolean force) throws HostException {
    host.remove(name, force, false);
  }

  /** Up and down again and again. */
  Turns.Way upAndDown() {
    return new Turns.Way() {
      @Override
      public void once() throws HostException {
        up();
        down();
      }

      @Override
      public void settle() throws HostException {
        down();
      }
    };
  }
}
