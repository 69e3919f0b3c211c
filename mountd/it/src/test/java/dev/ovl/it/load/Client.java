package dev.ovl.it.load;

import dev.ovl.api.CommandHost;
import dev.ovl.api.Failure;
import dev.ovl.api.HostException;
import dev.ovl.api.StackEntry;
import dev.ovl.api.StackReport;
import dev.ovl.it.load.Request.Outcome;
import dev.ovl.it.load.StackState.Present;
import dev.ovl.it.load.StackState.Shape;
import dev.ovl.it.load.StackState.Upper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * Asks at random. Some stacks are its own: it knows what they must be and what each answer must be.
 * Others it shares: it writes down what it was answered.
 */
final class Client {
  private static final String MARK = "mark";

  private final Site site;
  private final Random random;
  private final List<String> own;
  private final Map<String, History> shared;
  private final List<String> sharedNames;

  /** What each of its own may be: one state, but after a request that got no answer. */
  private final Map<String, Set<StackState>> known = new HashMap<>();

  /** What it wrote last into the mounts of its own. */
  private final Map<String, String> marks = new HashMap<>();

  private long done;

  /**
   * @param own none of them exists
   * @param shared histories by name
   */
  Client(Site site, long seed, List<String> own, Map<String, History> shared) {
    this.site = site;
    this.random = new Random(seed);
    this.own = own;
    this.shared = shared;
    this.sharedNames = shared.keySet().stream().sorted().toList();
    own.forEach(name -> known.put(name, Set.of(StackState.ABSENT)));
  }

  /** How many requests were answered. */
  long answered() {
    return done;
  }

  /** Its own stacks and what they may be. */
  Map<String, Set<StackState>> known() {
    return known;
  }

  /** Creates all of its own. */
  void populate(CommandHost host) throws HostException {
    for (String stack : own) {
      askOwn(host, Request.create(site, stack, Site.anyShape(random), random.nextBoolean(), false));
    }
  }

  /**
   * Asks once.
   *
   * @throws HostException it was answered by none of {@link Answer}: the daemon is gone, or the
   *     test has failed
   */
  void ask(CommandHost host) throws HostException {
    int dice = random.nextInt(1000);
    if (dice < 10) {
      compare(host.list());
    } else if (dice < 12) {
      host.namesByDependency();
    } else if (dice < 13) {
      host.probe();
    } else if (dice < 250 && !sharedNames.isEmpty()) {
      askShared(host, sharedRequest());
    } else {
      String stack = own.get(random.nextInt(own.size()));
      askOwn(host, ownRequest(stack));
    }
    done++;
  }

  // ---- its own stacks -----------------------------------------------------------------------

  private StackState state(String stack) {
    Set<StackState> states = known.get(stack);
    if (states.size() != 1) {
      throw new AssertionError(stack + " was not looked at after the last failure: " + states);
    }
    return states.iterator().next();
  }

  private Request ownRequest(String stack) {
    StackState state = state(stack);
    boolean dryRun = random.nextInt(20) == 0;
    int dice = random.nextInt(100);
    if (state instanceof StackState.Absent && dice < 50) {
      return Request.create(site, stack, Site.anyShape(random), random.nextBoolean(), dryRun);
    }
    if (dice < 15) {
      return Request.status(site, stack);
    } else if (dice < 30) {
      return Request.inspect(site, stack);
    } else if (dice < 50) {
      return Request.up(stack, dryRun);
    } else if (dice < 68) {
      return Request.down(stack, dryRun);
    } else if (dice < 80) {
      return Request.set(site, stack, change(state), dryRun);
    } else if (dice < 86) {
      return Request.create(site, stack, Site.anyShape(random), random.nextBoolean(), dryRun);
    } else if (dice < 92) {
      return copy(stack);
    }
    return Request.remove(stack, random.nextBoolean());
  }

  private Shape change(StackState state) {
    return state instanceof Present present
        ? Site.anyChange(present.shape(), random)
        : Site.anyShape(random);
  }

  /** Of one of its own, as something else would change meanwhile. */
  private Request copy(String stack) {
    String from = own.get(random.nextInt(own.size()));
    StackState fromState = state(from);
    if (fromState instanceof Present present && present.shape().upper() == Upper.GIVEN) {
      // two would have one upper
      return Request.inspect(site, from);
    }
    return Request.copy(site, from, fromState, stack, change(fromState));
  }

