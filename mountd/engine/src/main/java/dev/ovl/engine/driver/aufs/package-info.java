/**
 * The aufs driver, with Docker's layout on disk. May import what {@link dev.ovl.engine.driver}
 * says, and {@code dev.ovl.engine.aufs}.
 */
package dev.ovl.engine.driver.aufs;
