/**
 * Looks an installation over: {@link dev.ovl.cli.doctor.Examination} asks, each answer is a {@link
 * dev.ovl.cli.doctor.Finding} with a remedy. Works in its own process, since the daemon is among
 * what it looks at. Imports the engine, dev.ovl.api, dev.ovl.cli.host and .session, and
 * dev.ovl.sys.
 */
package dev.ovl.cli.doctor;
