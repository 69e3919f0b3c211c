package dev.ovl.engine.move;

import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Timestamp;

/**
 * What tells one file from another and from itself at another time, in 64 bits. Two that differ
 * have the same one by accident only, once in many million trees of a million files; whoever wants
 * to deceive must own the files, and could as well not have changed them.
 */
final class Fingerprint {
  private static final long SEED = 0x9E3779B97F4A7C15L;

  /** Of the root of a tree, from which those of all paths come. */
  static final long ROOT = SEED;

  private Fingerprint() {}

  /** Of a name in a directory. */
  static long name(long directory, OsPath name) {
    long hash = mix(directory, name.length());
    for (int i = 0; i < name.length(); i += Long.BYTES) {
      long some = 0;
      for (int j = i; j < name.length() && j < i + Long.BYTES; j++) {
        some = some << Byte.SIZE | (name.at(j) & 0xFF);
      }
      hash = mix(hash, some);
    }
    return hash;
  }

  /** Of a path from the root of the tree, {@code .} itself. */
  static long path(OsPath path) {
    long hash = ROOT;
    if (!path.equals(OsPath.DOT)) {
      for (OsPath name : path.components()) {
        hash = name(hash, name);
      }
    }
    return hash;
  }

  /**
   * Of a file in one state: all that changes when its data, its attributes or, of a directory, its
   * names do.
   *
   * @param path its fingerprint
   */
  static long state(long path, Statx stat) {
    long hash = mix(path, (long) stat.devMajor() << Integer.SIZE | stat.devMinor());
    hash = mix(hash, stat.inode());
    hash = mix(hash, stat.mode());
    hash = mix(hash, stat.links());
    hash = mix(hash, (long) stat.uid() << Integer.SIZE | (stat.gid() & 0xFFFFFFFFL));
    hash = mix(hash, (long) stat.rdevMajor() << Integer.SIZE | stat.rdevMinor());
    hash = mix(hash, stat.size());
    return time(time(hash, stat.modified()), stat.changed());
  }

  /**
   * Of what may be removed: does not change when other files of the tree are removed, nor by a
   * reboot.
   *
   * @param path its fingerprint
   * @param alone whether the file has one name; else the removal of the others changes its ctime
   */
  static long removable(long path, Statx stat, boolean alone) {
    long hash = mix(path, stat.mode() & Linux.S_IFMT);
    if (stat.isDirectory()) {
      return hash; // and goes only when nothing is in it
    }
    hash = time(mix(hash, stat.size()), stat.modified());
    return alone ? time(hash, stat.changed()) : mix(hash, 0);
  }

  private static long time(long hash, Timestamp time) {
    return mix(mix(hash, time.seconds()), time.nanoseconds());
  }

  private static long mix(long hash, long value) {
    long mixed = (hash ^ value) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 32)) * 0x94D049BB133111EBL;
    return (mixed ^ (mixed >>> 29)) + SEED;
  }
}
