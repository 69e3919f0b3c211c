/**
 * The verbs of {@code ovlctl}, a class each.
 *
 * <ul>
 *   <li>{@link dev.ovl.cli.command.Ovlctl} has what all verbs share: the global options, paths made
 *       absolute, errors on one line, exit statuses.
 *   <li>A verb on stacks is a {@code HostCommand}: it gets the host that carries it out, and works
 *       on names one after the other.
 *   <li>{@code LayerOptions} are the options by which create, set and clone describe a stack.
 * </ul>
 *
 * <p>A command object serves one command line. It reaches the world through {@link
 * dev.ovl.cli.session.Session} only, and leaves all that concerns the kernel to the engine. Imports
 * dev.ovl.cli.session, .output, .host and .demo, dev.ovl.api, dev.ovl.config, dev.ovl.reference,
 * the engine, dev.ovl.sys and picocli.
 */
package dev.ovl.cli.command;
