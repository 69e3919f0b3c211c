package dev.ovl.engine.stack;

import dev.ovl.engine.mount.MountEntry;
import dev.ovl.sys.OsPath;
import java.util.Optional;

/** What the kernel says of a stack's mount in this mount namespace. */
public sealed interface StackState {
  /** Not mounted. */
  record Down() implements StackState {}

  /** Mounted on its target, and reachable there. */
  record Up(MountEntry mount) implements StackState {}

  /** Mounted on its target, but something else was mounted over it. */
  record Covered(MountEntry mount, MountEntry by) implements StackState {}

  /** Mounted, but its mount was moved away from the target by hand. */
  record Moved(MountEntry mount) implements StackState {}

  /** The stack's mount, wherever it is. */
  default Optional<MountEntry> mounted() {
    return switch (this) {
      case Down down -> Optional.empty();
      case Up up -> Optional.of(up.mount());
      case Covered covered -> Optional.of(covered.mount());
      case Moved moved -> Optional.of(moved.mount());
    };
  }

  /** Where the mount is when that is not its target, or why it cannot be reached there. */
  default Optional<String> remark() {
    return switch (this) {
      case Down down -> Optional.empty();
      case Up up -> Optional.empty();
      case Covered covered ->
          Optional.of(
              "covered by a mount of "
                  + covered.by().type()
                  + " ("
                  + covered.by().source().quoted()
                  + ") on the same directory");
      case Moved moved -> Optional.of("moved by hand to " + place(moved.mount().point()));
    };
  }

  private static String place(OsPath point) {
    return point.isEmpty() ? "a place out of reach" : point.quoted();
  }
}
