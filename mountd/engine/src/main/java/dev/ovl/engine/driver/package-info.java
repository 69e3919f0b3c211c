/**
 * Layers on disk. A {@link dev.ovl.engine.driver.Driver} keeps them in a directory of its name
 * under the root; each driver is a package beneath this one. Where stacks have layers of their own
 * among them the directory is a {@link dev.ovl.engine.driver.LayerHome}.
 *
 * <p>A driver knows its directory and its mounts. It counts no gets, takes no locks between
 * operations and does not know who else needs a layer: that is {@code dev.ovl.engine.layer}'s. May
 * import {@code dev.ovl.sys}, {@code dev.ovl.engine.file}, {@code root}, {@code mount}, {@code
 * tree} and {@code diff}.
 */
package dev.ovl.engine.driver;
