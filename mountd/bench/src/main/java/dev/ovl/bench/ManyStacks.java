package dev.ovl.bench;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.StackEntry;
import dev.ovl.service.EngineHost;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Privilege;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What is done with all stacks at once, by their number: through the daemon, with one connection
 * and one request after the other as ovlctl does it, and in this process.
 */
final class ManyStacks {
  private static final int LOWERS = 2;

  /** How often a question is asked; the median counts. */
  private static final int ASKED = 5;

  /** Stacks to make, mount, end and forget before anything is measured. */
  private static final int WARM_UP = 1000;

  private final Path launcher;
  private final Path scratch;
  private final List<Integer> counts;
  private final Map<String, StringBuilder> rows = new LinkedHashMap<>();

  /**
   * @param counts of stacks, ascending
   */
  ManyStacks(Path launcher, Path scratch, List<Integer> counts) {
    this.launcher = launcher;
    this.scratch = scratch;
    this.counts = counts;
  }

  void run() throws Exception {
    measureInProcess(WARM_UP, "warm");
    rows.clear();
    StringBuilder head = new StringBuilder("\n| µs a stack |");
    StringBuilder rule = new StringBuilder("|---|");
    for (int count : counts) {
      head.append(" socket, ").append(count).append(" | in process |");
      rule.append("--:|--:|");
      measureServed(count);
      measureInProcess(count, "here");
    }
    System.out.println(head);
    System.out.println(rule);
    rows.forEach((work, columns) -> System.out.println("| " + work + " |" + columns));
  }

  private void measureServed(int count) throws Exception {
    Path root = scratch.resolve("tmpfs/served" + count);
    Path run = scratch.resolve("run-served" + count);
    try (Running running = new Running(new Mountd(launcher, root, run))) {
      createAndMount(running.host(), count);
      running.mountd().program().kill();
      long start = System.nanoTime();
      running.replace(new Mountd(launcher, root, run));
      requireUp(running.host().list(), count);
      restarted(System.nanoTime() - start);
      Program.Memory memory = running.mountd().program().memory();
      endAndForget(running.host(), count);
      cell("memory after that, MiB", String.valueOf(memory.resident() / 1024));
    }
  }

  private void measureInProcess(int count, String directory) throws Exception {
    Path root = scratch.resolve("tmpfs/" + directory + count);
    try (CommandHost host = engine(root)) {
      createAndMount(host, count);
    }
    try (CommandHost host = engine(root)) {
      long start = System.nanoTime();
      requireUp(host.list(), count);
      restarted(System.nanoTime() - start);
      endAndForget(host, count);
      cell("memory after that, MiB", "");
    }
  }

  /** A daemon and a connection to it, to be ended whichever they are by then. */
  private static final class Running implements AutoCloseable {
    private Mountd mountd;
    private CommandHost host;

    Running(Mountd mountd) throws HostException {
      this.mountd = mountd;
      this.host = mountd.connect();
    }

    Mountd mountd() {
      return mountd;
    }

    CommandHost host() {
      return host;
    }

    void replace(Mountd next) throws HostException {
      close();
      mountd = next;
      host = next.connect();
    }

    @Override
    public void close() {
      host.close();
      mountd.close();
    }
  }

  private CommandHost engine(Path root) {
    return new EngineHost(
        new LinuxSyscalls(),
        Privilege.ROOT,
        OsPath.of(root.toString()),
        OsPath.of(scratch.resolve("run-here").toString()),
        System.err::println);
  }

  private void createAndMount(CommandHost host, int count) throws Exception {
    List<OsPath> lowers = Layers.make(scratch.resolve("tmpfs"), LOWERS);
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      new HostStack(host, "web" + i).create(lowers, false);
    }
    note("`create`", count, System.nanoTime() - start);
    question("`ls`, all down", count, host::list);
    question("names by dependency", count, host::namesByDependency);
    start = System.nanoTime();
    for (String name : host.namesByDependency()) {
      new HostStack(host, name).up();
    }
    note("`up --all`", count, System.nanoTime() - start);
    requireUp(host.list(), count);
    question("`ls`, all up", count, host::list);
    start = System.nanoTime();
    for (String name : host.namesByDependency()) {
      new HostStack(host, name).up();
    }
    note("`up --all` again", count, System.nanoTime() - start);
  }

  private void endAndForget(CommandHost host, int count) throws HostException {
    long start = System.nanoTime();
    for (String name : host.namesByDependency().reversed()) {
      new HostStack(host, name).down();
    }
    note("`down --all`", count, System.nanoTime() - start);
    start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      new HostStack(host, "web" + i).remove(false);
    }
    note("`rm`", count, System.nanoTime() - start);
  }

  private static void requireUp(List<StackEntry> entries, int count) throws IOException {
    long up =
        entries.stream()
            .filter(entry -> entry instanceof StackEntry.Known known && known.summary().up())
            .count();
    if (up != count) {
      throw new IOException(up + " of " + count + " stacks are up");
    }
  }

  /** What is asked of a host. */
  private interface Question {
    Object ask() throws HostException;
  }

  private void question(String work, int count, Question question) throws HostException {
    long[] spent = new long[ASKED];
    for (int i = 0; i < ASKED; i++) {
      long start = System.nanoTime();
      question.ask();
      spent[i] = System.nanoTime() - start;
    }
    note(work, count, (long) Samples.median(spent));
  }

  private void note(String work, int count, long nanos) {
    double micros = nanos / 1000.0 / count;
    cell(work, String.format(Locale.ROOT, micros < 10 ? "%.1f" : "%.0f", micros));
  }

  private void restarted(long nanos) {
    cell("killed, started, `ls`: ms in all", String.valueOf(nanos / 1_000_000));
  }

  private void cell(String work, String text) {
    rows.computeIfAbsent(work, w -> new StringBuilder()).append(' ').append(text).append(" |");
  }
}
