/**
 * Tests of src/main/c/run on the real kernel, by a program that has it within (src/test/c/run.c),
 * checked for errors of memory and undefined behaviour. {@code Tree} is what it runs commands in.
 */
package dev.ovl.run;
