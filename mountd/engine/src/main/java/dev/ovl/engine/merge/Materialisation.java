package dev.ovl.engine.merge;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.MergedLayers;
import dev.ovl.engine.diff.MergedLayers.Directory;
import dev.ovl.engine.diff.MergedLayers.Part;
import dev.ovl.engine.diff.MergedLayers.Shown;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.Beneath;
import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.CopyWatch;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.NodeReader;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Makes an upper say all by itself: metadata-only copies become files with data, renamed
 * directories opaque ones with all that is seen in them. They are built in a staging directory on
 * the upper's file system, made durable, and then exchanged, each at one stroke, with what they
 * stand for; so the view never changes.
 *
 * <p>What the upper has is given another name rather than copied, and so is what the lower has and
 * nothing else shows: its own name there goes when the lower gets what hides it. Everything else,
 * and all that lies on other file systems, is copied, shared where the file system can.
 */
final class Materialisation {
  private final Syscalls sys;
  private final Files files;
  private final Beneath beneath;
  private final MergedLayers layers;
  private final AttributeBooks books;
  private final NodeReader reader;
  private final OsPath staging;
  private final Pause pause;
  private final Map<String, OsPath> copied = new HashMap<>();
  private final Set<Part> taken = new HashSet<>();

  Materialisation(
      Syscalls sys, MergedLayers layers, AttributeBooks books, OsPath staging, Pause pause) {
    this.sys = sys;
    this.files = new Files(sys);
    this.beneath = new Beneath(sys);
    this.layers = layers;
    this.books = books;
    this.reader = new NodeReader(sys, books.without());
    this.staging = staging;
    this.pause = pause;
  }

  /** Does it for all that a survey found. */
  void run(UpperSurvey survey, CopyWatch watch) throws EngineException, ErrnoException {
    try (Directory root = layers.root()) {
      for (UpperSurvey.Item item : survey.stale()) {
        try (Fd directory = open(root.open(0), item.directory())) {
          books.hideBelow(directory, item.name());
          books.removeRedirect(directory, item.name());
        }
      }
      if (survey.copies().isEmpty() && survey.renamed().isEmpty()) {
        return;
      }
      files.removeTree(staging);
      files.mkdir(staging, 0700);
      try (Fd stage = files.openDirectory(staging)) {
        build(survey, stage, watch);
        sys.syncfs(stage.number());
        int slot = 0;
        for (UpperSurvey.Item item : survey.copies()) {
          exchange(stage, slot++, root.open(0), item, 0);
        }
        for (UpperSurvey.Item item : survey.renamed()) {
          exchange(stage, slot++, root.open(0), item, Linux.RENAME_EXCHANGE);
        }
      }
      files.removeTree(staging);
    }
  }

  private void exchange(Fd stage, int slot, Fd upper, UpperSurvey.Item item, int flags)
      throws EngineException, ErrnoException {
    try (Fd directory = open(upper, item.directory())) {
      sys.renameat2(stage.number(), name(slot), directory.number(), item.name(), flags);
    }
  }

  private static OsPath name(int slot) {
    return OsPath.of("n" + slot);
  }

  private Fd open(Fd top, OsPath path) throws EngineException, ErrnoException {
    return beneath
        .open(top, path.isEmpty() ? OsPath.DOT : path, Linux.O_RDONLY | Linux.O_DIRECTORY)
        .orElseThrow(() -> EngineException.failed("vanished: " + path.quoted()));
  }

  private void build(UpperSurvey survey, Fd stage, CopyWatch watch)
      throws EngineException, ErrnoException {
    try (TreeWriter writer =
        new TreeWriter(sys, staging, LayerForm.EXACT, TreeWriter.Parents.UNKNOWN, watch)) {
      int slot = 0;
      for (UpperSurvey.Item item : survey.copies()) {
        try (Fd directory = openUpper(item.directory())) {
          copy(writer, directory, item.name(), name(slot++), item.shown());
        }
      }
      for (UpperSurvey.Item item : survey.renamed()) {
        tree(writer, stage, name(slot++), item.shown());
      }
      writer.finish();
    }
  }

  private Fd openUpper(OsPath directory) throws EngineException, ErrnoException {
    try (Directory root = layers.root()) {
      return open(root.open(0), directory);
    }
  }

  /**
   * A directory that is to be built.
   *
   * @param to from the staging directory
   */
  private record Step(OsPath to, Shown shown) {}

