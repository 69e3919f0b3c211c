package dev.ovl.testkit;

import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;

/**
 * A process with a mount namespace of its own, in which nothing of this one's is mounted: its root
 * directory is a tmpfs with busybox, and an empty {@code /mnt}. It ends with this object or the
 * JVM.
 */
public final class Container implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 30;

  /** Becomes a process that waits for the end of its standard input. */
  private static final String SCRIPT =
      """
      set -e
      mount -t tmpfs ovl-container "$1" && cd "$1" && mkdir bin proc mnt old
      cp /bin/busybox bin
      for applet in sh cat echo id ls mkdir mount rm sleep stat touch umount; do
        ln -s busybox bin/$applet
      done
      mount -t proc proc proc 2>/dev/null || :
      bin/busybox pivot_root . old && cd /
      /bin/busybox umount -l /old && /bin/busybox rmdir /old
      /bin/echo ready
      exec /bin/cat
      """;

  private final Process process;
  private final boolean ownUsers;

  private Container(Process process, boolean ownUsers) {
    this.process = process;
    this.ownUsers = ownUsers;
  }

  /**
   * Starts one.
   *
   * @param place an empty directory, over which its tmpfs is mounted where nobody else sees it
   */
  public static Container start(OsPath place) {
    return start(place, List.of(), false);
  }

  /**
   * Starts one in a user namespace of its own, as user and group 0 there.
   *
   * @param first the id outside of user and group 0; 65536 ids follow each other
   */
  public static Container startAs(int first, OsPath place) {
    try {
      Process holder = new ProcessBuilder("unshare", "--user", "sleep", "60").start();
      try {
        Path proc = Path.of("/proc/" + holder.pid());
        String ours = Files.readSymbolicLink(Path.of("/proc/self/ns/user")).toString();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (Files.readSymbolicLink(proc.resolve("ns/user")).toString().equals(ours)) {
          Assertions.assertTrue(System.nanoTime() < deadline, "there is no user namespace");
          Thread.onSpinWait();
        }
        for (String map : List.of("uid_map", "gid_map")) {
          Files.writeString(proc.resolve(map), "0 " + first + " 65536\n");
        }
        List<String> enter = List.of("nsenter", "--user", "--target", holder.pid() + "");
        List<String> prefix = new ArrayList<>(enter);
        prefix.addAll(List.of("--setuid", "0", "--setgid", "0"));
        return start(place, prefix, true);
      } finally {
        holder.destroyForcibly();
      }
    } catch (IOException e) {
      throw new AssertionError("there is no user namespace", e);
    }
  }

  private static Container start(OsPath place, List<String> prefix, boolean ownUsers) {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(List.of("unshare", "--mount", "--propagation", "private", "sh", "-c", SCRIPT));
    command.addAll(List.of("container", place.toString()));
    try {
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      Container container = new Container(process, ownUsers);
      String said = container.line();
      if (!said.equals("ready")) {
        container.close();
        throw new AssertionError("the container says: " + said);
      }
      return container;
    } catch (IOException e) {
      throw new AssertionError("there is no container", e);
    }
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    InputStream out = process.getInputStream();
    for (int each = out.read(); each >= 0 && each != '\n'; each = out.read()) {
      line.append((char) each);
    }
    return line.toString();
  }

  /** Its process id here. */
  public int pid() {
    return Math.toIntExact(process.pid());
  }

  /** A path of its own, as this process reaches it. */
  public OsPath path(String name) {
    return OsPath.of("/proc/" + pid() + "/root" + name);
  }

  /** The lines of its mountinfo. */
  public List<String> mounts() {
    try {
      return Files.readAllLines(Path.of("/proc/" + pid() + "/mountinfo"));
    } catch (IOException e) {
      throw new AssertionError("the container has ended", e);
    }
  }

  /** What a script of sh says in it, on both of its outputs, with {@code status N} if it fails. */
  public String sh(String script) {
    List<String> command = new ArrayList<>(List.of("nsenter", "--target", pid() + ""));
    command.addAll(List.of("--mount", "--root", "--wd"));
    if (ownUsers) {
      command.addAll(List.of("--user", "--setuid", "0", "--setgid", "0"));
    }
    command.addAll(List.of("/bin/sh", "-c", script));
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().put("PATH", "/bin");
      Process run = builder.start();
      run.getOutputStream().close();
      String said = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int status = run.waitFor();
      return status == 0 ? said : said + "status " + status + "\n";
    } catch (IOException e) {
      throw new AssertionError("there is no nsenter", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while " + script + " ran", e);
    }
  }

  /** Ends it, and with it what is mounted there. */
  @Override
  public void close() {
    process.destroyForcibly();
    try {
      Assertions.assertTrue(
          process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), "the container does not end");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
