package dev.ovl.engine.aufs;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;

/**
 * A directory of an aufs.
 *
 * @param directory absolute
 * @param permission what aufs may do there
 */
public record AufsBranch(OsPath directory, AufsPermission permission) {

  /**
   * Reads a branch as people write it, {@code DIR} or {@code DIR=PERMISSION}. What stands after the
   * last equals sign is the permission.
   *
   * @param otherwise the permission where none is given
   * @throws EngineException USAGE: the permission is none
   */
  public static AufsBranch parse(String text, AufsPermission otherwise) throws EngineException {
    int equals = text.lastIndexOf('=');
    return equals < 0
        ? new AufsBranch(OsPath.of(text), otherwise)
        : new AufsBranch(
            OsPath.of(text.substring(0, equals)), AufsPermission.parse(text.substring(equals + 1)));
  }

  /** The branch as in an option, for messages: {@code /a=ro+wh}, quoted where needed. */
  @Override
  public String toString() {
    return OsPath.quoted(directory + "=" + permission.text());
  }
}
