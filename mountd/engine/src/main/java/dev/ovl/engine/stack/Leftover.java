package dev.ovl.engine.stack;

import dev.ovl.sys.OsPath;
import java.util.Optional;

/**
 * Something under root or run that nothing needs any more, or that is not as it should be.
 *
 * @param place the file or directory
 * @param stack whose it is or was, where that is known
 * @param what is wrong with it, in words
 * @param holdsData true for a layer with files in it, which would be lost
 */
public record Leftover(
    Kind kind, OsPath place, Optional<StackName> stack, String what, boolean holdsData) {

  Leftover(Kind kind, OsPath place, Optional<StackName> stack, String what) {
    this(kind, place, stack, what, false);
  }

  /** What it is, and what removes it. */
  public enum Kind {
    /** The journal's entry of an operation whose process died. */
    OPERATION("the next command on the stack, or a sweep", true),
    /** The lock file of a stack that does not exist. */
    LOCK_FILE("the next 'create' of that name, or a sweep", true),
    /** Where a process that died had mounted something for a moment. */
    SCRATCH_MOUNT("a sweep", true),
    /** The directory of a layer that no stack names. */
    LAYER("a sweep, which deletes its files", false),
    /** A short link that no stack names. */
    LINK("a sweep", false),
    /** A short link of a stack whose target does not exist. */
    DANGLING_LINK("bringing back what it points to, or 'set' with other lowers", false),
    /** The temporary directory of a probe that was killed. */
    PROBE_DIRECTORY("a sweep", false),
    /** The note of a mount that was ended by other means than 'down'. */
    MOUNT_RECORD("'down', or a sweep", false),
    /**
     * A definition or journal entry that cannot be read. What it names is not known, so that no
     * layer or link is reported or removed while there is one.
     */
    UNREADABLE("mending or deleting the file by hand", false);

    private final String remedy;
    private final boolean recovered;

    Kind(String remedy, boolean recovered) {
      this.remedy = remedy;
      this.recovered = recovered;
    }

    /** What removes it, in words. */
    public String remedy() {
      return remedy;
    }

    /** Whether {@link Stacks#sweep} removes it. */
    public boolean isSwept() {
      return this != DANGLING_LINK && this != UNREADABLE;
    }

    /** Whether {@link Stacks#recover} removes it. */
    boolean isRecovered() {
      return recovered;
    }
  }
}
