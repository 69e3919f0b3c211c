package dev.ovl.testkit;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Counts system calls and, at a chosen one, fails it or ends the process.
 *
 * <p>A test runs an operation once with an injector that does nothing, asks {@link #calls} how many
 * there were, and runs it again for each number with a fault at that one; or, where the number
 * varies, goes on until {@link #struck} says that there was no such call any more.
 *
 * <p>For any number of threads: calls are numbered in the order in which they are made. {@code
 * geteuid}, which cannot fail, is passed on without being counted.
 */
public final class FaultInjector extends ObservedSyscalls {
  /** The exit status of a process that was ended by {@link #killBefore} or {@link #killAfter}. */
  public static final int KILLED = 137;

  private static final String INFALLIBLE = "geteuid";

  private final Predicate<String> counted;
  private final List<Seen> calls = new ArrayList<>();
  private Optional<Fault> fault = Optional.empty();
  private Optional<Seen> struck = Optional.empty();

  /**
   * A call that was counted.
   *
   * @param number 1 for the first
   * @param name its C name
   * @param arguments as strace prints them
   */
  public record Seen(int number, String name, String arguments) {
    @Override
    public String toString() {
      return "call " + number + ": " + name + "(" + arguments + ")";
    }
  }

  private sealed interface Fault {
    int number();

    record Failure(int number, Errno errno) implements Fault {}

    record DeathBefore(int number) implements Fault {}

    record DeathAfter(int number) implements Fault {}
  }

  /**
   * Counts every call.
   *
   * @param sys what makes the calls
   */
  public FaultInjector(Syscalls sys) {
    this(sys, name -> true);
  }

  /**
   * Counts some calls; the others are passed on.
   *
   * @param sys what makes the calls
   * @param counted the C names of those to count
   */
  public FaultInjector(Syscalls sys, Predicate<String> counted) {
    super(sys);
    this.counted = counted.and(name -> !name.equals(INFALLIBLE));
  }

  /**
   * Fails the n-th call from the beginning without making it. A close is made nevertheless, since
   * close(2) frees the descriptor whatever it returns.
   *
   * @return this
   */
  public FaultInjector failAt(int n, Errno errno) {
    return set(new Fault.Failure(n, errno));
  }

  /**
   * Ends the process in place of the n-th call, as SIGKILL would: at once, with status {@value
   * #KILLED}, no {@code finally} and no shutdown hook.
   *
   * @return this
   */
  public FaultInjector killBefore(int n) {
    return set(new Fault.DeathBefore(n));
  }

  /**
   * As {@link #killBefore}, when the n-th call has been made and its caller does not know yet.
   *
   * @return this
   */
  public FaultInjector killAfter(int n) {
    return set(new Fault.DeathAfter(n));
  }

  private synchronized FaultInjector set(Fault next) {
    fault = Optional.of(next);
    return this;
  }

  /** The calls counted so far, in order. */
  public synchronized List<Seen> calls() {
    return List.copyOf(calls);
  }

  /** The call at which the fault happened; empty when it was never reached. */
  public synchronized Optional<Seen> struck() {
    return struck;
  }

  @Override
  protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
    if (!counted.test(invocation.name())) {
      return invocation.perform();
    }
    Optional<Fault> due = count(invocation);
    if (due.isEmpty()) {
      return invocation.perform();
    }
    switch (due.get()) {
      case Fault.Failure failure -> {
        if (invocation.name().equals("close")) {
          invocation.perform();
        }
        throw invocation.failure(failure.errno());
      }
      case Fault.DeathBefore death -> throw die();
      case Fault.DeathAfter death -> {
        try {
          invocation.perform();
        } finally {
          die();
        }
        throw new AssertionError("dead");
      }
    }
  }

  private synchronized Optional<Fault> count(Invocation<?> invocation) {
    Seen seen = new Seen(calls.size() + 1, invocation.name(), invocation.arguments());
    calls.add(seen);
    Optional<Fault> due = fault.filter(f -> f.number() == seen.number());
    if (due.isPresent()) {
      struck = Optional.of(seen);
    }
    return due;
  }

  /** Ends the process; what it returns is for the compiler. */
  private static AssertionError die() {
    Runtime.getRuntime().halt(KILLED);
    return new AssertionError("dead");
  }
}
