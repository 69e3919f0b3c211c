/**
 * Layers as users have them: {@link dev.ovl.engine.layer.Layers} finds the driver of a root ({@link
 * dev.ovl.engine.layer.Drivers}), keeps operations on one layer apart, counts who has a layer
 * mounted ({@code Gets}) and refuses what would pull the ground from under somebody.
 *
 * <p>May import {@code dev.ovl.sys}, all drivers, and of the engine {@code file}, {@code root},
 * {@code mount}, {@code tree}, {@code diff}, {@code archive} and {@code probe}; nothing of stacks.
 */
package dev.ovl.engine.layer;
