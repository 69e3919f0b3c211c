package dev.ovl.engine.driver.overlay2;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.DirectoryDraft;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Brings a home in order that a crash, a full disk or another tool left broken. What can be known
 * from elsewhere is written anew: a short link from the layer's {@code link} file, that file from
 * the link, {@code lower} from that of a child. What was never whole is removed. All else stays as
 * it is and is told.
 */
final class Repair {
  private final Syscalls sys;
  private final Files files;
  private final Overlay2Home home;
  private final Driver.Guard guard;
  private final ShortLinks links;
  private final List<String> done = new ArrayList<>();

  /** Which layer a short link is for, by its target. */
  private final Map<String, LayerId> linked = new HashMap<>();

  /** The link of a layer, where it has one that no other layer has. */
  private final Map<LayerId, String> linkOf = new HashMap<>();

  private Repair(Syscalls sys, Overlay2Home home, Driver.Guard guard) {
    this.sys = sys;
    this.files = new Files(sys);
    this.home = home;
    this.guard = guard;
    this.links = home.links();
  }

  /** Does it; returns what was done or is beyond repair, a line each. */
  static List<String> run(Syscalls sys, Overlay2Home home, Driver.Guard guard)
      throws EngineException, ErrnoException {
    Repair repair = new Repair(sys, home, guard);
    for (OsPath rubbish : home.sweep()) {
      repair.done.add("removed " + rubbish.quoted() + ", which was not whole any more, or not yet");
    }
    List<LayerId> layers = repair.sweepHalfMade(home.layers());
    for (LayerId id : layers) {
      repair.sweepDraft(id);
    }
    repair.findLinks();
    for (LayerId id : layers) {
      repair.link(id);
    }
    repair.removeStrayLinks(Set.copyOf(layers));
    repair.lowers(layers);
    repair.commitParents(layers);
    return repair.done;
  }

  /** Stacks remove their own layers without a layer's lock: then nothing is left to be mended. */
  private void mend(LayerId id, Driver.Step step) throws EngineException, ErrnoException {
    guard.ifFree(
        id,
        () -> {
          try {
            if (home.exists(id)) {
              step.run();
            }
          } catch (EngineException | ErrnoException e) {
            if (home.exists(id)) {
              throw e;
            }
          }
        });
  }

  // ---- layers that were never whole ---------------------------------------------------------

  private List<LayerId> sweepHalfMade(List<LayerId> found) throws EngineException, ErrnoException {
    List<LayerId> whole = new ArrayList<>();
    for (LayerId id : found) {
      if (isHalfMade(id)) {
        mend(id, () -> removeHalfMade(id));
      } else {
        whole.add(id);
      }
    }
    return whole;
  }

  private void removeHalfMade(LayerId id) throws ErrnoException {
    if (isHalfMade(id)) {
      home.remove(id);
      done.add("removed layer " + id + ", which was never made whole");
    }
  }

  /** Other engines make a layer's directory first and give it a link before it has any content. */
  private boolean isHalfMade(LayerId id) throws ErrnoException {
    return files.lstat(home.diff(id)).isEmpty()
        && home.link(id).isEmpty()
        && home.lowerLinks(id).isEmpty()
        // asked last: one that was removed meanwhile had nothing of these either
        && home.exists(id);
  }

  /** Content that was being written into the layer when its process ended. */
  private void sweepDraft(LayerId id) throws EngineException, ErrnoException {
    OsPath draft = DirectoryDraft.draftOf(home.diff(id));
    if (files.lstat(draft).isPresent()) {
      mend(
          id,
          () -> {
            if (DirectoryDraft.sweep(sys, draft)) {
              done.add("layer " + id + ": removed content that was never whole");
            }
          });
    }
  }

  // ---- links --------------------------------------------------------------------------------

  private void findLinks() throws ErrnoException {
    for (ShortLinks.Present link : links.present()) {
      files
          .readLink(link.path())
          .flatMap(Overlay2Home::layerOf)
          .ifPresent(id -> linked.put(link.name(), id));
    }
  }

  private void link(LayerId id) throws EngineException, ErrnoException {
    Optional<String> written = home.link(id);
    if (written.isPresent() && id.equals(linked.get(written.get()))) {
      linkOf.put(id, written.get());
    } else {
      mend(id, () -> mendLink(id));
    }
  }

