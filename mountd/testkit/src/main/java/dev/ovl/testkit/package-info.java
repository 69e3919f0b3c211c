/**
 * What the tests of the other modules share. Depends on the bindings and JUnit alone, and is used
 * in test scope only.
 *
 * <ul>
 *   <li>{@link dev.ovl.testkit.FaultInjector} makes a chosen system call fail, or the process die
 *       at it.
 *   <li>{@link dev.ovl.testkit.Scratch} is a directory on a file system of its own, which is gone
 *       after the test whatever happens.
 *   <li>{@link dev.ovl.testkit.HungFileSystem} is one that stops answering when it is told to.
 *   <li>{@link dev.ovl.testkit.Leaks} tells what a test left: mounts, descriptors, loop devices,
 *       threads.
 *   <li>{@link dev.ovl.testkit.Trees} compares directory trees, to the byte.
 *   <li>{@link dev.ovl.testkit.Manual} shows manual pages, and what is wrong with them.
 *   <li>{@link dev.ovl.testkit.Requires} skips a test, saying why, where the machine lacks what it
 *       needs; or fails it, where that was asked for.
 *   <li>{@link dev.ovl.testkit.KernelSuite} runs tests without Maven, in other kernels.
 * </ul>
 */
package dev.ovl.testkit;
