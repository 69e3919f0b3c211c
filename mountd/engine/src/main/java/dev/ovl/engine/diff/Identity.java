package dev.ovl.engine.diff;

import dev.ovl.sys.Statx;

/** A real file, whatever its names. */
record Identity(int major, int minor, long inode) {

  static Identity of(Statx stat) {
    return new Identity(stat.devMajor(), stat.devMinor(), stat.inode());
  }
}
