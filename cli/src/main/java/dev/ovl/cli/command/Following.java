package dev.ovl.cli.command;

import dev.ovl.api.Watch;
import dev.ovl.cli.archive.Incoming;
import dev.ovl.cli.output.ByteSize;
import dev.ovl.cli.output.ProgressLine;
import dev.ovl.cli.session.Cancellation;
import java.util.Optional;

/** Shows how far long work is, and ends it when the user wants to stop. */
final class Following implements Watch, AutoCloseable {
  private static final int PERCENT = 100;

  private final Cancellation cancellation;
  private final ProgressLine line;
  private final Optional<Incoming> archive;

  /**
   * @param label of the line
   * @param archive that is read, whose size may be known
   */
  Following(Ovlctl ovlctl, String label, Optional<Incoming> archive) {
    this.cancellation = ovlctl.session().cancellation();
    this.line = ovlctl.output().progress(label);
    this.archive = archive;
  }

  @Override
  public void at(long entries, long bytes) {
    line.show(
        () ->
            (entries > 0 ? entries + " entries, " : "")
                + ByteSize.text(bytes)
                + archive.map(Following::share).orElse(""));
  }

  private static String share(Incoming archive) {
    long size = archive.size().orElse(0);
    return size == 0
        ? ""
        : ", "
            + Math.min(PERCENT, archive.taken() * PERCENT / size)
            + " % of "
            + ByteSize.text(size);
  }

  @Override
  public boolean isCancelled() {
    return cancellation.isRequested();
  }

  @Override
  public void close() {
    line.close();
  }
}
