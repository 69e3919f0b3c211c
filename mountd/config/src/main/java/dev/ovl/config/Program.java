package dev.ovl.config;

/** Who reads settings. */
public enum Program {
  OVLCTL,
  MOUNTD
}
