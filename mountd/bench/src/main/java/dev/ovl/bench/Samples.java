package dev.ovl.bench;

import java.util.Arrays;

/** What many measurements come to. */
final class Samples {
  private Samples() {}

  static double median(double[] values) {
    return quantile(values, 0.5);
  }

  static double median(long[] values) {
    return quantile(Arrays.stream(values).asDoubleStream().toArray(), 0.5);
  }

  /** The value that this share of the values does not exceed. */
  static double quantile(double[] values, double share) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    double at = share * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }

  /** Of each value to the other one at its place. */
  static double[] ratios(double[] of, double[] to) {
    double[] ratios = new double[of.length];
    Arrays.setAll(ratios, i -> of[i] / to[i]);
    return ratios;
  }
}
