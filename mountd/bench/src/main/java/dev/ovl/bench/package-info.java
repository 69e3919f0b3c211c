/**
 * Benchmarks, run by hand ({@code mountd/bench/run}) and never by a test.
 *
 * <p>{@link dev.ovl.bench.UpDown} measures the engine against the same system calls made by a C
 * program: {@link dev.ovl.bench.Recording} writes down what calls those are, {@link
 * dev.ovl.bench.Floor} has the C program ({@code src/main/c/floor.c}) make them. {@link
 * dev.ovl.bench.Walk} measures against du(1), {@link dev.ovl.bench.Unpacking} against tar(1).
 *
 * <p>{@link dev.ovl.bench.DaemonCosts} measures the daemon of the distribution: {@link
 * dev.ovl.bench.SocketCost} against the engine in process, {@link dev.ovl.bench.StartAndMemory}
 * against containerd and dockerd, {@link dev.ovl.bench.ManyStacks} by the number of stacks, {@link
 * dev.ovl.bench.SnapshotDuel} against containerd's snapshotter, over gRPC, which nothing else here
 * knows.
 *
 * <p>{@link dev.ovl.bench.CommandCosts} measures {@code bin/ovlctl} of the distribution, from its
 * start to its end: {@link dev.ovl.bench.ShortCommands} runs it beside other programs.
 *
 * <p>{@link dev.ovl.bench.AgainstAufs} measures the kernel's overlay against its aufs, where it has
 * one: {@link dev.ovl.bench.Unions} mounts the same layers as both, {@link dev.ovl.bench.CopyUps}
 * and {@link dev.ovl.bench.Lookups} use the mounts.
 *
 * <p>{@link dev.ovl.bench.Turns} takes the ways to do a thing by turns.
 */
package dev.ovl.bench;
