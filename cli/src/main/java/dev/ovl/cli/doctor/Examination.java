package dev.ovl.cli.doctor;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.cli.host.HostChoice;
import dev.ovl.cli.session.Place;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.probe.Feature;
import dev.ovl.engine.probe.Probe;
import dev.ovl.engine.probe.ProbeReport;
import dev.ovl.engine.probe.ProbeResult;
import dev.ovl.engine.probe.RootFileSystem;
import dev.ovl.engine.stack.Leftover;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackSummary;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.service.EngineHost;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Looks an installation over. Changes nothing, unless it is told to sweep. */
public final class Examination {
  /** Without these nothing works; the others only make it better. */
  private static final Set<String> NEEDED = Set.of("overlay.mount", "root.d_type", "root.upper");

  /** In percent: less than this will soon be nothing. */
  private static final int LOW = 5;

  private static final OsPath SOCKET = OsPath.of("mountd.sock");
  private static final int SOCKET_MODE = 0660;
  private static final int PERMISSIONS = 0777;
  private static final String SERVICE = "ovl-mountd.service";
  private static final List<String> UNIT_DIRECTORIES =
      List.of("/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system");
  private static final List<String> HELPERS = List.of("/sbin/mount.ovl", "/usr/sbin/mount.ovl");

  private final Syscalls sys;
  private final Files files;
  private final OsPath root;
  private final OsPath run;
  private final Place place;
  private final List<Finding> findings = new ArrayList<>();

  /** What to do with leftovers. */
  public enum Sweep {
    /** Name them. */
    NOTHING,
    /** Remove those in which no file would be lost. */
    WITHOUT_DATA,
    /** Remove layers with files in them too. */
    ALL
  }

  /**
   * @param root the root directory
   * @param run the run directory
   * @param place where this runs
   */
  public Examination(Syscalls sys, OsPath root, OsPath run, Place place) {
    this.sys = sys;
    this.files = new Files(sys);
    this.root = root;
    this.run = run;
    this.place = place;
  }

  /**
   * Looks at everything; what cannot be looked at is a finding as well.
   *
   * @return in a fixed order
   */
  public List<Finding> examine(Sweep sweep) {
    look("kernel and root", this::probe);
    look("stacks", this::stacks);
    look("leftovers", () -> leftovers(sweep));
    look("daemon", this::daemon);
    look("systemd", this::units);
    look("mount helper", this::helper);
    return List.copyOf(findings);
  }

  /** A part of the examination. */
  private interface Look {
    void run() throws EngineException, ErrnoException;
  }

  private void look(String subject, Look part) {
    try {
      part.run();
    } catch (EngineException | ErrnoException e) {
      findings.add(
          Finding.problem(
              subject, "cannot be looked at: " + e.getMessage(), "run 'ovlctl doctor' as root"));
    }
  }

  // ---- kernel and root ----------------------------------------------------------------------

  private void probe() throws ErrnoException {
    ProbeReport report = new Probe(sys, root).run();
    int missing = 0;
    for (Feature feature : report.features()) {
      boolean matters = NEEDED.contains(feature.key());
      if (feature.result() instanceof ProbeResult.No no && matters) {
        missing++;
        findings.add(
            Finding.problem(
                "kernel and root",
                feature.title() + ": " + no.detail(),
                feature.group() == Feature.Group.ROOT
                    ? "move the root to another file system (--root): ext4, xfs with ftype=1, btrfs"
                    : "run a kernel with overlayfs (CONFIG_OVERLAY_FS)"));
      }
    }
    if (missing == 0) {
      findings.add(
          Finding.ok(
              "kernel and root",
              "Linux "
                  + report.kernel()
                  + ", driver "
                  + report.driver().name().orElse("none")
                  + ", root on "
                  + report.root().type()));
    }
    room(report.root());
  }

  private void room(RootFileSystem at) {
    String where = "free an upper's files ('ovlctl stats'), or move the root";
    if (at.bytesAvailable() < at.bytes() / 100 * LOW) {
      findings.add(
          Finding.problem(
              "free space",
              at.bytesAvailable() + " of " + at.bytes() + " bytes are left for " + quoted(root),
              where));
    }
    if (at.inodes().isPresent()
        && at.inodesFree().orElse(0) < at.inodes().getAsLong() / 100 * LOW) {
      findings.add(
          Finding.problem(
              "free inodes",
              at.inodesFree().orElse(0)
                  + " of "
                  + at.inodes().getAsLong()
                  + " inodes are left for "
                  + quoted(root),
              where));
    }
  }

  // ---- stacks -------------------------------------------------------------------------------

  private void stacks() throws EngineException, ErrnoException {
    try (Stacks stacks = new Stacks(sys, root, run)) {
      int up = 0;
      int down = 0;
      for (StackName name : stacks.names()) {
        try {
          StackSummary stack = stacks.summary(name);
          if (stack.state().mounted().isPresent()) {
            up++;
          } else {
            down++;
          }
          stack
              .state()
              .remark()
              .ifPresent(
                  remark ->
                      findings.add(
                          Finding.note(
                              "stack " + name, "its mount is " + remark, "'down' and 'up' it")));
        } catch (EngineException | ErrnoException e) {
          findings.add(
              Finding.problem(
                  "stack " + name, e.getMessage(), "mend or remove its file in stacks/ by hand"));
        }
      }
      findings.add(Finding.ok("stacks", up + " up, " + down + " down"));
    }
  }

