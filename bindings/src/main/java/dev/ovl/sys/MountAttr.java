package dev.ovl.sys;

/**
 * struct mount_attr of mount_setattr(2).
 *
 * @param set MOUNT_ATTR_ bits to set
 * @param clear MOUNT_ATTR_ bits to clear
 * @param propagation MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE, or 0 to leave it
 * @param userNamespace descriptor of a user namespace for MOUNT_ATTR_IDMAP, else 0
 */
public record MountAttr(long set, long clear, long propagation, long userNamespace) {}
