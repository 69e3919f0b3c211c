/**
 * Unix sockets in the run directory at which this daemon listens: {@link
 * dev.ovl.server.socket.UnixListener} makes one that nobody can meet half made, waits for clients
 * and accepts them, whatever speaks with them then.
 *
 * <p>Imports the engine's files, dev.ovl.sys and slf4j.
 */
package dev.ovl.server.socket;
