package dev.ovl.server.api;

/** What members of the socket's group may do. */
public enum GroupAccess {
  /** Nothing. */
  NONE,
  /** Ask. */
  READ,
  /** Ask and change, which equals root. */
  WRITE
}
