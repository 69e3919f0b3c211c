package dev.ovl.engine.usage;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statfs;
import dev.ovl.sys.Syscalls;
import java.util.OptionalLong;

/**
 * How much a file system holds and could still take, as statfs(2) has it.
 *
 * @param bytes its size
 * @param bytesAvailable what an unprivileged user could still fill
 * @param inodes in all; empty where the file system has no fixed number
 * @param inodesFree empty where {@code inodes} is
 */
public record FileSystemRoom(
    long bytes, long bytesAvailable, OptionalLong inodes, OptionalLong inodesFree) {

  /**
   * Of the file system that holds the path.
   *
   * @throws ErrnoException ENOENT: there is no such path
   */
  public static FileSystemRoom at(Syscalls sys, OsPath path) throws ErrnoException {
    Statfs stat = sys.statfs(path);
    boolean counts = stat.files() != 0;
    return new FileSystemRoom(
        stat.blocks() * stat.blockSize(),
        stat.blocksAvailable() * stat.blockSize(),
        counts ? OptionalLong.of(stat.files()) : OptionalLong.empty(),
        counts ? OptionalLong.of(stat.filesFree()) : OptionalLong.empty());
  }
}
