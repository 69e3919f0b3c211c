/**
 * Many clients at one daemon: what they are answered, what is left when it is killed, and that one
 * stack which hangs does not hold up the others.
 *
 * <p>{@link dev.ovl.it.load.Request} says what each request does to a stack and what is answered,
 * as a rule from one {@link dev.ovl.it.load.StackState} to the next. By these rules a client knows
 * what its own stacks must be, {@code History} whether the answers about a stack of several clients
 * fit into one order, and {@code Audit} what must lie under the root and be mounted.
 */
package dev.ovl.it.load;
