/**
 * The requests of the API, carried out by the engine. The daemon answers with it, and {@code
 * ovlctl} works by it when it runs without a daemon: so both do the same.
 *
 * <p>{@link dev.ovl.service.EngineHost} carries out, {@code Requests} turns what the API asks into
 * the engine's values, {@code Reports} the engine's values into what the API answers. Imports the
 * engine, dev.ovl.api and dev.ovl.sys; knows no socket and no command line.
 */
package dev.ovl.service;
