package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.LowerDirectories;
import dev.ovl.engine.diff.PathSearch;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.TreeDiff;
import dev.ovl.engine.diff.TreeShares;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.diff.WastedCopies;
import dev.ovl.engine.driver.DirectoryDraft;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.mount.IdMap;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.stack.StackDefinition.Union;
import dev.ovl.engine.stack.StackDefinition.Upper;
import dev.ovl.engine.stack.Whereabouts.Part;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.usage.UpperUsage;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/** What is in a stack, seen by its directories alone: it need not be mounted, and may be. */
final class StackContent {
  private final Syscalls sys;
  private final StackMounts mounts;

  StackContent(Syscalls sys, StackMounts mounts) {
    this.sys = sys;
    this.mounts = mounts;
  }

  /** How the stack's layers tell of whiteouts and the like. */
  static View.Books books(StackDefinition stack) {
    return switch (stack.union()) {
      case Union.Overlay overlay ->
          overlay.words().contains("userxattr") ? View.Books.USER : View.Books.TRUSTED;
      case Union.Aufs aufs -> View.Books.AUFS;
    };
  }

  private static LayerForm form(StackDefinition stack) {
    return switch (books(stack)) {
      case USER -> LayerForm.USER_OVERLAY;
      case TRUSTED -> LayerForm.OVERLAY;
      case AUFS, AUFS_UNMARKED -> LayerForm.AUFS;
    };
  }

  /** The lowers that no changes go to. */
  private static List<OsPath> lowers(StackDefinition stack) {
    return stack.lowers().stream().filter(lower -> !lower.isWritable()).map(Lower::path).toList();
  }

  private View view(StackDefinition stack, List<OsPath> layers) {
    return layers.isEmpty() ? new View.Nothing() : union(stack, layers);
  }

  private View.Union union(StackDefinition stack, List<OsPath> layers) {
    Set<OsPath> unmarked =
        stack.lowers().stream()
            .filter(Lower::isUnmarked)
            .map(Lower::path)
            .filter(layers::contains)
            .collect(Collectors.toSet());
    return new View.Union(layers, List.of(), books(stack), unmarked);
  }

  /** What the stack is made of, topmost first: the upper, if it has one, and the lowers. */
  private List<Part> parts(StackDefinition stack) {
    List<Part> parts = new ArrayList<>();
    mounts
        .upper(stack)
        .ifPresent(upper -> parts.add(new Part(upper.directory(), Optional.empty(), true)));
    for (Lower lower : stack.lowers()) {
      parts.add(new Part(lower.path(), lower.layer(), lower.isWritable()));
    }
    return parts;
  }

  private List<OsPath> directories(StackDefinition stack) {
    return parts(stack).stream().map(Part::directory).toList();
  }

  /** Which of the stack's directories hold a path. */
  Whereabouts which(StackDefinition stack, OsPath path) throws EngineException {
    return new Whereabouts(parts(stack), PathSearch.find(sys, union(stack), path));
  }

  /** Which of the stack's directories what is seen beneath a path comes from. */
  Shares shares(StackDefinition stack, OsPath path, BooleanSupplier cancelled)
      throws EngineException {
    return new Shares(parts(stack), TreeShares.of(sys, union(stack), path, cancelled));
  }

  /** What of the upper's data the lowers have, too; nothing in a stack without upper. */
  List<WastedCopies.Wasted> wasted(StackDefinition stack, BooleanSupplier cancelled)
      throws EngineException {
    return mounts.upper(stack).isEmpty()
        ? List.of()
        : WastedCopies.find(sys, union(stack), union(stack, lowers(stack)), cancelled);
  }

  /**
   * Refuses a stack whose lowers show other owners than they have on disk: what would be written of
   * them, beside what the upper has, has no owners that are right for both.
   */
  static void refuseMappedOwners(StackDefinition stack) throws EngineException {
    if (stack.union() instanceof Union.Overlay overlay && overlay.options().idMap().isPresent()) {
      throw EngineException.failed(
          "the owners in its lowers are mapped ("
              + IdMap.OPTION
              + "), and those in its upper are not",
          Errno.EOPNOTSUPP);
    }
  }

  /** What the stack has that its lowers have not. */
  TreeDiff againstLowers(StackDefinition stack, Progress progress, BooleanSupplier cancelled)
      throws EngineException {
    return TreeDiff.compare(
        sys, view(stack, directories(stack)), view(stack, lowers(stack)), progress, cancelled);
  }

  /** All that the stack shows. */
  TreeDiff againstNothing(StackDefinition stack, Progress progress, BooleanSupplier cancelled)
      throws EngineException {
    refuseMappedOwners(stack);
    return TreeDiff.compare(
        sys, view(stack, directories(stack)), new View.Nothing(), progress, cancelled);
  }

  /** The upper, if there is one, and all lowers. */
  View.Union union(StackDefinition stack) {
    return union(stack, directories(stack));
  }

  /** What the stack has that the chain of layers at its bottom has not; all, where it has none. */
  TreeDiff againstParent(StackDefinition stack, Progress progress, BooleanSupplier cancelled)
      throws EngineException {
    refuseMappedOwners(stack);
    List<OsPath> chain =
        stack.lowers().stream()
            .filter(lower -> lower.layer().isPresent())
            .map(Lower::path)
            .toList();
    return TreeDiff.compare(
        sys, view(stack, directories(stack)), view(stack, chain), progress, cancelled);
  }

  /** Writes content into the upper of a stack that is down, above what it has. */
  void apply(StackDefinition stack, Upper.Given upper, Driver.Writing content)
      throws EngineException, ErrnoException {
    List<OsPath> below = stack.lowers().stream().map(Lower::path).toList();
    try (DirectoryDraft draft =
        DirectoryDraft.begin(
            sys, upper.directory(), form(stack), new LowerDirectories(sys, view(stack, below)))) {
      content.into(draft.sink());
      draft.keep();
    }
  }

  /** What each of the stack's directories takes, topmost first. */
  List<StackLevel> levels(StackDefinition stack, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    List<StackLevel> levels = new ArrayList<>();
    for (Part part : parts(stack)) {
      levels.add(
          new StackLevel(
              part.directory(),
              part.layer(),
              part.writable(),
              UpperUsage.measure(sys, part.directory(), cancelled)));
    }
    return levels;
  }
}
