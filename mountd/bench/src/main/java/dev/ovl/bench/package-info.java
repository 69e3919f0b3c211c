/**
 * Benchmarks, run by hand ({@code mountd/bench/run}) and never by a test.
 *
 * <p>{@link dev.ovl.bench.UpDown} measures the engine against the same system calls made by a C
 * program: {@link dev.ovl.bench.Recording} writes down what calls those are, {@link
 * dev.ovl.bench.Floor} has the C program ({@code src/main/c/floor.c}) make them. {@link
 * dev.ovl.bench.Walk} measures against du(1), {@link dev.ovl.bench.Unpacking} against tar(1).
 */
package dev.ovl.bench;
