/**
 * Tests of src/main/c/userns on the real kernel, by the program itself, checked for errors of
 * memory and undefined behaviour: an ordinary user calls it, with a script for Java.
 */
package dev.ovl.userns;
