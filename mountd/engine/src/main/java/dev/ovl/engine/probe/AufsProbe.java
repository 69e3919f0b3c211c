package dev.ovl.engine.probe;

import dev.ovl.engine.aufs.AufsTable;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.mount.PrivateMountNamespace;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Mounts aufs over a private tmpfs and looks at what it does. Where {@link FileSystemProbe} found
 * no aufs nothing is tried.
 *
 * <p>All names are relative, as in {@link OverlayProbe}. By mount(2): aufs of 2021 (5.15.5,
 * Ubuntu's) knows fsconfig(2) in name only.
 */
final class AufsProbe {
  private static final OsPath SOURCE = OsPath.of("ovl-probe");
  private static final OsPath DIRECTORY = OsPath.of("directory");
  private static final byte[] CONTENT = "content\n".getBytes(StandardCharsets.US_ASCII);

  private final Syscalls sys;
  private final Files files;
  private final AufsTable table;
  private int attempts;

  AufsProbe(Syscalls sys) {
    this.sys = sys;
    this.files = new Files(sys);
    this.table = new AufsTable(sys, new MountTable(sys));
  }

  /** Tries one thing on a fresh mount. */
  private interface Attempt {
    /**
     * @param mounted the mount point
     * @throws ErrnoException the kernel's refusal
     */
    ProbeResult on(OsPath mounted) throws ErrnoException;
  }

  /**
   * A question.
   *
   * @param option what to mount with; empty for nothing
   */
  private record Question(String name, String title, String option, Attempt attempt) {
    Feature answered(ProbeResult result) {
      return new Feature("aufs." + name, title, Feature.Group.AUFS, result);
    }
  }

  private final List<Question> questions =
      List.of(
          new Question("mount", "aufs mounts", "", this::hides),
          new Question("dirperm1", "dirperm1", "dirperm1", this::hides),
          new Question("notify", "udba=notify", "udba=notify", this::hides),
          new Question("dirren", "renaming of lower directories", "dirren", this::renames));

  /**
   * Asks everything; never fails: what cannot be asked says why.
   *
   * @param available whether there is an aufs
   */
  List<Feature> features(ProbeResult available) {
    Question limit =
        new Question("max_branches", "largest number of branches", "", mounted -> limit());
    List<Question> all = new ArrayList<>(questions);
    all.add(1, limit);
    if (!available.isYes()) {
      ProbeResult result = ProbeResult.notProbed("there is no aufs: " + available.detail());
      return all.stream().map(q -> q.answered(result)).toList();
    }
    try {
      return new PrivateMountNamespace(sys)
          .call(() -> all.stream().map(q -> q.answered(answer(q))).toList());
    } catch (ErrnoException e) {
      ProbeResult result = ProbeResult.notProbed(OverlayProbe.noPlace(e));
      return all.stream().map(q -> q.answered(result)).toList();
    }
  }

  private ProbeResult answer(Question question) {
    try {
      OsPath directory = OsPath.of("aufs" + attempts++);
      OsPath lower = directory.resolve("lower");
      OsPath upper = directory.resolve("upper");
      OsPath point = directory.resolve("point");
      files.mkdir(directory, 0700);
      for (OsPath path : List.of(lower, upper, point, lower.resolve(DIRECTORY))) {
        files.mkdir(path, 0700);
      }
      for (String name : List.of("file", "hidden", DIRECTORY + "/file")) {
        files.replaceVolatile(lower.resolve(name), CONTENT, 0600);
      }
      files.replaceVolatile(upper.resolve(".wh.hidden"), new byte[0], 0444);
      // by default that file lies in the upper, by a path that begins at the root directory
      String xino = "xino=" + directory.resolve("xino") + ",";
      String option = question.option().isEmpty() ? "" : question.option() + ",";
      byte[] data = OsPath.encode(xino + option + "br:" + upper + "=rw:" + lower + "=ro+wh");
      sys.mount(SOURCE, point, AufsTable.TYPE, 0, data);
      try {
        return question.attempt().on(point);
      } finally {
        sys.umount2(point, Linux.MNT_DETACH);
      }
    } catch (ErrnoException e) {
      return ProbeResult.refused(e);
    }
  }

  private ProbeResult hides(OsPath mounted) throws ErrnoException {
    boolean shows = files.lstat(mounted.resolve("file")).isPresent();
    boolean hides = files.lstat(mounted.resolve("hidden")).isEmpty();
    return shows && hides ? ProbeResult.yes() : ProbeResult.no("it does not show what it should");
  }

  /** Without the option the kernel says EXDEV. */
  private ProbeResult renames(OsPath mounted) throws ErrnoException {
    sys.renameat2(
        Linux.AT_FDCWD, mounted.resolve(DIRECTORY), Linux.AT_FDCWD, mounted.resolve("renamed"), 0);
    return ProbeResult.yes();
  }

  private ProbeResult limit() throws ErrnoException {
    OptionalInt limit = table.maxBranches();
    return limit.isPresent()
        ? ProbeResult.yes(String.valueOf(limit.getAsInt()))
        : ProbeResult.notProbed("built into the kernel, aufs does not tell it");
  }
}