  private void tree(TreeWriter writer, Fd stage, OsPath to, Shown top)
      throws EngineException, ErrnoException {
    Deque<Step> waiting = new ArrayDeque<>();
    waiting.push(new Step(to, top));
    while (!waiting.isEmpty()) {
      Step step = waiting.pop();
      try (Directory directory = layers.directory(step.shown().parts())) {
        writer.put(node(step, directory.open(0), step.to().equals(to)), new Content.None());
        boolean takes = takesNames(step.shown());
        try (Fd out = open(stage, step.to())) {
          for (OsPath name : directory.allNames()) {
            pause.check();
            Optional<Shown> shown = directory.lookup(name);
            if (shown.isEmpty()) {
              continue;
            }
            Step inside = new Step(step.to().resolve(name), shown.get());
            if (shown.get().stat().isDirectory()) {
              waiting.push(inside);
            } else {
              file(writer, directory, out, inside, takes);
            }
          }
        }
      }
    }
  }

  /** The directory as it is seen, and opaque if it is the topmost one. */
  private Node node(Step step, Fd directory, boolean opaque) throws ErrnoException {
    Statx stat = reader.stat(directory, OsPath.DOT);
    Node node = reader.read(directory, OsPath.DOT, step.to(), stat);
    if (!opaque) {
      return node;
    }
    TreeMap<String, byte[]> xattrs = new TreeMap<>(node.attributes().xattrs().values());
    xattrs.put(books.opaque(), AttributeBooks.yes());
    return new Node(node.path(), node.kind(), Folding.with(node.attributes(), xattrs));
  }

  /**
   * Whether the names of the lower in a directory will go, so that its files can be taken: nothing
   * else shows them. Only an upper that was edited by hand has it otherwise.
   */
  private boolean takesNames(Shown directory) throws EngineException {
    Optional<Part> lower = directory.in(1);
    return lower.isPresent() && taken.add(lower.get()) && !isShown(lower.get());
  }

  /** Whether a directory of the lower is seen where it lies. */
  private boolean isShown(Part lower) throws EngineException {
    Optional<Shown> at = Optional.empty();
    for (OsPath name : lower.path().components()) {
      try (Directory directory =
          at.isEmpty() ? layers.root() : layers.directory(at.get().parts())) {
        at = directory.lookup(name).filter(shown -> shown.stat().isDirectory());
      }
      if (at.isEmpty()) {
        return false;
      }
    }
    return at.filter(shown -> shown.parts().contains(lower)).isPresent();
  }

  private void file(TreeWriter writer, Directory directory, Fd out, Step step, boolean takes)
      throws EngineException, ErrnoException {
    Part top = step.shown().parts().getFirst();
    OsPath name = step.to().fileName();
    for (int i = 0; i < directory.parts().size(); i++) {
      if (directory.parts().get(i).layer() != top.layer()) {
        continue;
      }
      Fd from = directory.open(i);
      boolean whole = step.shown().data().equals(top);
      boolean takesIt = top.layer() == 0 || (top.layer() == 1 && takes);
      if (!(whole && takesIt && isLinked(from, name, out))) {
        copy(writer, from, name, step.to(), step.shown());
      }
    }
  }

  private boolean isLinked(Fd from, OsPath name, Fd out) throws ErrnoException {
    try {
      sys.linkat(from.number(), name, out.number(), name, 0);
      return true;
    } catch (ErrnoException e) {
      // another file system, or project; too many names; not this kind of file
      if (e.is(Errno.EXDEV) || e.is(Errno.EMLINK) || e.is(Errno.EPERM)) {
        return false;
      }
      throw e;
    }
  }

  /** Writes what is seen of a file; one with several names once. */
  private void copy(TreeWriter writer, Fd from, OsPath name, OsPath to, Shown shown)
      throws EngineException, ErrnoException {
    Node node = reader.read(from, name, to, shown.stat());
    String identity = shown.stat().identity();
    OsPath first = shown.stat().links() > 1 ? copied.putIfAbsent(identity, to) : null;
    if (first != null) {
      Attributes attributes = node.attributes();
      writer.put(new Node(to, new Node.Kind.HardLink(first), attributes), new Content.None());
    } else if (shown.stat().isRegularFile() && shown.stat().size() > 0) {
      try (Fd data =
          layers
              .openData(shown.data())
              .orElseThrow(
                  () -> EngineException.failed("vanished: " + shown.data().path().quoted()))) {
        writer.put(node, new Content.OfFile(data));
      }
    } else {
      writer.put(node, new Content.None());
    }
  }
}
