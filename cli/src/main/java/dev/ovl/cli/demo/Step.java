package dev.ovl.cli.demo;

/** The steps of the walk-through, in order. */
enum Step {
  PREPARE("Two directories, to be shown as one"),
  MOUNT("Create a stack of them and mount it"),
  LOOK("What the kernel made of it"),
  READ("Read: the upper first, then what lies below"),
  WRITE("Write: the upper changes, never the lower"),
  COPY_UP("Write what only the lower has: it is copied up first"),
  DELETE("Delete: a whiteout hides what lies below"),
  UNMOUNT("Unmount: the changes are in the upper, the lower is as it was"),
  FORGET("Forget the stack: the directories stay");

  private final String title;

  Step(String title) {
    this.title = title;
  }

  String title() {
    return title;
  }

  /** Whether it takes away what the steps before have made. */
  boolean isFarewell() {
    return this == UNMOUNT || this == FORGET;
  }
}
