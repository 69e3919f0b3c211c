package dev.ovl.engine.probe;

import dev.ovl.sys.OsPath;
import java.util.OptionalLong;

/**
 * The file system that holds the root, or will hold it.
 *
 * @param root as given
 * @param probed the directory that was looked at: the root, or its nearest existing ancestor
 * @param type as in /proc/filesystems, {@code "ext4"}; where the mount cannot be found, {@code
 *     "unknown (0x…)"} with the magic number of statfs(2)
 * @param bytes size in bytes
 * @param bytesAvailable bytes that an unprivileged user could still fill
 * @param inodes in all; empty where the file system has no fixed number
 * @param inodesFree free; empty where {@code inodes} is
 */
public record RootFileSystem(
    OsPath root,
    OsPath probed,
    String type,
    long bytes,
    long bytesAvailable,
    OptionalLong inodes,
    OptionalLong inodesFree) {}
