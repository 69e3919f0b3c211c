package dev.ovl.engine.aufs;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountHolders;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.mount.Processes;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Branches and a target in a scratch directory, and what works on them. */
final class AufsLab {
  private final Scratch scratch;
  private final MountTable table;
  private final AufsMounter mounter;
  private final AufsTable aufs;

  AufsLab(Scratch scratch) {
    this(scratch, new LinuxSyscalls());
  }

  AufsLab(Scratch scratch, Syscalls sys) {
    this.scratch = scratch;
    this.table = new MountTable(sys);
    MountHolders holders = new MountHolders(sys, table, new Processes(sys));
    this.mounter = new AufsMounter(sys, table, holders, scratch.resolve("run"));
    this.aufs = new AufsTable(sys, table);
  }

  /** Root, and a kernel that has aufs. */
  static void required() {
    Requires.root();
    Requires.fileSystem("aufs");
  }

  AufsMounter mounter() {
    return mounter;
  }

  AufsTable aufs() {
    return aufs;
  }

  MountTable table() {
    return table;
  }

  OsPath target() throws ErrnoException {
    return scratch.mkdirs("target");
  }

  /** A branch in a new directory. */
  AufsBranch branch(String name, AufsPermission permission) throws ErrnoException {
    return new AufsBranch(scratch.mkdirs(name), permission);
  }

  /** A writable branch {@code rw} and these layers below it, {@code l0} first. */
  List<AufsBranch> branches(int layers) throws ErrnoException {
    List<AufsBranch> branches = new ArrayList<>();
    branches.add(branch("rw", AufsPermission.RW));
    for (int i = 0; i < layers; i++) {
      branches.add(branch("l" + i, AufsPermission.RO_WH));
    }
    return branches;
  }

  AufsMount of(List<AufsBranch> branches, String... options)
      throws EngineException, ErrnoException {
    return new AufsMount(
        OsPath.of("ovl:test"),
        branches,
        AufsOptions.parse(List.of(options)),
        target(),
        Optional.empty());
  }

  /** Mounts and gives what is mounted then. */
  MountEntry mount(List<AufsBranch> branches, String... options)
      throws EngineException, ErrnoException {
    mounter.mount(of(branches, options));
    return mounted().orElseThrow();
  }

  /** What is mounted on the target. */
  Optional<MountEntry> mounted() throws ErrnoException {
    return table.at(target());
  }

  AufsState state() throws EngineException, ErrnoException {
    return aufs.of(mounted().orElseThrow()).orElseThrow();
  }

  Path path(String name) {
    return Path.of(scratch.path().toString()).resolve(name);
  }

  String read(String name) throws IOException {
    return Files.readString(path(name));
  }

  void write(String name, String content) throws IOException {
    Files.createDirectories(path(name).getParent());
    Files.writeString(path(name), content);
  }

  void link(String existing, String name) throws IOException {
    Files.createDirectories(path(name).getParent());
    Files.createLink(path(name), path(existing));
  }

  /** The names in a directory, sorted. */
  List<String> list(String name) throws IOException {
    try (var names = Files.list(path(name))) {
      return names.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  int links(String name) throws IOException {
    return (Integer) Files.getAttribute(path(name), "unix:nlink");
  }
}
