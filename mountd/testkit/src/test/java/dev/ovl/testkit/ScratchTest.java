package dev.ovl.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class ScratchTest {
  private final Syscalls sys = new LinuxSyscalls();

  private void assertLivesOn(Supplier<Scratch> kind, long magic) throws Exception {
    OsPath path;
    Leaks leaks = Leaks.beneath(OsPath.of(System.getProperty("java.io.tmpdir")));
    try (Scratch scratch = kind.get()) {
      path = scratch.path();
      assertEquals(magic, sys.statfs(path).type());
      assertEquals(List.of(), FileTree.list(sys, path));
      scratch.mkdirs("a/b");
    }
    assertTrue(Files.notExists(Path.of(path.parent().toString())));
    assertEquals(
        List.of(), leaks.extra().stream().filter(l -> l.contains(path.toString())).toList());
  }

  @Test
  void tmpfs() throws Exception {
    assertLivesOn(Scratch::tmpfs, Linux.TMPFS_MAGIC);
  }

  @Test
  void ext4() throws Exception {
    assertLivesOn(Scratch::ext4, Linux.EXT4_SUPER_MAGIC);
  }

  @Test
  void xfs() throws Exception {
    assertLivesOn(Scratch::xfs, Linux.XFS_SUPER_MAGIC);
  }

  @Test
  void btrfs() throws Exception {
    assertLivesOn(Scratch::btrfs, Linux.BTRFS_SUPER_MAGIC);
  }

  @Test
  void directory() {
    OsPath path;
    try (Scratch scratch = Scratch.directory()) {
      path = scratch.path();
      assertTrue(Files.isDirectory(Path.of(path.toString())));
    }
    assertTrue(Files.notExists(Path.of(path.toString())));
  }

  @Test
  void unmountsWhatLiesOnIt() throws Exception {
    OsPath path;
    try (Scratch scratch = Scratch.tmpfs()) {
      path = scratch.path();
      for (String name : List.of("a b", "a b/c", "a b/c", "x")) {
        sys.mount(OsPath.of("ovl-test"), scratch.mkdirs(name), "tmpfs", 0, new byte[0]);
      }
      assertEquals(5, MountedPaths.beneath(path).size());
    }
    assertEquals(List.of(), MountedPaths.beneath(path));
  }

  @Test
  void canBeEmptied() throws Exception {
    try (Scratch scratch = Scratch.tmpfs()) {
      sys.mount(OsPath.of("ovl-test"), scratch.mkdirs("a/b"), "tmpfs", 0, new byte[0]);
      sys.symlinkat(OsPath.of("a"), Linux.AT_FDCWD, scratch.resolve("l"));
      scratch.empty();
      assertEquals(List.of(), FileTree.list(sys, scratch.path()));
      assertEquals(1, MountedPaths.beneath(scratch.path()).size());
    }
  }

  @Test
  void detachesWhatStaysBusy() throws Exception {
    Scratch scratch = Scratch.tmpfs();
    OsPath path = scratch.path();
    try (Fd busy = new Fd(sys, sys.openat(Linux.AT_FDCWD, path, Linux.O_RDONLY, 0))) {
      scratch.close();
      assertEquals(List.of(), MountedPaths.beneath(path), "busy by " + busy.number());
    }
  }

  @Test
  void isGoneForGoodOnceClosed() {
    Scratch scratch = Scratch.directory();
    scratch.close();
    scratch.close();
    assertThrows(IllegalStateException.class, scratch::path);
  }

  @Test
  void sigtermClearsItAndSigkillLeavesItToTheNext() throws Exception {
    Requires.root();
    Process terminated = holder();
    OsPath first = place(terminated);
    terminated.destroy();
    assertTrue(terminated.waitFor(20, TimeUnit.SECONDS));
    assertEquals(List.of(), MountedPaths.beneath(first));
    assertTrue(Files.notExists(Path.of(first.parent().toString())));

    Process killed = holder();
    OsPath second = place(killed);
    killed.destroyForcibly().waitFor();
    assertEquals(1, MountedPaths.beneath(second).size());
    try (Scratch next = Scratch.directory()) {
      next.path();
    }
    assertEquals(List.of(), MountedPaths.beneath(second));
    assertTrue(Files.notExists(Path.of(second.parent().toString())));
  }

  private static Process holder() throws Exception {
    return new ProcessBuilder(
            ProcessHandle.current().info().command().orElseThrow(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Holder.class.getName())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static OsPath place(Process holder) throws Exception {
    return OsPath.of(holder.inputReader().readLine());
  }

  /** Holds a scratch directory until it is killed. */
  static final class Holder {
    private Holder() {}

    public static void main(String[] args) throws Exception {
      System.out.println(Scratch.tmpfs().path());
      TimeUnit.MINUTES.sleep(1);
    }
  }
}
