package dev.ovl.cli.demo;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackReport;
import dev.ovl.engine.stack.StackRequest;
import dev.ovl.engine.stack.StackState;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is done and claimed in each step. Files are read and written by plain system calls. */
final class Steps {
  private static final String BOTH = "both.txt";
  private static final String ONLY = "only.txt";
  private static final OsPath MOUNTINFO = OsPath.of("/proc/self/mountinfo");

  private final Syscalls sys;
  private final Files files;
  private final Playground place;
  private final Stacks stacks;
  private final StackName name;
  private final Transcript show;
  private final Map<String, Statx> lowersAtFirst = new LinkedHashMap<>();

  Steps(Syscalls sys, Playground place, Stacks stacks, StackName name, Transcript show) {
    this.sys = sys;
    this.files = new Files(sys);
    this.place = place;
    this.stacks = stacks;
    this.name = name;
    this.show = show;
  }

  void run(Step step) throws EngineException, ErrnoException {
    show.step(step.title());
    switch (step) {
      case PREPARE -> prepare();
      case MOUNT -> mount();
      case LOOK -> look();
      case READ -> read();
      case WRITE -> write();
      case COPY_UP -> copyUp();
      case DELETE -> delete();
      case UNMOUNT -> unmount();
      case FORGET -> forget();
    }
  }

  private void prepare() throws EngineException, ErrnoException {
    String directory = place.directory().quoted();
    show.command("mkdir -m 700 " + directory);
    if (place.isTmpfs()) {
      show.command("mount -t tmpfs ovl-demo " + directory + "  # it would lie on an overlay");
    }
    show.command("export OVL_ROOT=" + place.root().quoted() + " OVL_RUN=" + place.run().quoted());
    show.command("mkdir " + place.work().quoted() + " && cd " + place.work().quoted());
    show.command("mkdir lowerdir upperdir workdir merged");
    for (String made : List.of("lowerdir", "upperdir", "workdir", "merged")) {
      files.mkdir(path(made), 0755);
    }
    write("lowerdir/" + BOTH, "lower both.txt");
    write("lowerdir/" + ONLY, "lower only.txt");
    write("upperdir/" + BOTH, "upper both.txt");
    for (String file : List.of(BOTH, ONLY)) {
      lowersAtFirst.put(file, stat("lowerdir/" + file));
    }
    tree();
  }

  private void mount() throws EngineException, ErrnoException {
    show.command("ovlctl create demo --lower lowerdir --upper upperdir --work workdir --at merged");
    stacks.create(
        new StackRequest(
            name,
            List.of(path("lowerdir")),
            false,
            Optional.of(new OverlayMount.Upper(path("upperdir"), path("workdir"))),
            Optional.of(path("merged")),
            MountOptions.NONE,
            Optional.empty(),
            Optional.empty()));
    show.command("ovlctl up demo");
    OsPath target = stacks.up(name, false);
    show.line(target.quoted());
    show.claim(
        "'up' mounted the stack on merged and printed that directory",
        target.equals(path("merged")),
        target.quoted());
    tree();
    List<OsPath> names = files.list(path("merged"));
    show.claim(
        "merged shows the files of both directories, " + BOTH + " once",
        names.equals(List.of(OsPath.of(BOTH), OsPath.of(ONLY))),
        names.toString());
  }

  private void look() throws EngineException, ErrnoException {
    Optional<MountEntry> mount = new MountTable(sys).at(path("merged"));
    showMountinfoCommand();
    List<String> lines = mountinfo();
    lines.forEach(show::line);
    show.claim("mountinfo has one line for merged", lines.size() == 1, String.join("; ", lines));
    show.claim(
        "an overlay is mounted on merged, and its source is ovl:demo",
        mount.filter(m -> m.isOverlay() && m.source().equals(name.mountSource())).isPresent(),
        mount.map(MountEntry::toString).orElse("no mount"));
    StackReport report = stacks.report(name);
    show.command("ovlctl inspect demo");
    show.line("state: " + (report.state().mounted().isPresent() ? "up" : "down"));
    show.line("method: " + report.method().word());
    show.line("options: " + String.join(",", report.options()));
    show.claim(
        "ovl finds the same mount",
        report.state() instanceof StackState.Up up && Optional.of(up.mount()).equals(mount),
        report.state().toString());
  }

  private void read() throws EngineException, ErrnoException {
    claimContent(
        "merged/" + BOTH, "upper both.txt", "of two files of one name, merged shows the upper's");
    claimContent("merged/" + ONLY, "lower only.txt", "what the upper lacks is read from the lower");
    claimAbsent("upperdir/" + ONLY, "reading copied nothing into the upper");
  }

  private void write() throws EngineException, ErrnoException {
    write("merged/" + BOTH, "modified both");
    claimContent("upperdir/" + BOTH, "modified both", "what was written is in the upper");
    claimContent("lowerdir/" + BOTH, "lower both.txt", "the lower's file is as it was");
  }

  private void copyUp() throws EngineException, ErrnoException {
    write("merged/" + ONLY, "modified only");
    tree();
    claimContent(
        "upperdir/" + ONLY, "modified only", "the upper has a copy now, and what was written");
    claimContent("lowerdir/" + ONLY, "lower only.txt", "the lower's file is as it was");
    claimContent("merged/" + ONLY, "modified only", "merged shows the upper's");
  }

