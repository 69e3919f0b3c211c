/**
 * The daemon {@code mountd}.
 *
 * <p>{@link dev.ovl.server.MountdCommand} is its command line and {@link dev.ovl.server.Main} the
 * process; {@link dev.ovl.server.Daemon} puts the parts together and runs them, {@code
 * ControlSocket} is the place at which it listens. Packages, lowest first: {@code socket}
 * (listening), {@code http} (requests and answers on a unix socket), {@code work} (lanes and
 * deadlines), {@code event} (what happened), {@code metric} (counted), {@code systemd} and {@code
 * log} (the world around a service), {@code api} (the routes), {@code commandline} (what ovlctl
 * hands over). May import dev.ovl.service, dev.ovl.api, dev.ovl.config, dev.ovl.reference,
 * dev.ovl.json, the engine's files and locks, and dev.ovl.sys; dev.ovl.cli in {@code commandline}
 * alone.
 */
package dev.ovl.server;
