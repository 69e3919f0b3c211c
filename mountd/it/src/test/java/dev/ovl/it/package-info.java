/**
 * Tests that drive {@code cli/bin/ovlctl} as a user does: as a process, by its arguments, streams
 * and exit status. None of its classes is called; the checkout is named by the system property
 * {@code ovl.root.dir}. Those of roots that dockerd wrote call the engine.
 *
 * <p>{@link dev.ovl.it.Ovlctl} starts it, with a root and a run directory in a scratch directory of
 * testkit's, so that nothing of the machine's is touched.
 */
package dev.ovl.it;
