package dev.ovl.engine.tree;

import dev.ovl.sys.Timestamp;

/**
 * What is kept of a file besides its name, its kind and its data.
 *
 * @param permissions with setuid, setgid and sticky: 0 to 07777; those of a symbolic link mean
 *     nothing
 * @param modified to the nanosecond
 * @param xattrs all that the file has, ACLs and capabilities among them, without those by which
 *     overlayfs keeps its own books
 */
public record Attributes(int permissions, int uid, int gid, Timestamp modified, Xattrs xattrs) {}
