package dev.ovl.engine.fsck;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.OverlayLab;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Trees;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** An overlay that the kernel wrote, to be broken by hand. */
final class Patient {
  static final String REDIRECTING = ",redirect_dir=on,metacopy=on,index=on";

  final Syscalls sys = new LinuxSyscalls();
  final Files files = new Files(sys);
  final OverlayLab lab;
  final OsPath lower;
  final OsPath upper;
  final OsPath work;
  private final String options;

  /** With a lower that has a few files, and an upper that has one copied up. */
  Patient(OsPath place, String options) throws Exception {
    this.options = options;
    lab = new OverlayLab(place);
    lower = lab.directory("lower");
    upper = lab.directory("upper");
    work = lab.directory("work");
    for (String directory : List.of("a", "b", "b/c", "d")) {
      files.mkdirs(lower.resolve(directory), 0755);
    }
    for (String file : List.of("a/one", "a/two", "b/c/deep", "d/x", "file", "other")) {
      write(lower, file);
    }
    sys.linkat(Linux.AT_FDCWD, lower.resolve("d/x"), Linux.AT_FDCWD, lower.resolve("d/y"), 0);
    mounted(m -> append(m, "other"));
  }

  void write(OsPath root, String name) throws ErrnoException {
    files.create(root.resolve(name), name.getBytes(StandardCharsets.UTF_8), 0644, false);
  }

  /** As a program that writes to a file does; its data is copied up. */
  void append(OsPath root, String name) throws ErrnoException {
    write(root, name);
  }

  void mounted(OverlayLab.Work work) throws Exception {
    String where = ",upperdir=" + upper + ",workdir=" + this.work;
    lab.mounted(List.of(lower), options + where, work);
  }

  private boolean user() {
    return options.contains("userxattr");
  }

  View.Books books() {
    return user() ? View.Books.USER : View.Books.TRUSTED;
  }

  String prefix() {
    return user() ? "user.overlay." : "trusted.overlay.";
  }

  Subject subject(Optional<OsPath> mountedOn, boolean wholeLowers) {
    return new Subject(
        List.of(lower),
        Optional.of(new OverlayMount.Upper(upper, work)),
        books(),
        mountedOn,
        wholeLowers);
  }

  List<Finding> check() throws EngineException, ErrnoException {
    return OverlayCheck.run(sys, subject(Optional.empty(), false), Progress.NONE, () -> false);
  }

  List<Finding> checkLowers() throws EngineException, ErrnoException {
    return OverlayCheck.run(sys, subject(Optional.empty(), true), Progress.NONE, () -> false);
  }

  List<Finding> checkWhile(OsPath mountedOn) throws EngineException, ErrnoException {
    return OverlayCheck.run(
        sys, subject(Optional.of(mountedOn), false), Progress.NONE, () -> false);
  }

  void repair(Syscalls with) throws EngineException, ErrnoException {
    OverlayRepair repair = new OverlayRepair(with, books());
    for (Finding finding :
        OverlayCheck.run(with, subject(Optional.empty(), false), Progress.NONE, () -> false)) {
      repair.mend(finding);
    }
  }

  void attribute(OsPath root, String name, String attribute, byte[] value) throws ErrnoException {
    sys.setxattr(root.resolve(name), prefix() + attribute, value, 0, false);
  }

  Optional<byte[]> attribute(OsPath root, String name, String attribute) throws ErrnoException {
    return sys.getxattr(root.resolve(name), prefix() + attribute, false);
  }

  /** What the mount shows, times and all. */
  Trees.Snapshot tree() throws Exception {
    List<Trees.Snapshot> seen = new ArrayList<>();
    mounted(m -> seen.add(Trees.snapshotWithTimes(m)));
    return seen.getFirst();
  }

  static List<String> lines(List<Finding> findings) {
    return findings.stream()
        .map(f -> f.kind() + " " + (f.path().isEmpty() ? "." : f.path().toString()))
        .toList();
  }
}
