/**
 * Commands that run inside a mounted tree: what is asked for ({@link
 * dev.ovl.engine.run.RunRequest}) becomes what the native library starts ({@link
 * dev.ovl.engine.run.CommandStart}); users and groups are those of the tree ({@code TreeUsers}).
 *
 * <p>Knows trees as descriptors of mounts and nothing of stacks. Imports {@code
 * dev.ovl.engine.file}, {@code dev.ovl.jni} and {@code dev.ovl.sys}.
 */
package dev.ovl.engine.run;
