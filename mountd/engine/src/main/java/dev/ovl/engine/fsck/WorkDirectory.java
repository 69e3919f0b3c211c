package dev.ovl.engine.fsck;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.fsck.Finding.Kind;
import dev.ovl.engine.fsck.Handles.Found;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.VolatileMarker;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Judges what the kernel left in a work directory: {@code work}, where it makes what then goes into
 * the upper in one step, and {@code index}, where with index=on it does so, and each hard-linked
 * file that was copied up has a further name, the handle of its origin in hexadecimal
 * (ovl_verify_index() and ovl_indexdir_cleanup() in the kernel's fs/overlayfs).
 */
final class WorkDirectory {
  private static final OsPath WORK = OsPath.of("work");
  private static final OsPath INDEX = OsPath.of("index");
  private static final OsPath INCOMPATIBLE = OsPath.of("incompat");
  private static final byte TEMPORARY = '#';
  private static final String BY_KERNEL =
      "the kernel removes it when the overlay is next mounted with index=on";

  private final Syscalls sys;
  private final Files files;
  private final String prefix;
  private final OverlayMount.Upper upper;
  private final Handles handles;
  private final Handles ofUpper;
  private final List<Finding> found;

  WorkDirectory(
      Syscalls sys,
      Subject subject,
      OverlayMount.Upper upper,
      Handles handles,
      Handles ofUpper,
      List<Finding> found) {
    this.sys = sys;
    this.files = new Files(sys);
    this.prefix = subject.books().prefix().orElseThrow();
    this.upper = upper;
    this.handles = handles;
    this.ofUpper = ofUpper;
    this.found = found;
  }

  private void add(Kind kind, OsPath path, String text, Mend mend) {
    found.add(Finding.of(kind, upper.work(), path, text, mend));
  }

  private void add(Kind kind, OsPath path, String text, String reason) {
    found.add(Finding.of(kind, upper.work(), path, text, reason));
  }

  void look() throws ErrnoException {
    if (new VolatileMarker(sys, upper.work()).isPresent()) {
      add(
          Kind.VOLATILE,
          WORK.resolve(INCOMPATIBLE),
          "a volatile mount was not ended cleanly: what was written last may be lost or torn, and"
              + " the kernel does not mount it",
          "only its owner can say that this is acceptable: up --accept-volatile");
    }
    for (OsPath name : files.list(upper.work().resolve(WORK))) {
      temporary(WORK.resolve(name));
    }
    OsPath index = upper.work().resolve(INDEX);
    if (files.stat(index).isPresent()) {
      owner(index);
      for (OsPath name : files.list(index)) {
        entry(INDEX.resolve(name));
      }
    }
  }

  /** Whiteouts are kept there for the next ones to be links of. */
  private void temporary(OsPath path) throws ErrnoException {
    Optional<Statx> stat = files.lstat(upper.work().resolve(path));
    boolean kept =
        stat.filter(Statx::isWhiteout).isPresent() || path.fileName().equals(INCOMPATIBLE);
    if (stat.isEmpty() || kept) {
      return;
    }
    if (path.fileName().at(0) == TEMPORARY) {
      add(Kind.WORK_LEFTOVER, path, "the kernel did not finish it", new Mend.Sweep());
    } else {
      add(
          Kind.WORK_LEFTOVER,
          path,
          "it is not the kernel's",
          "the kernel removes it at the next mount");
    }
  }

  /** The index says to which upper it belongs. */
  private void owner(OsPath index) throws ErrnoException {
    Optional<byte[]> value = sys.getxattr(index, prefix + "upper", false);
    if (value.isEmpty()
        || !(OriginHandle.read(value.get()) instanceof OriginHandle.Handle handle)) {
      return;
    }
    Optional<Statx> root = files.stat(upper.directory());
    boolean another =
        switch (ofUpper.find(handle)) {
          case Found.Untold untold -> false;
          case Found.Nothing nothing -> true;
          case Found.File(Statx file) -> root.filter(file::sameFile).isEmpty();
        };
    if (another) {
      add(
          Kind.INDEX_UNKNOWN,
          INDEX,
          "the index belongs to another upper: with index=on the kernel does not mount it (ESTALE)",
          "it is a further name of files that are somewhere else, too, or nowhere");
    }
  }

  private void entry(OsPath path) throws ErrnoException {
    OsPath place = upper.work().resolve(path);
    Optional<Statx> stat = files.lstat(place);
    if (stat.isEmpty()) {
      return;
    }
    if (path.fileName().at(0) == TEMPORARY) {
      temporary(path);
      return;
    }
    Optional<byte[]> named = OriginHandle.ofIndexName(path.fileName().toString());
    if (named.isEmpty()) {
      add(
          Kind.INDEX_UNKNOWN,
          path,
          "its name is no file handle: with index=on the kernel does not mount the overlay",
          "what is in it nobody knows");
    } else if (!stat.get().isWhiteout() && !stat.get().isDirectory()) {
      file(path, place, stat.get(), named.get());
    }
  }

  /** Of a file: the index has a link of it. */
  private void file(OsPath path, OsPath place, Statx stat, byte[] named) throws ErrnoException {
    boolean alone = stat.links() == 1;
    Optional<byte[]> origin = sys.getxattr(place, prefix + UpperVisitor.ORIGIN, false);
    if (origin.filter(value -> Arrays.equals(value, named)).isEmpty()) {
      String text = "the file was not copied up from the one that the name of the entry tells";
      if (alone) {
        add(Kind.INDEX_STALE, path, text, BY_KERNEL);
      } else {
        add(Kind.INDEX_STALE, path, text, new Mend.Sweep());
      }
      return;
    }
    if (!alone || !(OriginHandle.read(named) instanceof OriginHandle.Handle handle)) {
      return;
    }
    switch (handles.find(handle)) {
      case Found.Untold untold -> {}
      case Found.Nothing nothing ->
          add(
              Kind.INDEX_ORPHAN,
              path,
              "no name leads to it, and the file that it was copied up from is no more",
              BY_KERNEL);
      case Found.File(Statx lower) -> {
        Optional<Integer> links =
            sys.getxattr(place, prefix + UpperVisitor.NLINK, false)
                .flatMap(
                    value ->
                        LinkCount.read(
                            new String(value, StandardCharsets.ISO_8859_1),
                            stat.links(),
                            lower.links()));
        if (links.isPresent() && links.get() == 0) {
          add(Kind.INDEX_ORPHAN, path, "no name leads to it any more", new Mend.Sweep());
        }
      }
    }
  }
}
