/**
 * The process {@code ovlctl}.
 *
 * <p>{@link dev.ovl.cli.Main} alone knows that there is a process: it takes arguments and
 * environment from /proc as bytes, makes a {@link dev.ovl.cli.session.Session} of them, hands it to
 * {@link dev.ovl.cli.command.Ovlctl} and ends with the status that comes back. {@code ProcessPlace}
 * answers what a command may ask the kernel about that process.
 *
 * <p>The packages know each other in one direction: {@code session} ← {@code output} ← {@code
 * demo}, {@code host} ← {@code command} ← this one. All of them may import dev.ovl.sys and the
 * engine; none but this one touches {@link java.lang.System}'s streams, environment or properties,
 * ends the JVM, or asks for the working directory or the default locale. A test holds them to it
 * ({@code ArchitectureTest}).
 */
package dev.ovl.cli;
