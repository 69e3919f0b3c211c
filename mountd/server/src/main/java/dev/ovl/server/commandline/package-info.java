/**
 * Command lines that {@code ovlctl}, a small program in C, hands over to this warm process: {@link
 * dev.ovl.server.commandline.CommandLineServer} accepts them at {@code cli.sock}, {@code
 * ClientCommand} carries one out, with the same classes as the process {@code ovlctl} in Java would
 * and against this daemon's API as that would.
 *
 * <p>{@code ClientChannel} has the messages, whose form native/src/main/c/client/protocol.h
 * describes; {@code ClientRequest} is the first of them, {@code ClientInput} and {@code
 * ClientOutput} are the client's streams. What cannot be done for a client as its own process would
 * is refused before anything is done, and the client starts Java ({@code Kinship}). The programs of
 * run and try are the client's children ({@code ClientPrograms}).
 *
 * <p>Imports dev.ovl.server.socket, dev.ovl.cli, dev.ovl.jni, the engine's files and dev.ovl.sys.
 */
package dev.ovl.server.commandline;
