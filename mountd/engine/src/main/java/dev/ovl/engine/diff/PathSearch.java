package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Found.Real;
import dev.ovl.engine.diff.Holding.Cover;
import dev.ovl.engine.diff.Holding.Kind;
import dev.ovl.engine.diff.Holding.Role;
import dev.ovl.engine.diff.Holding.Why;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds a path in every layer of an overlay, also where the mount does not show it. Looks for names
 * as {@link MergedTree} does, but goes on below what ends the mount's own search.
 */
public final class PathSearch {
  private static final OsPath DOTS = OsPath.of("..");

  private final List<Holding> holdings = new ArrayList<>();

  /** What to look for in the layer at hand; redirects change it on the way down. */
  private List<OsPath> path;

  private Optional<Cover> cover = Optional.empty();
  private Optional<Kind> serving = Optional.empty();
  private boolean dataMissing;

  private PathSearch(List<OsPath> path) {
    this.path = path;
  }

  /**
   * All layers that have something by that path, topmost first.
   *
   * @param path from the root of the tree, with or without a slash before it
   * @return none when no layer has it
   * @throws EngineException USAGE: the path has {@code ..} in it; a layer cannot be read
   */
  public static List<Holding> find(Syscalls sys, View.Union union, OsPath path)
      throws EngineException {
    PathSearch search = new PathSearch(components(path));
    List<OsPath> all = new ArrayList<>(union.layers());
    all.addAll(union.dataOnly());
    for (int i = 0; i < all.size(); i++) {
      try (Layer layer = Layer.open(sys, all.get(i), Optional.of(union.booksOf(all.get(i))))) {
        if (i < union.layers().size()) {
          search.look(i, layer);
        } else {
          search.lookForData(i, layer);
        }
      }
    }
    return search.holdings;
  }

  /**
   * A path in a tree without what does not matter in it: a slash before it, and dots.
   *
   * @return {@link OsPath#EMPTY} for the root
   * @throws EngineException USAGE: it has {@code ..} in it
   */
  public static OsPath relative(OsPath path) throws EngineException {
    return components(path).stream().reduce(OsPath.EMPTY, OsPath::resolve);
  }

  /** A path in a tree, whose root a slash before it means, too; refuses {@code ..}. */
  static List<OsPath> components(OsPath path) throws EngineException {
    List<OsPath> components =
        path.components().stream().filter(component -> !component.equals(OsPath.DOT)).toList();
    if (components.contains(DOTS)) {
      throw EngineException.usage("a path in a stack has no '..' in it: " + path.quoted());
    }
    return components;
  }

  // ---- a layer ------------------------------------------------------------------------------

  private void look(int index, Layer layer) throws EngineException {
    List<OsPath> below = path;
    Optional<Cover> covered = cover;
    OsPath at = OsPath.EMPTY;
    // the root is not looked for by a name
    for (int i = path.isEmpty() ? -1 : 0; i < path.size(); i++) {
      OsPath name = i < 0 ? OsPath.EMPTY : path.get(i);
      boolean last = i == path.size() - 1;
      Optional<Real> found;
      try (OpenDirectory where = new OpenDirectory(layer, at, Linux.O_PATH)) {
        found = layer.find(where, name);
        if (found.isEmpty()) {
          break;
        }
        Real real = found.get();
        OsPath here = at.resolve(name);
        Optional<Redirect> redirect = redirect(real);
        if (last) {
          Optional<Cover> hidden = add(index, here, real, redirect);
          covered = covered.or(() -> hidden);
        }
        Optional<Why> why = whyCovers(real, last);
        if (covered.isEmpty() && why.isPresent()) {
          covered = Optional.of(new Cover(index, here, why.get()));
        }
        if (redirect.isPresent() && cover.isEmpty() && i >= 0) {
          below = redirected(below, i + below.size() - path.size(), redirect.get());
          if (redirect.get().isAbsolute() && covered.filter(c -> c.layer() == index).isPresent()) {
            // an opaque directory further up the path is not on the way any more
            covered = why.map(reason -> new Cover(index, here, reason));
          }
        }
        if (!real.stat().isDirectory()) {
          break;
        }
        at = here;
      }
    }
    path = below;
    cover = covered;
  }

  private Optional<Redirect> redirect(Real real) throws EngineException {
    return MergedTree.isWhiteout(real) ? Optional.empty() : Redirect.of(real);
  }

  private static List<OsPath> redirected(List<OsPath> path, int index, Redirect redirect) {
    List<OsPath> to = new ArrayList<>(redirect.isAbsolute() ? List.of() : path.subList(0, index));
    to.addAll(redirect.components());
    to.addAll(path.subList(index + 1, path.size()));
    return to;
  }

