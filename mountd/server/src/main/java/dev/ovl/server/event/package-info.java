/**
 * What happened: {@link dev.ovl.server.event.Change} is one attempt to change something, {@link
 * dev.ovl.server.event.Changes} tells each to whoever listens, {@link
 * dev.ovl.server.event.EventStream} is one listener's queue. Imports dev.ovl.api and dev.ovl.sys.
 */
package dev.ovl.server.event;
