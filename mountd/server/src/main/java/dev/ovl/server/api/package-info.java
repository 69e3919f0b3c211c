/**
 * The API over HTTP: {@link dev.ovl.server.api.ApiHandler} finds the route of a request, asks
 * {@code Access} whether the peer may, has the work done in its lane, and writes the answer. {@code
 * LongWork} is what takes as long as it takes and is answered while it goes on: comparisons,
 * archives.
 *
 * <p>Imports dev.ovl.api, dev.ovl.json, dev.ovl.server.http, .work, .event and .metric, and
 * dev.ovl.sys; the engine it knows as a {@link dev.ovl.api.CommandHost} only.
 */
package dev.ovl.server.api;
