package dev.ovl.sys;

import java.util.Optional;

/**
 * struct statmount of statmount(2). A number is meaningful, and a text present, when its STATMOUNT_
 * bit is in {@code mask}.
 *
 * @param mask what the kernel gave
 * @param deviceMajor of the superblock
 * @param deviceMinor of the superblock
 * @param magic of the file system type
 * @param superblockFlags SB_RDONLY, SB_SYNCHRONOUS, SB_DIRSYNC, SB_LAZYTIME
 * @param id unique 64-bit id
 * @param parentId unique 64-bit id of the parent mount
 * @param oldId the id in mountinfo
 * @param oldParentId the parent's id in mountinfo
 * @param attributes MOUNT_ATTR_ bits
 * @param propagation MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE
 * @param peerGroup id of the peer group that a shared mount belongs to, 0 for none
 * @param master id of the peer group that a slave receives from, 0 for none
 * @param namespaceId of the mount namespace
 * @param type file system type, with its subtype ({@code fuse.sshfs}) when that was asked for
 * @param root the mount's root within its file system
 * @param point where it is mounted, seen from the caller's root directory
 * @param source what mount(2) had as source (kernel ≥ 6.13)
 * @param options the file system's own options, as in mountinfo after the source (kernel ≥ 6.11)
 */
public record StatMount(
    long mask,
    int deviceMajor,
    int deviceMinor,
    long magic,
    int superblockFlags,
    long id,
    long parentId,
    int oldId,
    int oldParentId,
    long attributes,
    long propagation,
    long peerGroup,
    long master,
    long namespaceId,
    Optional<String> type,
    Optional<OsPath> root,
    Optional<OsPath> point,
    Optional<OsPath> source,
    Optional<OsPath> options) {}
