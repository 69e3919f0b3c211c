package dev.ovl.engine.fsck;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.engine.diff.OverlayLab;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.RandomLayers;
import dev.ovl.engine.diff.RandomWork;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What the kernel leaves after anything that users may do is no finding, whatever the mount's
 * options, mounted or not.
 *
 * <p>{@code -Dovl.fsck.histories=N} for another number of histories, {@code -Dovl.fsck.seed=S} for
 * the one that failed alone.
 */
class CleanHistoriesTest {
  private static final int HISTORIES = 400;
  private static final int FRESH = 50;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();
  @RegisterExtension static final Scratch EXT4 = Scratch.ext4();

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);

  @Test
  void nothingIsFound() throws Exception {
    run(SCRATCH, HISTORIES);
  }

  @Test
  void nothingIsFoundOnExt4() throws Exception {
    run(EXT4, HISTORIES / 4);
  }

  /** Origins lead to another file system then, and inode numbers are not kept. */
  @Test
  void nothingIsFoundAcrossFileSystems() throws Exception {
    run(SCRATCH, Optional.of(EXT4), HISTORIES / 4);
  }

  private void run(Scratch scratch, int most) throws Exception {
    run(scratch, Optional.empty(), most);
  }

  private void run(Scratch scratch, Optional<Scratch> uppers, int most) throws Exception {
    Requires.overlay();
    Optional<Long> only =
        Optional.ofNullable(System.getProperty("ovl.fsck.seed")).map(Long::valueOf);
    int histories = only.isPresent() ? 1 : Integer.getInteger("ovl.fsck.histories", most);
    long start = only.orElseGet(System::nanoTime);
    Leaks leaks = Leaks.beneath(scratch.path());
    for (int i = 0; i < histories; i++) {
      if (i % FRESH == 0) {
        scratch.empty();
        if (uppers.isPresent()) {
          uppers.get().empty();
        }
      }
      List<String> log = new ArrayList<>();
      try {
        OsPath place = scratch.resolve("h" + i);
        files.mkdirs(place, 0755);
        OsPath above = uppers.isPresent() ? uppers.get().resolve("u" + i) : place;
        files.mkdirs(above, 0755);
        history(new Random(start + i), place, above, log);
      } catch (Exception | AssertionError e) {
        throw new AssertionError(
            "-Dovl.fsck.seed="
                + (start + i)
                + "\n"
                + String.join("\n", log)
                + "\n"
                + e.getMessage(),
            e);
      }
    }
    leaks.assertNone();
  }

  private void history(Random random, OsPath place, OsPath above, List<String> log)
      throws Exception {
    OverlayLab lab = new OverlayLab(place);
    OverlayLab uppers = above.equals(place) ? lab : new OverlayLab(above);
    RandomLayers made = RandomLayers.make(random, lab, log);
    OverlayMount.Upper upper =
        new OverlayMount.Upper(uppers.directory("upper"), uppers.directory("work"));
    boolean index = random.nextInt(3) > 0;
    for (int i = 0; i <= random.nextInt(3); i++) {
      String options = options(random, made.books(), index);
      log.add("mount" + options);
      String where = ",upperdir=" + upper.directory() + ",workdir=" + upper.work();
      lab.mounted(
          made.layers(),
          options + where,
          mounted -> {
            RandomWork work = new RandomWork(random);
            try {
              work.run(mounted, 5 + random.nextInt(25));
            } finally {
              log.addAll(work.log());
            }
            assertNothing(made, upper, Optional.of(mounted));
          });
      assertNothing(made, upper, Optional.empty());
    }
  }

  private static String options(Random random, View.Books books, boolean index) {
    if (books == View.Books.USER) {
      return ",userxattr";
    }
    return ",metacopy=on,redirect_dir=on"
        + (index ? ",index=on" : "")
        + (random.nextBoolean() ? ",xino=on" : "")
        + (random.nextInt(4) == 0 ? ",uuid=on" : "");
  }

  private void assertNothing(
      RandomLayers made, OverlayMount.Upper upper, Optional<OsPath> mountedOn) throws Exception {
    Subject subject = new Subject(made.layers(), Optional.of(upper), made.books(), mountedOn, true);
    assertEquals(List.of(), OverlayCheck.run(sys, subject, Progress.NONE, () -> false));
  }
}
