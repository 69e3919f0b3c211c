package dev.ovl.it.load;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What several clients asked about one stack and were answered. For any number of threads.
 *
 * <p>The answers are right if there is an order of the requests in which each is answered as its
 * rule says, and in which none comes before one that was answered before it was sent. (Herlihy and
 * Wing, Linearizability, 1990; searched for as Wing and Gong do, with the configurations that led
 * nowhere remembered.)
 */
final class History {
  private final List<Event> events = new ArrayList<>();

  /**
   * @param answer absent: the daemon was killed before it came, so that the request was carried out
   *     or was not
   * @param begin when it was sent, as {@link System#nanoTime} counts
   * @param end when the answer came
   */
  private record Event(Request request, Optional<Answer> answer, long begin, long end) {
    @Override
    public String toString() {
      return begin
          + " to "
          + end
          + ": "
          + request
          + ": "
          + answer.map(Answer::text).orElse("no answer");
    }
  }

  synchronized void answered(Request request, Answer answer, long begin, long end) {
    events.add(new Event(request, Optional.of(answer), begin, end));
  }

  synchronized void unanswered(Request request, long begin) {
    events.add(new Event(request, Optional.empty(), begin, Long.MAX_VALUE));
  }

  /** Forgets all, and fails unless the answers fit into one order that begins with a state. */
  synchronized void settle(StackState initial) {
    List<Event> sorted = events.stream().sorted(Comparator.comparingLong(Event::begin)).toList();
    events.clear();
    if (!new Search(sorted).leadsToTheEnd(new BitSet(), initial)) {
      throw new AssertionError(
          "no order of these requests, begun with "
              + initial
              + ", has these answers:\n"
              + sorted.stream().map(Event::toString).collect(Collectors.joining("\n")));
    }
  }

  private record Configuration(BitSet done, StackState state) {}

  private static final class Search {
    private final List<Event> events;
    private final Set<Configuration> deadEnds = new HashSet<>();

    /**
     * @param events by their beginning
     */
    Search(List<Event> events) {
      this.events = events;
    }

    boolean leadsToTheEnd(BitSet before, StackState state) {
      BitSet done = (BitSet) before.clone();
      long end = firstEnd(done);
      while (takeOneWithoutEffect(done, state, end)) {
        end = firstEnd(done);
      }
      if (end == Long.MAX_VALUE) {
        // what is left was never answered
        return true;
      }
      if (deadEnds.contains(new Configuration(done, state))) {
        return false;
      }
      for (int i : open(done, end)) {
        Event event = events.get(i);
        Request.Outcome outcome = event.request().rule().on(state);
        if (event.answer().isEmpty() || event.answer().get().equals(outcome.answer())) {
          done.set(i);
          if (leadsToTheEnd(done, outcome.after())) {
            return true;
          }
          done.clear(i);
        }
      }
      deadEnds.add(new Configuration(done, state));
      return false;
    }

    /** When the first of those that are left was answered: none that was sent later is next. */
    private long firstEnd(BitSet done) {
      long first = Long.MAX_VALUE;
      for (int i = done.nextClearBit(0); i < events.size(); i = done.nextClearBit(i + 1)) {
        first = Math.min(first, events.get(i).end());
      }
      return first;
    }

    /** Those that may be next. */
    private List<Integer> open(BitSet done, long firstEnd) {
      List<Integer> open = new ArrayList<>();
      for (int i = done.nextClearBit(0); i < events.size(); i = done.nextClearBit(i + 1)) {
        if (events.get(i).begin() > firstEnd) {
          break;
        }
        open.add(i);
      }
      return open;
    }

    /**
     * A question or refusal that is answered rightly now may as well come now, wherever it comes in
     * an order that is right: there it changes nothing either. So there is nothing to try out.
     */
    private boolean takeOneWithoutEffect(BitSet done, StackState state, long firstEnd) {
      for (int i : open(done, firstEnd)) {
        Event event = events.get(i);
        Answer expected = event.request().rule().on(state).answer();
        // what is 'done' may have had an effect elsewhere
        if (event.answer().filter(expected::equals).isPresent() && !expected.equals(Answer.DONE)) {
          done.set(i);
          return true;
        }
      }
      return false;
    }
  }
}
