/**
 * JSON texts to values and back, strictly and without losing a byte of a file name. Imports
 * Jackson's core and nothing of ovl.
 */
package dev.ovl.json;
