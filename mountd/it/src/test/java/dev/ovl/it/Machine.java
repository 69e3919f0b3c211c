package dev.ovl.it;

import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A {@link DebianRoot} with systemd, booted by systemd-nspawn: a kernel shared with this one, all
 * else a machine's. What is to be done in it is a script that a unit runs once the machine is up,
 * and which powers it off in the end; it can be booted again.
 */
final class Machine {
  private static final Duration LIFE = Duration.ofSeconds(150);

  /** What a script can call. */
  private static final String WORDS =
      """
      # Runs a command and reports what it said, errors too, beneath a heading, and how it ended.
      say() {
        printf '#### %s\\n' "$1"
        shift
        "$@" 2>&1
        printf '#### status %s\\n' $?
      }
      # Waits until a command ends well; a minute at most.
      await() {
        for _ in $(seq 300); do
          ! "$@" >/dev/null 2>&1 || return 0
          sleep 0.2
        done
        echo "waited in vain for: $*"
        return 1
      }
      """;

  private static final String END = "systemctl --no-block start poweroff.target\n";

  private static final String UNIT =
      """
      [Unit]
      After=multi-user.target
      [Service]
      Type=oneshot
      StandardOutput=file:/report
      StandardError=inherit
      ExecStart=/bin/sh /script
      """;

  private final Scratch scratch;
  private final DebianRoot root;
  private final String name;

  private Machine(Scratch scratch, DebianRoot root) {
    this.scratch = scratch;
    this.root = root;
    this.name = "ovl-test-" + ProcessHandle.current().pid();
  }

  /**
   * What a script reported.
   *
   * @param sections what each command said, by its heading
   * @param statuses how each ended, likewise
   * @param console what the machine wrote there, for messages
   */
  record Report(Map<String, String> sections, Map<String, Integer> statuses, String console) {
    /** What was said under a heading by a command that ended well. */
    String get(String heading) {
      String text = said(heading);
      if (statuses.get(heading) != 0) {
        throw new AssertionError(heading + " ended with " + statuses.get(heading) + ": " + text);
      }
      return text;
    }

    /** What was said under a heading, however the command ended. */
    String said(String heading) {
      String text = sections.get(heading);
      if (text == null || !statuses.containsKey(heading)) {
        throw new AssertionError("no report of " + heading + ", only " + sections + "\n" + console);
      }
      return text;
    }
  }

  /** A machine that has been booted once for trial. Skips the test where that cannot be done. */
  static Machine of(Scratch scratch) {
    Requires.program("systemd-nspawn");
    Requires.program("journalctl");
    Machine machine = new Machine(scratch, DebianRoot.withSystemd(scratch));
    // it has processes of its own to show
    Ovlctl.of(scratch).shell("umount " + machine.root.resolve("/proc")).fine();
    Report trial = machine.boot("say trial systemctl is-active sysinit.target");
    Requires.that(
        "boot",
        trial.sections().containsKey("trial")
            ? Optional.empty()
            : Optional.of("systemd-nspawn cannot boot here: " + trial.console().strip()));
    return machine;
  }

  /** Its files. */
  DebianRoot root() {
    return root;
  }

  /** Boots it, and is back when it has powered itself off. */
  Report boot(String script) {
    write("/script", WORDS + script + "\n" + END);
    write("/etc/systemd/system/script.service", UNIT);
    root.run("rm -f /report && systemctl add-wants multi-user.target script.service").ended(0);
    Result run;
    try {
      run = start();
    } finally {
      end();
    }
    return report(run.out() + run.err());
  }

  /**
   * In control groups of its own, since the machine takes over the one it is started in; where
   * systemd-nspawn looks for it, on systems with one tree of groups, two, or many.
   */
  private Result start() {
    return Ovlctl.of(scratch)
        .within(LIFE.plusSeconds(20))
        .shell(
            """
            %1$s
            for tree in $trees; do
              mkdir -p $tree/%2$s && echo $$ >$tree/%2$s/cgroup.procs || exit
            done
            exec timeout --kill-after=10 %3$d \\
              systemd-nspawn --quiet --boot --register=no --keep-unit --private-network \\
                --console=read-only --machine=%2$s --link-journal=no --directory=%4$s
            """
                .formatted(trees(), name, LIFE.toSeconds(), root.directory()));
  }

  private static String trees() {
    return """
        trees=
        for tree in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
          [ ! -e $tree/cgroup.procs ] || trees="$trees $tree"
        done
        """;
  }

  /** Nothing stays of it but its files. */
  private void end() {
    Ovlctl.of(scratch)
        .shell(
            """
            %1$s
            for tree in $trees; do
              [ -d $tree/%2$s ] || continue
              for _ in $(seq 100); do
                pids=$(find $tree/%2$s -name cgroup.procs -exec cat {} +)
                [ -n "$pids" ] || break
                kill -9 $pids 2>/dev/null
                sleep 0.1
              done
              find $tree/%2$s -depth -type d -exec rmdir {} +
            done
            if [ -d /run/systemd/nspawn/propagate/%2$s ]; then
              rmdir /run/systemd/nspawn/propagate/%2$s
            fi
            """
                .formatted(trees(), name))
        .fine();
  }

  private Report report(String console) {
    Path file = root.resolve("/report");
    Map<String, String> sections = new LinkedHashMap<>();
    Map<String, Integer> statuses = new LinkedHashMap<>();
    String heading = "";
    StringBuilder text = new StringBuilder();
    for (String line : Files.exists(file) ? read(file).lines().toList() : List.<String>of()) {
      if (line.startsWith("#### status ")) {
        statuses.put(heading, Integer.parseInt(line.substring("#### status ".length())));
      } else if (line.startsWith("#### ")) {
        sections.put(heading, text.toString());
        heading = line.substring("#### ".length());
        text.setLength(0);
      } else {
        text.append(line).append('\n');
      }
    }
    sections.put(heading, text.toString());
    return new Report(sections, statuses, console);
  }

  /** The journal's messages of its last boot, in order. */
  List<String> journal() {
    return Ovlctl.of(scratch)
        .shell(
            "exec journalctl --quiet --boot --output=cat --directory="
                + root.resolve("/var/log/journal"))
        .fine()
        .lines();
  }

  /** Writes a file of it. */
  void write(String path, String text) {
    try {
      Path file = root.resolve(path);
      Files.createDirectories(file.getParent());
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new AssertionError("cannot write " + path, e);
    }
  }

  private static String read(Path file) {
    try {
      return OsPath.decode(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new AssertionError("cannot read " + file, e);
    }
  }
}
