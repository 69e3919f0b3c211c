package dev.ovl.cli.demo;

import dev.ovl.cli.output.Output;
import dev.ovl.cli.session.Cancellation;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.Arrays;
import java.util.List;

/**
 * A first union mount, in a scratch directory with a root of its own: two directories become one,
 * reading finds the upper first, writing copies up, deleting leaves a whiteout, and what lies below
 * never changes. Each claim is checked on the files themselves.
 */
public final class WalkThrough {
  private final Syscalls sys;
  private final Output output;
  private final boolean json;
  private final Cancellation cancellation;

  /**
   * @param sys what to call
   * @param json whether to print the claims as JSON instead of the transcript
   * @param cancellation asked between the steps
   */
  public WalkThrough(Syscalls sys, Output output, boolean json, Cancellation cancellation) {
    this.sys = sys;
    this.output = output;
    this.json = json;
    this.cancellation = cancellation;
  }

  /** The titles of the steps, in order. */
  public static List<String> titles() {
    return Arrays.stream(Step.values()).map(Step::title).toList();
  }

  /**
   * Goes through all steps, and removes whatever they made, however they end.
   *
   * @param temporary where the scratch directory is made; absolute
   * @param keep leave directory and mount, and say how to remove them
   * @return the number of claims that were checked
   * @throws EngineException a claim does not hold; the user wants to stop; the machine cannot do it
   */
  public int run(OsPath temporary, boolean keep) throws EngineException, ErrnoException {
    Transcript show = new Transcript(output, json);
    try {
      run(show, temporary, keep);
    } finally {
      show.end();
    }
    return show.claims();
  }

  private void run(Transcript show, OsPath temporary, boolean keep)
      throws EngineException, ErrnoException {
    Playground place = Playground.make(sys, temporary);
    boolean whole = false;
    try {
      place.furnish();
      run(show, place, keep);
      whole = true;
    } finally {
      if (keep) {
        sayHowToRemove(place);
      } else if (!whole) {
        removeAfterFailure(place);
      }
    }
    if (!keep) {
      place.remove();
    }
  }

  private void run(Transcript show, Playground place, boolean keep)
      throws EngineException, ErrnoException {
    try (Stacks stacks = new Stacks(sys, place.root(), place.run())) {
      Steps steps = new Steps(sys, place, stacks, StackName.of("demo"), show);
      for (Step step : Step.values()) {
        if (cancellation.isRequested()) {
          throw EngineException.failed("interrupted before step '" + step.title() + "'");
        }
        if (!keep || !step.isFarewell()) {
          steps.run(step);
        }
      }
    }
  }

  private void removeAfterFailure(Playground place) {
    try {
      place.remove();
    } catch (ErrnoException e) {
      // the failure itself is on its way to the user; this is told beside it
      output.error("demo: " + place.directory().quoted() + " stays behind: " + e.getMessage());
    }
  }

  private void sayHowToRemove(Playground place) {
    String directory = place.directory().quoted();
    output.note(
        "demo: kept "
            + directory
            + "; to remove it: ovlctl --root "
            + place.root().quoted()
            + " --run "
            + place.run().quoted()
            + " rm --force demo"
            + (place.isTmpfs() ? " && umount " + directory : "")
            + " && rm -r "
            + directory);
  }
}
