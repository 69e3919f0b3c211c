/**
 * The engine: everything that knows the kernel and the disk, and nothing that knows a socket or a
 * command line.
 *
 * <p>Packages and what each may import, lowest first; all may import {@code dev.ovl.sys} and {@link
 * dev.ovl.engine.EngineException}:
 *
 * <ul>
 *   <li>{@link dev.ovl.engine.file}: files, directories and locks by byte names. Nothing else.
 *   <li>{@link dev.ovl.engine.root}: how root and run are laid out. {@code file}, dev.ovl.json.
 *   <li>{@link dev.ovl.engine.tree}: trees of files as values and streams. {@code file}.
 *   <li>{@link dev.ovl.engine.archive}: archives read into and written from such streams. {@code
 *       tree}.
 *   <li>{@link dev.ovl.engine.move}: renames that survive EXDEV. {@code file}, {@code tree}, and
 *       dev.ovl.json for the journal.
 *   <li>{@link dev.ovl.engine.mount}: overlay mounts as values, ways to make them, what is mounted
 *       and who uses it. {@code file}.
 *   <li>{@link dev.ovl.engine.aufs}: the same for aufs. {@code file}, {@code mount}.
 *   <li>{@link dev.ovl.engine.diff}: what changed between two trees of layers. {@code file}, {@code
 *       tree}.
 *   <li>{@link dev.ovl.engine.usage}: blocks, inodes and cached pages of trees. {@code file},
 *       {@code tree}.
 *   <li>{@link dev.ovl.engine.driver}: layers on disk, a package a driver. {@code file}, {@code
 *       tree}, {@code mount}, {@code aufs}.
 *   <li>{@link dev.ovl.engine.probe}: what this machine can do. {@code file}, {@code mount}, {@code
 *       aufs}, {@code usage}.
 *   <li>{@link dev.ovl.engine.layer}: layers as users have them. All of these.
 *   <li>{@link dev.ovl.engine.run}: commands in trees. {@code file}, {@code mount}, dev.ovl.jni.
 *   <li>{@link dev.ovl.engine.stack}: stacks, their definitions and their life. All of these, and
 *       dev.ovl.json for the files.
 * </ul>
 */
package dev.ovl.engine;