  private void askOwn(CommandHost host, Request request) throws HostException {
    String stack = request.stack();
    StackState before = state(stack);
    Outcome expected = request.rule().on(before);
    if (before instanceof Present != expected.after() instanceof Present) {
      marks.remove(stack);
    }
    Answer answer;
    try {
      answer = request.send(host);
    } catch (HostException e) {
      if (mayBeDone(e)) {
        Set<StackState> states = new HashSet<>(expected.onTheWay());
        states.add(before);
        states.add(expected.after());
        known.put(stack, states);
      }
      throw e;
    }
    if (!answer.equals(expected.answer())) {
      throw new AssertionError(
          request + " was answered '" + answer.text() + "' although it was " + before);
    }
    known.put(stack, Set.of(expected.after()));
    if (expected.after() instanceof Present present && present.up()) {
      use(host, stack, present.shape());
    }
  }

  private static boolean mayBeDone(HostException e) {
    return e.failure().kind() == Failure.Kind.UNAVAILABLE
        && !e.getMessage().startsWith("cannot connect to ");
  }

  /** Sees that the mount shows what it should, and leaves a mark in it. */
  private void use(CommandHost host, String stack, Shape shape) throws HostException {
    Path mount = shape.givenTarget() ? site.target(stack) : Path.of(host.status(stack).target());
    try {
      String who = Files.readString(mount.resolve(Site.WHO));
      if (!who.equals(shape.lowers().get(0))) {
        throw new AssertionError(stack + " shows " + who + " instead of " + shape);
      }
      if (shape.upper() == Upper.NONE) {
        return;
      }
      Optional<String> expected = Optional.ofNullable(marks.get(stack));
      if (expected.isPresent() && !Files.readString(mount.resolve(MARK)).equals(expected.get())) {
        throw new AssertionError(
            stack + " does not show what was written into it: " + expected.get());
      }
      String mark = stack + " " + random.nextLong();
      Files.writeString(mount.resolve(MARK), mark);
      marks.put(stack, mark);
    } catch (IOException e) {
      throw new AssertionError(stack + " cannot be used on " + mount, e);
    }
  }

  /** What {@code ls} says of its own stacks. */
  private void compare(List<StackEntry> entries) {
    Map<String, StackEntry> byName = new HashMap<>();
    for (StackEntry entry : entries) {
      if (byName.put(entry.name(), entry) != null) {
        throw new AssertionError("ls has " + entry.name() + " twice");
      }
    }
    for (String stack : own) {
      StackEntry entry = byName.get(stack);
      boolean right =
          switch (state(stack)) {
            case StackState.Absent absent -> entry == null;
            case Present present ->
                entry instanceof StackEntry.Known one
                    && one.summary().up() == present.up()
                    && one.summary().lowers() == present.shape().lowers().size();
          };
      if (!right) {
        throw new AssertionError(
            "ls says " + entry + " of " + stack + ", which is " + state(stack));
      }
    }
  }

  /** Looks at what became of a request that was not answered, and at all else of its own. */
  void lookAgain(CommandHost host) throws HostException {
    for (String stack : own) {
      StackState now = seen(host, site, stack);
      if (!known.get(stack).contains(now)) {
        throw new AssertionError(
            stack + " is " + now + ", by the answers it must be " + known.get(stack));
      }
      if (known.get(stack).size() > 1) {
        marks.remove(stack);
      }
      known.put(stack, Set.of(now));
    }
  }

  /** What a stack is. */
  static StackState seen(CommandHost host, Site site, String stack) throws HostException {
    try {
      StackReport report = host.inspect(stack);
      return new Present(site.shape(report), report.up());
    } catch (HostException e) {
      if (Answer.refusal(e).equals(Answer.NO_SUCH_STACK)) {
        return StackState.ABSENT;
      }
      throw e;
    }
  }

  // ---- shared stacks ------------------------------------------------------------------------

  /** One operation of the engine each, since others may see what lies between two. */
  private Request sharedRequest() {
    // half of all about a few stacks, so that they meet
    int few = Math.max(1, sharedNames.size() / 16);
    String stack = sharedNames.get(random.nextInt(random.nextBoolean() ? few : sharedNames.size()));
    int dice = random.nextInt(100);
    if (dice < 20) {
      return Request.status(site, stack);
    } else if (dice < 40) {
      return Request.inspect(site, stack);
    } else if (dice < 55) {
      return Request.up(stack, false);
    } else if (dice < 68) {
      return Request.down(stack, false);
    } else if (dice < 80) {
      return Request.set(site, stack, Site.anyShape(random), false);
    } else if (dice < 92) {
      return Request.create(site, stack, Site.anyShape(random), false, false);
    }
    return Request.remove(stack, false);
  }

  private void askShared(CommandHost host, Request request) throws HostException {
    History history = shared.get(request.stack());
    long begin = System.nanoTime();
    try {
      Answer answer = request.send(host);
      history.answered(request, answer, begin, System.nanoTime());
    } catch (HostException e) {
      if (mayBeDone(e)) {
        history.unanswered(request, begin);
      }
      throw e;
    }
  }
}
