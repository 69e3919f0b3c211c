/**
 * System calls of Linux, as methods.
 *
 * <ul>
 *   <li>{@link dev.ovl.sys.Syscalls} is the kernel as an interface, {@link
 *       dev.ovl.sys.LinuxSyscalls} the real one, {@link dev.ovl.sys.TracingSyscalls} prints what
 *       passes through it, and {@link dev.ovl.sys.ObservedSyscalls} is where further ones hook in.
 *   <li>{@link dev.ovl.sys.Linux} has the constants, {@link dev.ovl.sys.Errno} the errors; {@link
 *       dev.ovl.sys.ErrnoException} is the one exception.
 *   <li>{@link dev.ovl.sys.OsPath} is a path as bytes, {@link dev.ovl.sys.Fd} an open descriptor;
 *       the records are the structures that calls take and fill, {@link
 *       dev.ovl.sys.DirectoryEntries} reads those of getdents64(2).
 *   <li>{@link dev.ovl.sys.ThisProcess} has this process's arguments and environment as bytes.
 *   <li>Not public: {@code Call}, {@code Argument} and {@code Flags} say how a call is written in
 *       traces and errors, {@code Scratch} is the memory that calls use.
 * </ul>
 *
 * <p>{@code dev.ovl.sys.gen} is what jextract makes of the C headers (src/main/jextract); it is
 * never edited, and used by this package alone. {@code java.lang.foreign} appears in these two
 * packages and nowhere else. This package imports nothing of ovl.
 */
package dev.ovl.sys;
