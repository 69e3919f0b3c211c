package dev.ovl.engine.fsck;

/**
 * What a repair does about a finding. Each leaves every file's content in place, and every one of
 * its steps leaves an overlay that shows what it showed, or what it should.
 */
public sealed interface Mend {

  /** In a few words. */
  String words();

  /**
   * Whether it may be done without asking: nobody sees a difference, whichever lowers these are.
   */
  boolean isSafe();

  /**
   * Removes an attribute of the overlay's books.
   *
   * @param attribute without prefix
   */
  record Forget(String attribute) implements Mend {
    @Override
    public String words() {
      return "remove the attribute " + attribute;
    }

    @Override
    public boolean isSafe() {
      return false;
    }
  }

  /** Makes a directory opaque, which it is in effect, and removes its redirect. */
  record Seal() implements Mend {
    @Override
    public String words() {
      return "make the directory opaque and remove its redirect: it goes on showing what it has"
          + " itself";
    }

    @Override
    public boolean isSafe() {
      return false;
    }
  }

  /** Marks a directory that holds what was copied up. */
  record MarkImpure() implements Mend {
    @Override
    public String words() {
      return "mark it";
    }

    @Override
    public boolean isSafe() {
      return true;
    }
  }

  /** Marks a directory that holds whiteouts which are files. */
  record MarkWhiteouts() implements Mend {
    @Override
    public String words() {
      return "mark its directory: the name is gone from the mount then";
    }

    @Override
    public boolean isSafe() {
      return false;
    }
  }

  /** Removes a whiteout; the time of its directory stays. */
  record Unlink() implements Mend {
    @Override
    public String words() {
      return "remove it";
    }

    @Override
    public boolean isSafe() {
      return false;
    }
  }

  /** Removes what a program left that did not get to its end, with all that is in it. */
  record Sweep() implements Mend {
    @Override
    public String words() {
      return "remove it";
    }

    @Override
    public boolean isSafe() {
      return true;
    }
  }

  /** Finishes or undoes the moves into a directory. */
  record EndMoves() implements Mend {
    @Override
    public String words() {
      return "finish the move or undo it, as mv --recover does";
    }

    @Override
    public boolean isSafe() {
      return true;
    }
  }

  /**
   * Something that only who knows the stack can do.
   *
   * @param words what
   */
  record OfStack(String words) implements Mend {
    @Override
    public boolean isSafe() {
      return true;
    }
  }

  /**
   * Writes a number of links that cannot lose the file.
   *
   * @param value of the attribute
   */
  record CountLinks(String value) implements Mend {
    @Override
    public String words() {
      return "set it to " + value + ", with which no name is lost";
    }

    @Override
    public boolean isSafe() {
      return true;
    }
  }
}