  private void leftovers(Sweep sweep) throws EngineException, ErrnoException {
    try (Stacks stacks = new Stacks(sys, root, run)) {
      List<Leftover> leftovers = stacks.leftovers();
      if (leftovers.isEmpty()) {
        findings.add(Finding.ok("leftovers", "none"));
      }
      for (Leftover leftover : leftovers) {
        boolean wanted =
            switch (sweep) {
              case NOTHING -> false;
              case WITHOUT_DATA -> !leftover.holdsData();
              case ALL -> true;
            };
        findings.add(wanted && stacks.sweep(leftover) ? swept(leftover) : found(leftover));
      }
    }
  }

  private static Finding swept(Leftover leftover) {
    return Finding.ok("leftovers", "removed " + text(leftover));
  }

  private static Finding found(Leftover leftover) {
    String remedy = leftover.kind().remedy();
    if (leftover.kind().isSwept()) {
      remedy +=
          leftover.holdsData() ? ": 'ovlctl doctor --sweep-data'" : ": 'ovlctl doctor --sweep'";
    }
    return leftover.kind().isSwept()
        ? Finding.note("leftovers", text(leftover), remedy)
        : Finding.problem("leftovers", text(leftover), remedy);
  }

  private static String text(Leftover leftover) {
    return leftover.place().quoted()
        + leftover.stack().map(stack -> " of " + stack).orElse("")
        + ": "
        + leftover.what();
  }

  // ---- daemon -------------------------------------------------------------------------------

  private void daemon() throws ErrnoException {
    OsPath socket = run.resolve(SOCKET);
    Optional<Statx> file = files.lstat(socket);
    if (file.isEmpty()) {
      findings.add(
          Finding.note(
              "daemon",
              "none listens on " + quoted(socket) + "; ovlctl works without one",
              "'systemctl enable --now ovl-mountd.socket', or start mountd, if you want it"));
      return;
    }
    int mode = file.get().mode() & PERMISSIONS;
    if (!file.get().isSocket() || mode != SOCKET_MODE) {
      findings.add(
          Finding.problem(
              "daemon",
              quoted(socket) + " is no socket with mode 0660 but has " + octal(mode),
              "restart the daemon, or mend SocketMode= in ovl-mountd.socket"));
    }
    HostChoice choice =
        new HostChoice(
            root,
            run,
            place,
            () -> new EngineHost(sys, place.privilege(), root, run, note -> {}),
            note -> {});
    try (CommandHost host = choice.open("unix://" + socket)) {
      host.list();
      findings.add(Finding.ok("daemon", "answers on " + quoted(socket)));
    } catch (HostException e) {
      findings.add(
          Finding.problem(
              "daemon",
              e.getMessage(),
              "look at 'systemctl status ovl-mountd' and 'journalctl -u ovl-mountd'"));
    }
  }

  private static String octal(int mode) {
    return "0" + Integer.toOctalString(mode);
  }

  // ---- what is installed --------------------------------------------------------------------

  private void units() throws ErrnoException {
    if (files.lstat(OsPath.of("/run/systemd/system")).isEmpty()) {
      findings.add(Finding.note("systemd", "this machine does not run under it"));
      return;
    }
    Optional<OsPath> unit = first(UNIT_DIRECTORIES.stream().map(d -> d + "/" + SERVICE).toList());
    if (unit.isEmpty()) {
      findings.add(
          Finding.note(
              "systemd",
              SERVICE + " is not installed: nothing comes up at boot",
              "install the package, or the units in lib/systemd/system of the distribution"));
      return;
    }
    boolean enabled =
        files
            .lstat(OsPath.of("/etc/systemd/system/sockets.target.wants/ovl-mountd.socket"))
            .isPresent();
    findings.add(
        enabled
            ? Finding.ok("systemd", quoted(unit.get()) + ", socket enabled")
            : Finding.note(
                "systemd",
                quoted(unit.get()) + " is installed, its socket is not enabled",
                "'systemctl enable --now ovl-mountd.socket', if you want the daemon at boot"));
  }

  private void helper() throws ErrnoException {
    Optional<OsPath> helper = first(HELPERS);
    findings.add(
        helper.isPresent()
            ? Finding.ok("mount helper", quoted(helper.get()))
            : Finding.note(
                "mount helper",
                "/sbin/mount.ovl is not installed: 'mount -t ovl' and fstab do not work",
                "install the package, or link sbin/mount.ovl of the distribution there"));
  }

  private Optional<OsPath> first(List<String> paths) throws ErrnoException {
    for (String path : paths) {
      if (files.stat(OsPath.of(path)).isPresent()) {
        return Optional.of(OsPath.of(path));
      }
    }
    return Optional.empty();
  }

  private static String quoted(OsPath path) {
    return path.quoted();
  }
}
