package dev.ovl.bench;

import dev.ovl.api.HostException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Several ways to do a thing, by turns: a round of each, then the next. What a round is worth is
 * the median of its times, and ratios are taken within a round, so that a machine that changes its
 * pace changes all sides.
 */
final class Turns {
  private static final int MAX_TIMES = 200;
  private static final int MIN_TIMES = 5;
  private static final int MAX_ATTEMPTS = 20;

  private final Effort effort;

  Turns(Effort effort) {
    this.effort = effort;
  }

  /**
   * How long to measure.
   *
   * @param rounds of each way
   * @param roundMillis length of a round
   * @param warmUp times before anything is measured
   */
  record Effort(int rounds, int roundMillis, int warmUp) {
    static final Effort FULL = new Effort(101, 15, 20_000);
    static final Effort QUICK = new Effort(15, 10, 4_000);

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%d rounds of %d ms each way, after %d times to warm up",
          rounds,
          roundMillis,
          warmUp);
    }
  }

  /** One way to do it. */
  interface Way {
    void once() throws Exception;

    /** Has all as it was, whatever came between. */
    default void settle() throws Exception {
      // most ways leave nothing half done
    }
  }

  /**
   * What one way was worth.
   *
   * @param micros median of the rounds
   * @param ratio of the first way's time to this one's, median of the rounds
   * @param low first quartile of the ratio
   * @param high third quartile
   */
  record Outcome(double micros, double ratio, double low, double high) {
    /**
     * Of times, one a round.
     *
     * @param first the first way's
     * @param micros this one's
     */
    static Outcome of(double[] first, double[] micros) {
      double[] ratios = Samples.ratios(first, micros);
      return new Outcome(
          Samples.median(micros),
          Samples.median(ratios),
          Samples.quantile(ratios, 0.25),
          Samples.quantile(ratios, 0.75));
    }

    /** Two columns of a Markdown table. */
    String ratios() {
      return String.format(Locale.ROOT, "**%.2f** | %.2f – %.2f", ratio, low, high);
    }
  }

  /** Until the compilers on both sides have nothing left to do. */
  void warmUp(List<? extends Way> ways) throws Exception {
    for (int done = 0; done < effort.warmUp(); done += MAX_TIMES) {
      for (Way way : ways) {
        round(way, MAX_TIMES);
      }
    }
  }

  /** An outcome for each way; ratios are to the first. */
  List<Outcome> measure(List<? extends Way> ways) throws Exception {
    int[] times = new int[ways.size()];
    for (int way = 0; way < times.length; way++) {
      round(ways.get(way), MIN_TIMES);
      double once = round(ways.get(way), 2 * MIN_TIMES);
      times[way] = (int) Math.clamp(effort.roundMillis() * 1_000.0 / once, MIN_TIMES, MAX_TIMES);
    }
    double[][] micros = new double[times.length][effort.rounds()];
    for (int round = 0; round < effort.rounds(); round++) {
      for (int way = 0; way < times.length; way++) {
        micros[way][round] = round(ways.get(way), times[way]);
      }
    }
    List<Outcome> outcomes = new ArrayList<>();
    for (double[] way : micros) {
      outcomes.add(Outcome.of(micros[0], way));
    }
    return outcomes;
  }

  /** Taken again when another process that mounts has spoiled it. */
  private static double round(Way way, int times) throws Exception {
    for (int attempt = 1; ; attempt++) {
      try {
        long[] spent = new long[times];
        for (int i = 0; i < times; i++) {
          long start = System.nanoTime();
          way.once();
          spent[i] = System.nanoTime() - start;
        }
        return Samples.median(spent) / 1000;
      } catch (IOException | HostException e) {
        if (attempt == MAX_ATTEMPTS) {
          throw e;
        }
        System.err.println("bench: a round is taken again: " + e.getMessage());
        way.settle();
      }
    }
  }
}
