/**
 * Against what a command runs: {@link dev.ovl.cli.host.HostChoice} takes the daemon where it is
 * there and the right one, else the engine in this process. Imports dev.ovl.api, dev.ovl.service,
 * dev.ovl.cli.session and dev.ovl.sys.
 */
package dev.ovl.cli.host;
