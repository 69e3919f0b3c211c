package dev.ovl.engine.fsck;

import dev.ovl.engine.diff.LayerEntry;
import dev.ovl.engine.fsck.Finding.Kind;
import java.util.Optional;

/**
 * What is wrong with how a file of any layer stands on those below.
 *
 * @param kind what
 * @param text in words
 */
record Verdict(Kind kind, String text) {

  static Optional<Verdict> of(LayerEntry entry) {
    if (entry.whiteout()) {
      return Optional.empty();
    }
    if (entry.stat().isDirectory()) {
      return ofDirectory(entry);
    }
    if (entry.metadataOnly() && entry.broken().isPresent()) {
      return Optional.of(new Verdict(Kind.DATA_MISSING, entry.broken().get()));
    }
    return entry.metadataOnly() && entry.below().isEmpty()
        ? Optional.of(new Verdict(Kind.DATA_MISSING, "its data is in no layer below"))
        : Optional.empty();
  }

  private static Optional<Verdict> ofDirectory(LayerEntry entry) {
    if (entry.badRedirect().isPresent()) {
      return Optional.of(new Verdict(Kind.REDIRECT_MALFORMED, entry.badRedirect().get()));
    }
    if (entry.broken().isPresent()) {
      return Optional.of(new Verdict(Kind.BROKEN, entry.broken().get()));
    }
    if (!entry.redirected()) {
      return Optional.empty();
    }
    if (entry.opaque()) {
      return Optional.of(
          new Verdict(Kind.REDIRECT_IDLE, "the redirect of an opaque directory is not followed"));
    }
    return entry.below().isEmpty()
        ? Optional.of(
            new Verdict(
                Kind.REDIRECT_DANGLING, "what the directory's redirect names is in no layer below"))
        : Optional.empty();
  }
}
