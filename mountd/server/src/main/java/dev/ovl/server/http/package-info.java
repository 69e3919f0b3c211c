/**
 * HTTP/1.1 on unix sockets: Apache HttpCore on descriptors of ours, a platform thread a connection.
 *
 * <p>{@link dev.ovl.server.http.HttpServer} accepts and reads requests, {@link
 * dev.ovl.server.http.RequestHandler} answers them. The descriptors are ours because the kernel
 * tells who is at the other end by them alone (SO_PEERCRED with the pid, SO_PEERGROUPS), and
 * because systemd may hand over the listening one. Imports dev.ovl.server.socket, dev.ovl.sys,
 * HttpCore and slf4j; knows nothing of stacks.
 */
package dev.ovl.server.http;
