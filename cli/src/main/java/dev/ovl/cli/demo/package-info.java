/**
 * The walk-through of {@code ovlctl demo}: a first union mount, shown step by step and checked.
 *
 * <ul>
 *   <li>{@link dev.ovl.cli.demo.WalkThrough} goes through the {@code Step}s; {@code Steps} is what
 *       each of them does and claims.
 *   <li>{@code Playground} is the scratch directory that it happens in and that is gone afterwards.
 *   <li>{@code Transcript} shows commands, their output and the claims; {@code TreeText} draws a
 *       directory as tree(1) does, {@code FileLine} a file as ls(1) does.
 * </ul>
 *
 * <p>Imports dev.ovl.cli.output, dev.ovl.cli.session, the engine and dev.ovl.sys; only
 * dev.ovl.cli.command knows it.
 */
package dev.ovl.cli.demo;
