/**
 * The API of ovl: what a command asks for and what it gets, whoever carries it out.
 *
 * <ul>
 *   <li>{@link dev.ovl.api.CommandHost} is what commands run against: the engine in their own
 *       process, or a daemon ({@link dev.ovl.api.HttpHost}).
 *   <li>The records are what goes to and fro, with their JSON forms. Names and paths are texts in
 *       which a lone surrogate stands for a byte that is not UTF-8; paths are absolute.
 *   <li>{@link dev.ovl.api.Route} has the methods and paths of HTTP, and what each needs.
 * </ul>
 *
 * <p>A contract: fields and routes come, none goes within {@code /v1}. Imports dev.ovl.json and
 * nothing else of ovl.
 */
package dev.ovl.api;
