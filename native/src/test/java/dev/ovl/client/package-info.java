/**
 * Tests of src/main/c/client, checked for errors of memory and undefined behaviour, in
 * installations whose Java is a script that tells how it was called. The tests of the distribution
 * have the real one.
 */
package dev.ovl.client;
