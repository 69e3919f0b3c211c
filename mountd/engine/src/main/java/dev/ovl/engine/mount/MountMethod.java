package dev.ovl.engine.mount;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;

/** The ways to hand an overlay's layers to the kernel, in the order in which they are tried. */
public enum MountMethod {
  /** mount(2) with absolute paths. */
  CLASSIC("classic"),
  /** mount(2) from a thread in the link directory's parent, with short link names. */
  RELATIVE("relative"),
  /** fsconfig(2), one {@code lowerdir+} a layer. */
  LOWERDIR_PLUS("lowerdir+"),
  /**
   * mount(2) from a thread in its own /proc descriptor directory, with descriptor numbers as names.
   */
  FD("fd");

  private final String word;

  MountMethod(String word) {
    this.word = word;
  }

  /** The word on the command line and in JSON. */
  public String word() {
    return word;
  }

  /**
   * The method that a word names.
   *
   * @throws EngineException USAGE: there is none
   */
  public static MountMethod of(String word) throws EngineException {
    for (MountMethod method : values()) {
      if (method.word.equals(word)) {
        return method;
      }
    }
    throw EngineException.usage(
        "unknown method " + OsPath.quoted(word) + "; known are classic, relative, lowerdir+, fd");
  }
}
