/**
 * The overlay2 driver's directory, as Docker lays it out: layers and the short links to them and to
 * plain directories. May import {@code dev.ovl.sys} and {@code dev.ovl.engine.file}.
 */
package dev.ovl.engine.driver.overlay2;
