package dev.ovl.it.load;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.StackSummary;
import dev.ovl.it.load.StackState.Present;
import dev.ovl.it.load.StackState.Shape;
import java.util.List;

/**
 * A request about one stack: how it is sent, and by which rule it is answered.
 *
 * @param stack whose state it may change
 * @param text for messages
 */
record Request(String stack, String text, Sender sender, Rule rule) {

  /** How it is sent; what it returns is what was answered. */
  interface Sender {
    Answer send(CommandHost host) throws HostException;
  }

  /** What it does to a stack. */
  interface Rule {
    Outcome on(StackState state);
  }

  /**
   * @param onTheWay states between, in which a daemon may be killed: of requests that are two
   *     operations of the engine
   */
  record Outcome(Answer answer, StackState after, List<StackState> onTheWay) {
    static Outcome of(Answer answer, StackState after) {
      return new Outcome(answer, after, List.of());
    }
  }

  /**
   * Sends it.
   *
   * @throws HostException it was answered by none of {@link Answer}, or not at all
   */
  Answer send(CommandHost host) throws HostException {
    try {
      return sender.send(host);
    } catch (HostException e) {
      return Answer.refusal(e);
    }
  }

  @Override
  public String toString() {
    return text;
  }

  // ---- definitions --------------------------------------------------------------------------

  static Request create(Site site, String stack, Shape shape, boolean up, boolean dryRun) {
    return new Request(
        stack,
        (dryRun ? "dry-run " : "") + "create " + (up ? "--up " : "") + stack + " " + shape,
        host -> {
          host.create(site.draft(stack, shape), up, dryRun);
          return Answer.DONE;
        },
        state -> made(state, shape, up, dryRun));
  }

  private static Outcome made(StackState state, Shape shape, boolean up, boolean dryRun) {
    if (state instanceof Present) {
      return Outcome.of(Answer.EXISTS, state);
    }
    if (dryRun) {
      return Outcome.of(Answer.DONE, state);
    }
    return new Outcome(
        Answer.DONE, new Present(shape, up), up ? List.of(new Present(shape, false)) : List.of());
  }

  /**
   * A copy of another stack.
   *
   * @param from does not change meanwhile
   * @param fromState its state
   * @param shape of the copy: with the upper that a copy of it gets
   */
  static Request copy(Site site, String from, StackState fromState, String stack, Shape shape) {
    return new Request(
        stack,
        "clone " + from + " " + stack + " " + shape,
        host -> {
          host.copy(from, site.copy(stack, shape), false);
          return Answer.DONE;
        },
        state ->
            fromState instanceof Present
                ? made(state, shape, false, false)
                : Outcome.of(Answer.NO_SUCH_STACK, state));
  }

  /**
   * @param shape its upper is ignored: that stays
   */
  static Request set(Site site, String stack, Shape shape, boolean dryRun) {
    return new Request(
        stack,
        (dryRun ? "dry-run " : "") + "set " + stack + " " + shape,
        host -> {
          host.set(stack, site.patch(stack, shape), dryRun);
          return Answer.DONE;
        },
        state ->
            switch (state) {
              case StackState.Absent absent -> Outcome.of(Answer.NO_SUCH_STACK, state);
              case Present present when present.up() -> Outcome.of(Answer.IS_UP, state);
              case Present present ->
                  Outcome.of(
                      Answer.DONE,
                      dryRun ? state : new Present(withUpper(shape, present.shape()), false));
            });
  }

  private static Shape withUpper(Shape shape, Shape other) {
    return new Shape(
        shape.lowers(), other.upper(), shape.givenTarget(), shape.options(), shape.method());
  }

  static Request remove(String stack, boolean force) {
    return new Request(
        stack,
        "rm " + (force ? "--force " : "") + stack,
        host -> {
          host.remove(stack, force, false);
          return Answer.DONE;
        },
        state ->
            switch (state) {
              case StackState.Absent absent -> Outcome.of(Answer.NO_SUCH_STACK, state);
              case Present present when present.up() && !force -> Outcome.of(Answer.IS_UP, state);
              case Present present ->
                  new Outcome(
                      Answer.DONE,
                      StackState.ABSENT,
                      present.up() ? List.of(new Present(present.shape(), false)) : List.of());
            });
  }

  // ---- mounts -------------------------------------------------------------------------------

  static Request up(String stack, boolean dryRun) {
    return new Request(
        stack,
        (dryRun ? "dry-run " : "") + "up " + stack,
        host -> {
          host.up(stack, false, dryRun);
          return Answer.DONE;
        },
        state -> moved(state, true, dryRun));
  }

  static Request down(String stack, boolean dryRun) {
    return new Request(
        stack,
        (dryRun ? "dry-run " : "") + "down " + stack,
        host -> {
          host.down(stack, false, dryRun);
          return Answer.DONE;
        },
        state -> moved(state, false, dryRun));
  }

  private static Outcome moved(StackState state, boolean up, boolean dryRun) {
    return switch (state) {
      case StackState.Absent absent -> Outcome.of(Answer.NO_SUCH_STACK, state);
      case Present present ->
          Outcome.of(Answer.DONE, dryRun ? state : new Present(present.shape(), up));
    };
  }

  // ---- questions ----------------------------------------------------------------------------

  static Request status(Site site, String stack) {
    return new Request(
        stack,
        "status " + stack,
        host -> {
          StackSummary summary = host.status(stack);
          return Answer.status(
              summary.up(),
              summary.lowers(),
              summary.target().equals(site.target(stack).toString()));
        },
        state ->
            switch (state) {
              case StackState.Absent absent -> Outcome.of(Answer.NO_SUCH_STACK, state);
              case Present present ->
                  Outcome.of(
                      Answer.status(
                          present.up(),
                          present.shape().lowers().size(),
                          present.shape().givenTarget()),
                      state);
            });
  }

  static Request inspect(Site site, String stack) {
    return new Request(
        stack,
        "inspect " + stack,
        host -> {
          var report = host.inspect(stack);
          return Answer.inspected(new Present(site.shape(report), report.up()));
        },
        state ->
            switch (state) {
              case StackState.Absent absent -> Outcome.of(Answer.NO_SUCH_STACK, state);
              case Present present -> Outcome.of(Answer.inspected(present), state);
            });
  }
}
