package dev.ovl.it;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * A Debian system in a directory, to install into. What debootstrap made is kept in the module's
 * build directory; each object is a copy to write in, an overlay whose upper lies in a scratch
 * tmpfs and ends with it.
 */
final class DebianRoot {
  private static final String SUITE = "bookworm";
  private static final Path KEPT = Ovlctl.CHECKOUT.resolve("mountd/it/target/debian");
  private static final Duration MADE_WITHIN = Duration.ofMinutes(5);

  private final Scratch scratch;
  private final OsPath directory;
  private final String lowers;

  private DebianRoot(Scratch scratch, OsPath directory, String lowers) {
    this.scratch = scratch;
    this.directory = directory;
    this.lowers = lowers;
  }

  /** The least of Debian: essential packages and apt. */
  static DebianRoot minimal(Scratch scratch) {
    return copy(scratch, keptMinimal(scratch));
  }

  /** The same with systemd as its init. */
  static DebianRoot withSystemd(Scratch scratch) {
    Path minimal = keptMinimal(scratch);
    return copy(
        scratch,
        kept(
            scratch,
            "systemd",
            """
            cp -a %s new
            export DEBIAN_FRONTEND=noninteractive
            chroot new apt-get update
            chroot new apt-get install --yes --no-install-recommends systemd-sysv
            chroot new apt-get clean
            """
                .formatted(Ovlctl.quote(minimal.toString()))));
  }

  private static Path keptMinimal(Scratch scratch) {
    Requires.overlay();
    Requires.program("debootstrap");
    return kept(scratch, "minimal", "debootstrap --variant=minbase " + SUITE + " new");
  }

  /**
   * What is kept by a name; made, as the directory {@code new}, if it is not there yet. Skips the
   * test when that fails, as it does without a network.
   */
  private static Path kept(Scratch scratch, String name, String script) {
    Path made = KEPT.resolve(name);
    if (!Files.isDirectory(made)) {
      Result run =
          Ovlctl.of(scratch)
              .within(MADE_WITHIN)
              .shell(
                  """
                  mkdir -p %1$s && cd %1$s && rm -rf new || exit
                  sh -e >log 2>&1 <<'END'
                  %2$s
                  END
                  [ $? = 0 ] || { tail -n 5 log; exit 1; }
                  mv new %3$s
                  """
                      .formatted(Ovlctl.quote(KEPT.toString()), script, name));
      Requires.that(
          "debian",
          run.status() == 0
              ? Optional.empty()
              : Optional.of("no Debian system can be made: " + (run.out() + run.err()).strip()));
    }
    return made;
  }

  private static DebianRoot copy(Scratch scratch, Path lower) {
    return mounted(scratch, "debian", Ovlctl.quote(lower.toString()));
  }

  /** A copy of what it is now, which is in lower layers there; this one is unmounted. */
  DebianRoot layered() {
    Ovlctl.of(scratch).shell("umount -R " + directory).fine();
    return mounted(scratch, directory.fileName() + "-next", directory + "-upper:" + lowers);
  }

  private static DebianRoot mounted(Scratch scratch, String name, String lowers) {
    try {
      OsPath root = scratch.mkdirs(name);
      Ovlctl.of(scratch)
          .shell(
              """
              mkdir %2$s-upper %2$s-work
              mount -t overlay -o lowerdir=%1$s,upperdir=%2$s-upper,workdir=%2$s-work debian %2$s
              mount -t proc proc %2$s/proc
              # overlayfs takes no upper on overlayfs, and not three of them above each other
              mkdir -p %2$s/var/lib/ovl && mount -t tmpfs -o mode=711 tmpfs %2$s/var/lib/ovl
              mount -t tmpfs -o mode=755 tmpfs %2$s/srv
              """
                  .formatted(lowers, root))
          .fine();
      return new DebianRoot(scratch, root, lowers);
    } catch (ErrnoException e) {
      throw new AssertionError("cannot make a directory", e);
    }
  }

  /** Where it lies. */
  OsPath directory() {
    return directory;
  }

  /** A path in it, as it is seen from outside. */
  Path resolve(String path) {
    return Path.of(directory + path);
  }

  /** The package that is tested, for {@code dpkg} in it. */
  String deb() {
    Ovlctl.of(scratch)
        .shell("cp %s %s/ovl.deb".formatted(Ovlctl.quote(Dist.deb().toString()), directory))
        .fine();
    return "/ovl.deb";
  }

  /** Runs a script of its shell in it, as root and with an environment of Debian's. */
  Result run(String script) {
    return Ovlctl.of(scratch)
        .shell(
            "exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8"
                + " DEBIAN_FRONTEND=noninteractive chroot "
                + directory
                + " /bin/sh -c "
                + Ovlctl.quote(script));
  }
}