  private void delete() throws EngineException, ErrnoException {
    show.command("rm merged/" + BOTH);
    files.remove(path("merged/" + BOTH));
    tree();
    claimAbsent("merged/" + BOTH, "merged/" + BOTH + " is gone");
    show.command("ls -l upperdir/" + BOTH);
    Statx whiteout = stat("upperdir/" + BOTH);
    String line = FileLine.of(whiteout, "upperdir/" + BOTH);
    show.line(line);
    if (whiteout.links() > 1) {
      show.line("# its other link lies in workdir: the kernel uses one whiteout for many names");
    }
    show.claim(
        "in its place the upper has a whiteout, a character device 0, 0",
        whiteout.isWhiteout(),
        line);
    claimContent("lowerdir/" + BOTH, "lower both.txt", "the lower still has its file");
  }

  private void unmount() throws EngineException, ErrnoException {
    show.command("ovlctl down demo");
    stacks.down(name, false);
    showMountinfoCommand();
    mountinfo().forEach(show::line);
    Optional<MountEntry> left = new MountTable(sys).at(path("merged"));
    show.claim(
        "nothing is mounted on merged any more",
        left.isEmpty(),
        left.map(MountEntry::toString).orElse(""));
    tree();
    List<OsPath> names = files.list(path("merged"));
    show.claim("merged is an empty directory again", names.isEmpty(), names.toString());
    Statx whiteout = stat("upperdir/" + BOTH);
    String line = FileLine.of(whiteout, "upperdir/" + BOTH);
    show.command("ls -l upperdir/" + BOTH);
    show.line(line);
    show.claim("the upper keeps the whiteout", whiteout.isWhiteout(), line);
    claimContent("upperdir/" + ONLY, "modified only", "and it keeps what was written");
    for (Map.Entry<String, Statx> file : lowersAtFirst.entrySet()) {
      String path = "lowerdir/" + file.getKey();
      Statx now = stat(path);
      show.command("ls -l " + path);
      show.line(FileLine.of(now, path));
      show.claim(
          path + " is the same file as at first, never written to",
          isUntouched(file.getValue(), now),
          now.toString());
    }
  }

  private void forget() throws EngineException, ErrnoException {
    show.command("ovlctl rm demo");
    stacks.remove(name, false);
    show.command("ovlctl ls");
    List<StackName> left = stacks.names();
    show.line("NAME  STATE  DRIVER  LOWERS  TARGET");
    show.claim("no stack is left", left.isEmpty(), left.toString());
    claimContent("upperdir/" + ONLY, "modified only", "an upper of the user's is never deleted");
  }

  // ---- what the steps do --------------------------------------------------------------------

  private OsPath path(String relative) {
    return place.work().resolve(relative);
  }

  private Statx stat(String relative) throws EngineException, ErrnoException {
    return files
        .lstat(path(relative))
        .orElseThrow(() -> EngineException.failed(relative + " is missing"));
  }

  private static boolean isUntouched(Statx before, Statx now) {
    return before.sameFile(now)
        && before.size() == now.size()
        && before.modified().equals(now.modified())
        && before.changed().equals(now.changed());
  }

  private void tree() throws ErrnoException {
    show.command("tree -a");
    TreeText.of(files, place.work()).forEach(show::line);
  }

  /** As the shell's {@code echo text > file}: into the very file, which no rename replaces. */
  private void write(String relative, String text) throws ErrnoException {
    show.command("echo '" + text + "' > " + relative);
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_TRUNC;
    byte[] content = OsPath.encode(text + "\n");
    ByteBuffer buffer = ByteBuffer.allocateDirect(content.length).put(content).flip();
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, path(relative), flags, 0644))) {
      while (buffer.hasRemaining()) {
        sys.write(fd.number(), buffer);
      }
    }
  }

  private void claimContent(String relative, String expected, String claim)
      throws EngineException, ErrnoException {
    show.command("cat " + relative);
    Optional<String> text = files.read(path(relative)).map(OsPath::decode);
    text.ifPresent(t -> t.lines().forEach(show::line));
    show.claim(
        claim,
        text.equals(Optional.of(expected + "\n")),
        text.map(t -> OsPath.quoted(t.stripTrailing())).orElse("no such file") + " in " + relative);
  }

  private void claimAbsent(String relative, String claim) throws EngineException, ErrnoException {
    show.command("cat " + relative);
    Optional<Statx> found = files.lstat(path(relative));
    if (found.isEmpty()) {
      show.line("cat: " + relative + ": No such file or directory");
    }
    show.claim(claim, found.isEmpty(), found.map(f -> FileLine.of(f, relative)).orElse(""));
  }

  private void showMountinfoCommand() {
    show.command("grep -F " + path("merged").quoted() + " " + MOUNTINFO);
  }

  /** The lines of mountinfo that tell of our mount. */
  private List<String> mountinfo() throws ErrnoException {
    String point = " " + escaped(path("merged").toString()) + " ";
    return files
        .read(MOUNTINFO)
        .map(OsPath::decode)
        .orElse("")
        .lines()
        .filter(line -> line.contains(point))
        .toList();
  }

  /** As proc_pid_mountinfo(5) writes a path. */
  private static String escaped(String path) {
    return path.replace("\\", "\\134")
        .replace(" ", "\\040")
        .replace("\t", "\\011")
        .replace("\n", "\\012");
  }
}
