/**
 * The vfs driver: every layer is a whole tree. May import what {@link dev.ovl.engine.driver} says.
 */
package dev.ovl.engine.driver.vfs;
