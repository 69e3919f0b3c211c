/**
 * Where requests are carried out: {@link dev.ovl.server.work.Lanes}, which keeps what concerns one
 * stack in line and lets the rest go on, whatever hangs. Imports nothing of ovl.
 */
package dev.ovl.server.work;
