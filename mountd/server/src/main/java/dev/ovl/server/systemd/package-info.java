/**
 * What a service manager gives and wants: sockets handed over (sd_listen_fds(3)), word of how it
 * goes (sd_notify(3)), signals. Works without one too. Imports dev.ovl.sys.
 */
package dev.ovl.server.systemd;
