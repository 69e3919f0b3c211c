/**
 * Tests of {@code libovl-exdev.so} on real file systems. {@link dev.ovl.exdev.Program} starts the
 * small C programs that make the calls; most have the library within, compiled with sanitizers.
 */
package dev.ovl.exdev;
