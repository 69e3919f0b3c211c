/**
 * The verbs of {@code ovlctl}, a class each.
 *
 * <ul>
 *   <li>{@link dev.ovl.cli.command.Ovlctl} has what all verbs share: the global options, paths made
 *       absolute, errors on one line, exit statuses.
 *   <li>A verb on stacks is a {@code HostCommand}: it gets the host that carries it out, and works
 *       on names one after the other.
 *   <li>A verb on the content of a stack or of a layer is a {@code ContentCommand}; what both have
 *       in common is a class whose name ends in Verb. The verbs behind {@code layer} are classes
 *       whose names begin with Layer.
 *   <li>{@code StackOptions} are the options by which create, set and clone describe a stack.
 * </ul>
 *
 * <p>A command object serves one command line. It reaches the world through {@link
 * dev.ovl.cli.session.Session} only, and leaves all that concerns the kernel to the engine. Imports
 * dev.ovl.cli.session, .output, .archive, .host and .demo, dev.ovl.api, dev.ovl.config,
 * dev.ovl.reference, the engine, dev.ovl.sys and picocli.
 */
package dev.ovl.cli.command;