  /** What a file keeps from being seen in the layers below, if anything. */
  private Optional<Why> whyCovers(Real real, boolean last) throws EngineException {
    if (MergedTree.isWhiteout(real)) {
      return Optional.of(Why.WHITEOUT);
    }
    if (real.stat().isDirectory()) {
      return MergedTree.isOpaque(real) ? Optional.of(Why.OPAQUE) : Optional.empty();
    }
    return last && isMetadataOnly(real) ? Optional.empty() : Optional.of(Why.OTHER_FILE);
  }

  private static boolean isMetadataOnly(Real real) throws EngineException {
    return real.stat().isRegularFile() && MergedTree.isMetadataOnly(real);
  }

  /** Returns what hides it, if anything does. */
  private Optional<Cover> add(int index, OsPath here, Real real, Optional<Redirect> redirect)
      throws EngineException {
    Kind kind = kind(real);
    boolean metadataOnly = kind == Kind.FILE && isMetadataOnly(real);
    Optional<Cover> hidden = cover.or(() -> misfit(kind));
    Role role = hidden.isPresent() ? Role.HIDDEN : role(kind);
    if (role == Role.SERVES) {
      serving = Optional.of(kind);
    }
    if (role != Role.HIDDEN) {
      dataMissing = metadataOnly;
    }
    holdings.add(
        new Holding(
            index,
            here,
            kind,
            kind == Kind.FILE && !metadataOnly ? real.stat().size() : 0,
            role,
            kind == Kind.DIRECTORY && MergedTree.isOpaque(real),
            metadataOnly,
            redirect.map(PathSearch::text),
            hidden));
    return hidden;
  }

  /** A directory and a file do not merge: the upper one of them is seen. */
  private Optional<Cover> misfit(Kind kind) {
    boolean fits =
        serving.isEmpty()
            || (serving.get() == Kind.DIRECTORY
                ? kind == Kind.DIRECTORY || kind == Kind.WHITEOUT
                : kind == Kind.FILE || kind == Kind.WHITEOUT);
    if (fits) {
      return Optional.empty();
    }
    Holding top =
        holdings.stream()
            .filter(holding -> holding.role() == Role.SERVES)
            .findFirst()
            .orElseThrow();
    return Optional.of(new Cover(top.layer(), top.path(), Why.OTHER_FILE));
  }

  private Role role(Kind kind) {
    if (kind == Kind.WHITEOUT) {
      return Role.DELETES;
    }
    if (serving.isEmpty()) {
      return Role.SERVES;
    }
    return kind == Kind.DIRECTORY ? Role.MERGES : Role.DATA;
  }

  private static OsPath text(Redirect redirect) {
    OsPath joined = redirect.components().stream().reduce(OsPath.EMPTY, OsPath::resolve);
    return redirect.isAbsolute() ? OsPath.ROOT.resolve(joined) : joined;
  }

  private static Kind kind(Real real) throws EngineException {
    Statx stat = real.stat();
    if (MergedTree.isWhiteout(real)) {
      return Kind.WHITEOUT;
    }
    if (stat.isRegularFile()) {
      return Kind.FILE;
    }
    if (stat.isDirectory()) {
      return Kind.DIRECTORY;
    }
    if (stat.isSymbolicLink()) {
      return Kind.SYMLINK;
    }
    int type = stat.mode() & Linux.S_IFMT;
    return type == Linux.S_IFIFO ? Kind.FIFO : type == Linux.S_IFSOCK ? Kind.SOCKET : Kind.DEVICE;
  }

  // ---- data-only layers -----------------------------------------------------------------------

  /** They are asked only for the data of a file with an absolute redirect. */
  private void lookForData(int index, Layer layer) throws EngineException {
    if (!dataMissing || cover.isPresent()) {
      return;
    }
    OsPath at = path.stream().limit(path.size() - 1L).reduce(OsPath.EMPTY, OsPath::resolve);
    try (OpenDirectory where = new OpenDirectory(layer, at, Linux.O_PATH)) {
      Optional<Real> real =
          layer.find(where, path.getLast()).filter(it -> it.stat().isRegularFile());
      if (real.isPresent()) {
        dataMissing = false;
        holdings.add(
            new Holding(
                index,
                at.resolve(path.getLast()),
                Kind.FILE,
                real.get().stat().size(),
                Role.DATA,
                false,
                false,
                Optional.empty(),
                Optional.empty()));
      }
    }
  }
}
