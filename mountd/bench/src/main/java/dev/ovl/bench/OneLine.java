package dev.ovl.bench;

/** The least that a program in Java does. */
public final class OneLine {
  private OneLine() {}

  /** Prints it. */
  public static void main(String[] args) {
    System.out.println("one line");
  }
}
