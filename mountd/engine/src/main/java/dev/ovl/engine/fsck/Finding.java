package dev.ovl.engine.fsck;

import dev.ovl.sys.OsPath;
import java.util.Optional;

/**
 * Something that is not as it should be.
 *
 * @param kind what
 * @param directory the layer or work directory that it is in; absolute
 * @param path from there; empty for the directory itself
 * @param text what is wrong, on one line
 * @param mend what a repair does about it; absent where it does nothing
 * @param reason why nothing; absent where something is done
 */
public record Finding(
    Kind kind,
    OsPath directory,
    OsPath path,
    String text,
    Optional<Mend> mend,
    Optional<String> reason) {

  /** How bad it is. */
  public enum Severity {
    /** Harmless: nobody sees it in the mount, or the kernel clears it away. */
    NOTE,
    /** Something is not shown, shown wrongly or not mounted, or will be. */
    PROBLEM
  }

  /** What there is to find. */
  public enum Kind {
    /** A directory that the overlay is made of is not there. */
    LAYER_MISSING(Severity.PROBLEM),
    /** The lowers are not those that the upper was made above. */
    LOWER_CHANGED(Severity.PROBLEM),
    /** The kernel, or this version of ovl, can make no sense of it. */
    BROKEN(Severity.PROBLEM),
    /** What the redirect of a directory names is in no layer below. */
    REDIRECT_DANGLING(Severity.PROBLEM),
    /** A redirect that is none. */
    REDIRECT_MALFORMED(Severity.PROBLEM),
    /** A redirect of an opaque directory, which is not followed. */
    REDIRECT_IDLE(Severity.NOTE),
    /** The same directory of a lower is shown in two places. */
    REDIRECT_TWICE(Severity.PROBLEM),
    /** The data of a metadata-only copy is in no layer below. */
    DATA_MISSING(Severity.PROBLEM),
    /** An origin that is none. */
    ORIGIN_MALFORMED(Severity.NOTE),
    /** The file that it was copied up from is no more. */
    ORIGIN_STALE(Severity.NOTE),
    /** A directory merges with another one than it was copied up from. */
    ORIGIN_WRONG(Severity.NOTE),
    /** Something in the index that does not belong there: the kernel refuses to mount with it. */
    INDEX_UNKNOWN(Severity.PROBLEM),
    /** An entry of the index that belongs to another file than its name says. */
    INDEX_STALE(Severity.NOTE),
    /** An entry of the index that no name leads to any more. */
    INDEX_ORPHAN(Severity.NOTE),
    /** A number of links that cannot be. */
    LINKS_WRONG(Severity.PROBLEM),
    /** A whiteout that hides nothing. */
    WHITEOUT_USELESS(Severity.NOTE),
    /** A whiteout that the mount shows as a file. */
    WHITEOUT_UNMARKED(Severity.PROBLEM),
    /** An opaque directory in the lowest layer. */
    OPAQUE_USELESS(Severity.NOTE),
    /** A directory that holds what was copied up, and is not marked so. */
    IMPURE_MISSING(Severity.NOTE),
    /** What a program left in the work directory. */
    WORK_LEFTOVER(Severity.NOTE),
    /** A volatile mount was not ended cleanly. */
    VOLATILE(Severity.PROBLEM),
    /** A move that was cut short left a name. */
    MOVE_LEFTOVER(Severity.NOTE),
    /** The mount does not show what its layers have. */
    SHOWN_OTHERWISE(Severity.PROBLEM),
    /** Another stack or mount has the upper or work. */
    UPPER_SHARED(Severity.PROBLEM),
    /** A short name of a lower is missing or leads elsewhere. */
    LINK_LOST(Severity.NOTE),
    /** A short name that nothing needs. */
    LINK_LEAKED(Severity.NOTE);

    private final Severity severity;

    Kind(Severity severity) {
      this.severity = severity;
    }

    /** How bad it is. */
    public Severity severity() {
      return severity;
    }
  }

  /** One that a repair mends. */
  public static Finding of(Kind kind, OsPath directory, OsPath path, String text, Mend mend) {
    return new Finding(kind, directory, path, text, Optional.of(mend), Optional.empty());
  }

  /** One that a repair leaves alone. */
  public static Finding of(Kind kind, OsPath directory, OsPath path, String text, String reason) {
    return new Finding(kind, directory, path, text, Optional.empty(), Optional.of(reason));
  }

  /** The same, left alone. */
  Finding withheld(String why) {
    return of(kind, directory, path, text, why);
  }

  /** Where it is. */
  public OsPath place() {
    return directory.resolve(path);
  }
}
