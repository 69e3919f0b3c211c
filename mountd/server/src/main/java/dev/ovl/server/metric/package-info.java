/**
 * Counters of what the daemon did, in the text format of Prometheus (exposition format 0.0.4).
 * Imports dev.ovl.server.event and dev.ovl.api.
 */
package dev.ovl.server.metric;
