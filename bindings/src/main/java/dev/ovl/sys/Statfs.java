package dev.ovl.sys;

/**
 * struct statfs of statfs(2).
 *
 * @param type the file system's magic number, as in linux/magic.h
 * @param blockSize bytes a block
 * @param blocks in the file system
 * @param blocksFree free
 * @param blocksAvailable free for an unprivileged user
 * @param files inodes in all, 0 where the file system does not count them
 * @param filesFree free inodes
 * @param nameLength longest name, in bytes
 * @param flags ST_ mount flags
 */
public record Statfs(
    long type,
    long blockSize,
    long blocks,
    long blocksFree,
    long blocksAvailable,
    long files,
    long filesFree,
    long nameLength,
    long flags) {}
