package dev.ovl.cli.command;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.fsck.Finding;
import dev.ovl.engine.fsck.Mend;
import dev.ovl.engine.fsck.OverlayCheck;
import dev.ovl.engine.fsck.OverlayRepair;
import dev.ovl.engine.fsck.Subject;
import dev.ovl.engine.fsck.UsersOfUpper;
import dev.ovl.engine.mount.OptionText;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/**
 * What is installed as {@code fsck.overlay -o lowerdir=…,upperdir=…,workdir=… [-n|-p|-y]}: looks an
 * overlay over that need not be a stack's, and works in this process. Exit statuses are the bits of
 * fsck(8).
 */
@Command(
    name = "fsck.overlay",
    hidden = true,
    sortOptions = false,
    exitCodeOnInvalidInput = FsckHelperCommand.WRONG_CALL,
    description = "What fsck(8) runs for the type overlay.")
final class FsckHelperCommand implements Callable<Integer>, OwnProcess {
  /** Wrong invocation. */
  static final int WRONG_CALL = 16;

  private static final int REPAIRED = 1;
  private static final int LEFT = 4;
  private static final int NOT_DONE = 8;
  private static final int CANCELLED = 32;

  @ParentCommand private Ovlctl ovlctl;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "SPEC",
      description = "What fsck(8) passes; of no meaning.")
  @SuppressWarnings("UnusedVariable")
  private String spec;

  @Option(names = "-o", paramLabel = "OPT,…", description = "The options of the mount.")
  private List<String> options = new ArrayList<>();

  @Option(names = "-n", description = "Change nothing.")
  private boolean nothing;

  @Option(
      names = {"-p", "-a"},
      description = "Mend without asking what is safe whatever the lowers are.")
  private boolean safe;

  @Option(names = "-y", description = "Mend all that can be mended.")
  private boolean all;

  @Option(names = "-r", description = "Ask, as without options.")
  @SuppressWarnings("UnusedVariable")
  private boolean ask;

  @Option(names = "-f", description = "Walk the lowers, too.")
  private boolean lowers;

  @Option(names = "-v", description = "Say what is done.")
  private boolean verbose;

  private int repaired;
  private int left;

  @Override
  public Integer call() {
    try {
      check();
      return (repaired > 0 ? REPAIRED : 0) | (left > 0 ? LEFT : 0);
    } catch (EngineException | ErrnoException e) {
      ovlctl.output().error("fsck.overlay: " + Ovlctl.message(e));
      return status(e);
    }
  }

  private int status(Exception e) {
    if (Ovlctl.status(e) == Ovlctl.USAGE) {
      return WRONG_CALL;
    }
    boolean cancelled =
        e instanceof EngineException known
            && known.errno().filter(Errno.ECANCELED::equals).isPresent();
    return (cancelled ? CANCELLED : NOT_DONE) | (repaired > 0 ? REPAIRED : 0);
  }

  // ---- what is asked for --------------------------------------------------------------------

  private void check() throws EngineException, ErrnoException {
    if ((nothing ? 1 : 0) + (safe ? 1 : 0) + (all ? 1 : 0) > 1) {
      throw EngineException.usage("-n, -p and -y exclude each other");
    }
    Syscalls sys = ovlctl.syscalls();
    OptionText.Parsed parsed = OptionText.read(options);
    Optional<OverlayMount.Upper> upper = upper(parsed);
    List<OsPath> directories = new ArrayList<>();
    for (OsPath lower : parsed.lowers()) {
      directories.add(absolute(lower));
    }
    if (directories.isEmpty()) {
      throw EngineException.usage("the options name no lowerdir");
    }
    ovlctl.requireRoot(sys);
    Optional<OsPath> mountedOn = upper.isPresent() ? mountedOn(sys, upper.get()) : Optional.empty();
    View.Books books = parsed.words().contains("userxattr") ? View.Books.USER : View.Books.TRUSTED;
    boolean wholeLowers = lowers || upper.isEmpty();
    Subject subject = new Subject(directories, upper, books, mountedOn, wholeLowers);
    List<Finding> found = find(sys, subject);
    tell(
        found, mountedOn.isEmpty() ? Optional.of(new OverlayRepair(sys, books)) : Optional.empty());
    if (verbose) {
      ovlctl.output().note("fsck.overlay: " + found.size() + " found, " + repaired + " repaired");
    }
  }

  private Optional<OverlayMount.Upper> upper(OptionText.Parsed parsed) throws EngineException {
    if (parsed.upper().isPresent() != parsed.work().isPresent()) {
      throw EngineException.usage("upperdir and workdir go together");
    }
    return parsed.upper().isEmpty()
        ? Optional.empty()
        : Optional.of(
            new OverlayMount.Upper(absolute(parsed.upper().get()), absolute(parsed.work().get())));
  }

  private OsPath absolute(OsPath path) throws EngineException {
    return ovlctl.absolute(path.toString());
  }

  /** Where the overlay is mounted; what is to be changed must not be. */
  private Optional<OsPath> mountedOn(Syscalls sys, OverlayMount.Upper upper)
      throws EngineException, ErrnoException {
    List<UsersOfUpper.User> users = UsersOfUpper.of(sys, upper);
    if (users.isEmpty()) {
      return Optional.empty();
    }
    UsersOfUpper.User user =
        users.stream()
            .filter(one -> one.isHere() && one.writes())
            .findFirst()
            .orElse(users.getFirst());
    String place =
        user.mount().source().quoted()
            + " on "
            + user.mount().point().quoted()
            + (user.isHere() ? "" : " in another mount namespace")
            + (user.writes() ? "" : ", as a lower");
    if (!user.isHere() || !user.writes() || safe || all) {
      throw EngineException.failed("upper or work is in use: " + place, Errno.EBUSY);
    }
    ovlctl.output().note("fsck.overlay: it is mounted, and only looked at: " + place);
    return Optional.of(user.mount().point());
  }

  private List<Finding> find(Syscalls sys, Subject subject) throws EngineException, ErrnoException {
    try (Following watch = new Following(ovlctl, "fsck.overlay", Optional.empty())) {
      Progress progress =
          new Progress() {
            private long entries;

            @Override
            public void looked() {
              watch.at(++entries, 0);
            }

            @Override
            public void read(long bytes) {}
          };
      return OverlayCheck.run(sys, subject, progress, watch::isCancelled);
    }
  }

  // ---- what is done -------------------------------------------------------------------------

  /**
   * @param repair absent: nothing may be changed
   */
  private void tell(List<Finding> found, Optional<OverlayRepair> repair) throws EngineException {
    for (Finding finding : found) {
      if (ovlctl.session().cancellation().isRequested()) {
        throw EngineException.failed("cancelled", Errno.ECANCELED);
      }
      String severity = finding.kind().severity().name().toLowerCase(Locale.ROOT);
      ovlctl.output().line(severity + ": " + finding.place().quoted() + ": " + finding.text());
      boolean mended =
          repair.isPresent()
              && finding.mend().isPresent()
              && isWanted(finding.mend().get())
              && isMended(repair.get(), finding);
      if (mended) {
        repaired++;
      } else if (finding.kind().severity() == Finding.Severity.PROBLEM) {
        left++;
      }
    }
  }

  private boolean isMended(OverlayRepair repair, Finding finding) {
    try {
      boolean mended = repair.mend(finding);
      if (mended) {
        ovlctl.output().line("    repaired: " + finding.mend().orElseThrow().words());
      }
      return mended;
    } catch (EngineException e) {
      ovlctl.output().line("    not repaired: " + e.getMessage());
      left++;
      return false;
    }
  }

  private boolean isWanted(Mend mend) {
    if (nothing || ovlctl.dryRun()) {
      return false;
    }
    if (all || (safe && mend.isSafe())) {
      return true;
    }
    return !safe && ovlctl.session().terminal().in() && isAgreedTo(mend);
  }

  private boolean isAgreedTo(Mend mend) {
    ovlctl.output().line("    " + mend.words() + "? (y/n)");
    try {
      String answer = Answer.of(ovlctl.session());
      return answer.startsWith("y") || answer.startsWith("Y");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