  private void mendLink(LayerId id) throws EngineException, ErrnoException {
    Optional<String> text = home.linkText(id);
    Optional<String> written = text.filter(ShortLinks::isName);
    if (written.isPresent() && !linked.containsKey(written.get()) && remake(written.get(), id)) {
      linked.put(written.get(), id);
      linkOf.put(id, written.get());
      return;
    }
    Optional<String> present =
        linked.entrySet().stream()
            .filter(entry -> entry.getValue().equals(id))
            .map(Map.Entry::getKey)
            .findFirst();
    String name = present.isPresent() ? present.get() : newLink(id);
    boolean wrote = false;
    try {
      wrote = home.writeLink(id, name, text);
    } finally {
      if (!wrote && present.isEmpty()) {
        linked.remove(name);
        links.remove(name);
      }
    }
    if (wrote) {
      linkOf.put(id, name);
      done.add("layer " + id + ": wrote its link file anew, for " + name);
    }
  }

  /** Returns false when the name is another layer's. */
  private boolean remake(String link, LayerId id) throws ErrnoException {
    if (links.make(link, Overlay2Home.linkTarget(id))) {
      done.add("layer " + id + ": made its lost link " + link + " anew");
      return true;
    }
    // whoever makes the layer at this moment has made it
    return links.target(link).equals(Optional.of(Overlay2Home.linkTarget(id)));
  }

  private String newLink(LayerId id) throws EngineException, ErrnoException {
    while (true) {
      String name = links.unusedName();
      if (links.make(name, Overlay2Home.linkTarget(id))) {
        linked.put(name, id);
        return name;
      }
    }
  }

  private void removeStrayLinks(Set<LayerId> layers) throws ErrnoException {
    for (Map.Entry<String, LayerId> link : linked.entrySet()) {
      if (!layers.contains(link.getValue()) && !home.exists(link.getValue())) {
        links.remove(link.getKey());
        done.add(
            "removed link "
                + link.getKey()
                + " of layer "
                + link.getValue()
                + ", which is no more");
      }
    }
  }

  // ---- parents ------------------------------------------------------------------------------

  /** Who died between making a layer and marking the one below it. */
  private void commitParents(List<LayerId> layers) throws EngineException, ErrnoException {
    for (LayerId id : layers) {
      Optional<String> below = parentLink(id);
      LayerId parent = below.map(linked::get).orElse(null);
      if (parent != null && home.exists(parent) && !home.isCommitted(parent)) {
        mend(parent, () -> commitParent(parent, below, id));
      }
    }
  }

  private void commitParent(LayerId parent, Optional<String> link, LayerId child)
      throws ErrnoException {
    if (parentLink(child).equals(link) && home.link(parent).equals(link)) {
      home.commit(parent);
      done.add("layer " + parent + ": marked as read-only, since layer " + child + " lies on it");
    }
  }

  private Optional<String> parentLink(LayerId id) throws ErrnoException {
    return home.lowerLinks(id).stream().findFirst();
  }

  // ---- lost parents -------------------------------------------------------------------------

  /** A layer with a work directory has a parent; a child's list tells which. */
  private void lowers(List<LayerId> layers) throws EngineException, ErrnoException {
    Map<String, List<String>> belowLink = new HashMap<>();
    Set<LayerId> lost = new HashSet<>();
    for (LayerId id : layers) {
      List<String> below = home.lowerLinks(id);
      for (int i = 0; i + 1 < below.size(); i++) {
        belowLink.putIfAbsent(below.get(i), below.subList(i + 1, below.size()));
      }
      if (below.isEmpty() && hasLostLower(id)) {
        lost.add(id);
      }
    }
    for (LayerId id : lost) {
      mend(id, () -> mendLower(id, Optional.ofNullable(belowLink.get(linkOf.get(id)))));
    }
  }

  private boolean hasLostLower(LayerId id) throws ErrnoException {
    return files.lstat(home.workDirectory(id)).filter(Statx::isDirectory).isPresent()
        && home.lowerLinks(id).isEmpty();
  }

  private void mendLower(LayerId id, Optional<List<String>> below) throws ErrnoException {
    if (!hasLostLower(id)) {
      return;
    }
    if (below.isPresent()) {
      home.writeLower(id, below.get());
      done.add("layer " + id + ": wrote its lower file anew, after that of a layer above it");
    } else if (files.list(home.diff(id)).isEmpty()) {
      home.remove(id);
      done.add("removed layer " + id + ", which was empty and whose parents were not known");
    } else {
      done.add("layer " + id + ": its lower file is lost, and no layer above it tells its parents");
    }
  }
}
