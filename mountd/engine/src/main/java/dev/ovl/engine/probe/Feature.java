package dev.ovl.engine.probe;

/**
 * One question and its answer.
 *
 * @param key stable name for programs, {@code "overlay.lowerdir_plus"}; its first word is the
 *     group's
 * @param title for people, a few words
 * @param group what it belongs to
 * @param result the answer
 */
public record Feature(String key, String title, Group group, ProbeResult result) {

  /** What features belong together, in the order in which they are shown. */
  public enum Group {
    /** What overlay mounts can do; asked on a private tmpfs. */
    OVERLAY("overlay", "overlay"),

    /** The aufs file system, a patch to the kernel. */
    AUFS("aufs", "aufs"),

    /** Other file systems and targets that drivers and images could use. */
    FILE_SYSTEMS("fs", "other file systems"),

    /** What the file system that holds the root can do. */
    ROOT("root", "the root's file system");

    private final String word;
    private final String title;

    Group(String word, String title) {
      this.word = word;
      this.title = title;
    }

    /** Stable name for programs, with which the keys of its features begin. */
    public String word() {
      return word;
    }

    /** For people. */
    public String title() {
      return title;
    }
  }
}
