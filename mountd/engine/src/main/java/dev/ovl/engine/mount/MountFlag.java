package dev.ovl.engine.mount;

import dev.ovl.sys.Linux;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A generic mount option of mount(8): one that the kernel's mount layer carries out, whatever the
 * file system. Inside overlay data they would be EINVAL.
 *
 * <p>Those with a {@code superblock} word are set on the superblock by fsconfig(2), those with an
 * attribute on the mount; {@code ro} is both, as mount(2) has it.
 */
public enum MountFlag {
  /** Read-only. */
  RO("ro", "rw", Linux.MS_RDONLY, Linux.MOUNT_ATTR_RDONLY, true),
  /** Set-user-id bits and file capabilities are ignored. */
  NOSUID("nosuid", "suid", Linux.MS_NOSUID, Linux.MOUNT_ATTR_NOSUID, false),
  /** Device files cannot be opened. */
  NODEV("nodev", "dev", Linux.MS_NODEV, Linux.MOUNT_ATTR_NODEV, false),
  /** Programs cannot be executed. */
  NOEXEC("noexec", "exec", Linux.MS_NOEXEC, Linux.MOUNT_ATTR_NOEXEC, false),
  /** Access times are not kept. */
  NOATIME("noatime", "atime", Linux.MS_NOATIME, Linux.MOUNT_ATTR_NOATIME, false),
  /** Access times of directories are not kept. */
  NODIRATIME("nodiratime", "diratime", Linux.MS_NODIRATIME, Linux.MOUNT_ATTR_NODIRATIME, false),
  /** Access times are kept once a day or when older than the modification; the kernel's default. */
  RELATIME("relatime", "norelatime", Linux.MS_RELATIME, Linux.MOUNT_ATTR_RELATIME, false),
  /** Access times are always kept. */
  STRICTATIME(
      "strictatime", "nostrictatime", Linux.MS_STRICTATIME, Linux.MOUNT_ATTR_STRICTATIME, false),
  /** Symbolic links are not followed. */
  NOSYMFOLLOW(
      "nosymfollow", "symfollow", Linux.MS_NOSYMFOLLOW, Linux.MOUNT_ATTR_NOSYMFOLLOW, false),
  /** Writes are synchronous. */
  SYNC("sync", "async", Linux.MS_SYNCHRONOUS, 0, true),
  /** Directory changes are synchronous. */
  DIRSYNC("dirsync", "nodirsync", Linux.MS_DIRSYNC, 0, true),
  /** Times are written late. */
  LAZYTIME("lazytime", "nolazytime", Linux.MS_LAZYTIME, 0, true);

  private final String word;
  private final String opposite;
  private final long ms;
  private final long attribute;
  private final boolean superblock;

  MountFlag(String word, String opposite, long ms, long attribute, boolean superblock) {
    this.word = word;
    this.opposite = opposite;
    this.ms = ms;
    this.attribute = attribute;
    this.superblock = superblock;
  }

  /** The option as mount(8) writes it. */
  public String word() {
    return word;
  }

  /** The option that takes it back. */
  public String opposite() {
    return opposite;
  }

  /** The MS_ bit for mount(2). */
  public long ms() {
    return ms;
  }

  /** The MOUNT_ATTR_ bit for fsmount(2); 0 when there is none. */
  public long attribute() {
    return attribute;
  }

  /** True when fsconfig(2) takes the word as a flag. */
  public boolean isSuperblockFlag() {
    return superblock;
  }

  /** The flag that this word sets. */
  public static Optional<MountFlag> setBy(String word) {
    return Arrays.stream(values()).filter(flag -> flag.word.equals(word)).findFirst();
  }

  /** The flag that this word takes back. */
  public static Optional<MountFlag> clearedBy(String word) {
    return Arrays.stream(values()).filter(flag -> flag.opposite.equals(word)).findFirst();
  }

  /** All words, for messages. */
  public static Stream<String> words() {
    return Arrays.stream(values()).flatMap(flag -> Stream.of(flag.word, flag.opposite));
  }
}
