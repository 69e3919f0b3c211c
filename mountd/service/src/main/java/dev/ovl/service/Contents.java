package dev.ovl.service;

import dev.ovl.api.LayerName;
import dev.ovl.api.MergeReport;
import dev.ovl.api.Packing;
import dev.ovl.api.PathChange;
import dev.ovl.api.StackFinding;
import dev.ovl.api.Subject;
import dev.ovl.api.Tally;
import dev.ovl.api.Watch;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.archive.ArchiveFormat;
import dev.ovl.engine.archive.ByteSink;
import dev.ovl.engine.archive.CompressedSink;
import dev.ovl.engine.archive.Compression;
import dev.ovl.engine.archive.Decompressed;
import dev.ovl.engine.archive.TarReader;
import dev.ovl.engine.archive.TarWriter;
import dev.ovl.engine.diff.Change;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.TreeDiff;
import dev.ovl.engine.diff.TreeShares;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.layer.Layers;
import dev.ovl.engine.stack.Examined;
import dev.ovl.engine.stack.Shares;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** The content of stacks and layers, compared, packed and written. */
final class Contents {
  private final Syscalls sys;
  private final Stacks stacks;
  private final Layers layers;

  Contents(Syscalls sys, Stacks stacks) {
    this.sys = sys;
    this.stacks = stacks;
    this.layers = stacks.layers();
  }

  /** Passes on how far a comparison is. */
  private static final class Following implements Progress {
    private final Watch watch;
    private long entries;
    private long bytes;

    Following(Watch watch) {
      this.watch = watch;
    }

    @Override
    public void looked() {
      watch.at(++entries, bytes);
    }

    @Override
    public void read(long more) {
      bytes += more;
      watch.at(entries, bytes);
    }
  }

  private TreeDiff compare(Subject of, Optional<String> against, Progress progress, Watch watch)
      throws EngineException, ErrnoException {
    return switch (of) {
      case Subject.Stack(String name) -> {
        if (against.isPresent()) {
          throw EngineException.usage("a stack is compared with its lowers, not with a layer");
        }
        yield stacks.compare(StackName.of(name), progress, watch::isCancelled);
      }
      case Subject.Layer(LayerName name) ->
          layers.compare(
              layers.driver(name.driver()),
              LayerId.of(name.id()),
              Requests.layer(against),
              progress,
              watch::isCancelled);
    };
  }

  long changes(Subject of, Optional<String> against, Predicate<PathChange> listener, Watch watch)
      throws EngineException, ErrnoException {
    try (TreeDiff diff = compare(of, against, new Following(watch), watch)) {
      watch.begun();
      long count = 0;
      for (Change change : diff.changes()) {
        count++;
        if (!listener.test(
            new PathChange(String.valueOf(change.kind().letter()), change.path().toString()))) {
          break;
        }
        if (watch.isCancelled()) {
          throw cancelled();
        }
      }
      return count;
    }
  }

  long size(Subject of, Optional<String> against, Watch watch)
      throws EngineException, ErrnoException {
    try (TreeDiff diff = compare(of, against, new Following(watch), watch)) {
      watch.begun();
      return diff.size();
    }
  }

  List<StackFinding> fsck(String name, boolean repair, boolean lowers, boolean dryRun, Watch watch)
      throws EngineException, ErrnoException {
    StackName stack = StackName.of(name);
    Progress progress = new Following(watch);
    if (repair && dryRun) {
      stacks.checkRepair(stack);
    }
    List<Examined> examined =
        repair && !dryRun
            ? stacks.repair(stack, lowers, progress, watch::isCancelled)
            : stacks.examine(stack, lowers, progress, watch::isCancelled);
    return examined.stream().map(Reports::finding).toList();
  }

  private static EngineException cancelled() {
    return EngineException.failed("cancelled", Errno.ECANCELED);
  }

  // ---- archives -----------------------------------------------------------------------------

  Tally diff(Subject of, Packing packing, WritableByteChannel to, Watch watch)
      throws EngineException, ErrnoException {
    ArchiveFormat format = Requests.format(packing.format());
    Compression compression = Requests.compression(packing.compression());
    Packed packed = new Packed(watch);
    if (of instanceof Subject.Stack(String name)) {
      stacks.checkPack(StackName.of(name));
    }
    try (TreeDiff diff = compare(of, packing.against(), Progress.NONE, watch);
        CompressedSink out = compression.into(bytes -> write(to, bytes))) {
      watch.begun();
      // what is for images is as Docker writes it; what is for overlayfs loses nothing
      TarWriter.Options options =
          format == ArchiveFormat.OVERLAY ? TarWriter.Options.EXACT : TarWriter.Options.OF_IMAGES;
      TarWriter tar = new TarWriter(sys, packed.counting(out), format, options);
      diff.stream(packed.counting(tar));
      return new Tally(packed.entries, packed.bytes, tar.sockets());
    }
  }

  private static void write(WritableByteChannel to, ByteBuffer bytes) throws EngineException {
    try {
      while (bytes.hasRemaining()) {
        to.write(bytes);
      }
    } catch (IOException e) {
      throw EngineException.failed("cannot write the archive: " + e.getMessage());
    }
  }

  /** Counts what goes into an archive, before it is compressed. */
  private static final class Packed {
    private final Watch watch;
    private long entries;
    private long bytes;

    Packed(Watch watch) {
      this.watch = watch;
    }

    ByteSink counting(CompressedSink to) {
      return new ByteSink() {
        @Override
        public void write(ByteBuffer buffer) throws EngineException, ErrnoException {
          if (watch.isCancelled()) {
            throw cancelled();
          }
          bytes += buffer.remaining();
          to.write(buffer);
          watch.at(entries, bytes);
        }

        @Override
        public void finish() throws EngineException, ErrnoException {
          to.finish();
        }
      };
    }

    TreeSink counting(TreeSink to) {
      return new Counting(to) {
        @Override
        void count() {
          entries++;
        }
      };
    }
  }

  /** Counts what passes. */
  private abstract static class Counting implements TreeSink {
    private final TreeSink to;

    Counting(TreeSink to) {
      this.to = to;
    }

    abstract void count();

    @Override
    public void put(Node node, Content content) throws EngineException, ErrnoException {
      count();
      to.put(node, content);
    }

    @Override
    public void delete(OsPath path) throws EngineException, ErrnoException {
      count();
      to.delete(path);
    }

    @Override
    public void opaque(OsPath directory) throws EngineException, ErrnoException {
      to.opaque(directory);
    }

    @Override
    public void finish() throws EngineException, ErrnoException {
      to.finish();
    }
  }

  Tally apply(
      Subject to, Optional<String> format, ReadableByteChannel archive, boolean dryRun, Watch watch)
      throws EngineException, ErrnoException {
    Unpacking content = new Unpacking(Requests.format(format), archive, watch);
    switch (to) {
      case Subject.Stack(String text) -> {
        StackName name = StackName.of(text);
        stacks.checkApply(name);
        watch.begun();
        if (dryRun) {
          content.into(new Nowhere());
        } else {
          stacks.apply(name, content);
        }
      }
      case Subject.Layer(LayerName name) -> {
        Driver driver = layers.driver(name.driver());
        LayerId id = LayerId.of(name.id());
        layers.checkApply(driver, id);
        watch.begun();
        if (dryRun) {
          content.into(new Nowhere());
        } else {
          layers.apply(driver, id, content);
        }
      }
    }
    return new Tally(content.entries, content.bytes, 0);
  }

  /** The content of an archive. */
  private static final class Unpacking implements Driver.Writing {
    private final ArchiveFormat format;
    private final ReadableByteChannel archive;
    private final Watch watch;
    private long entries;
    private long bytes;
    private Optional<EngineException> unread = Optional.empty();

    Unpacking(ArchiveFormat format, ReadableByteChannel archive, Watch watch) {
      this.format = format;
      this.archive = archive;
      this.watch = watch;
    }

    @Override
    public void into(TreeSink sink) throws EngineException, ErrnoException {
      try (Decompressed tar = new Decompressed(this::read)) {
        new TarReader(format, this::count, watch::isCancelled).read(tar, sink);
      } catch (EngineException e) {
        // whoever writes a file says which one, as if that were the reason
        throw unread.orElse(e);
      }
      sink.finish();
    }

    private int read(ByteBuffer buffer) throws EngineException {
      try {
        return Math.max(0, archive.read(buffer));
      } catch (IOException e) {
        EngineException failure =
            watch.isCancelled()
                ? cancelled()
                : EngineException.failed("cannot read the archive: " + e.getMessage());
        unread = Optional.of(failure);
        throw failure;
      }
    }

    private void count(long bytesNow, long entriesNow) {
      bytes = bytesNow;
      entries = entriesNow;
      watch.at(entries, bytes);
    }
  }

  /** Where an archive goes that is only to be read. */
  private static final class Nowhere implements TreeSink {
    @Override
    public void put(Node node, Content content) {
      // its data is passed over by the reader
    }

    @Override
    public void delete(OsPath path) {
      // nothing is there
    }

    @Override
    public void opaque(OsPath directory) {
      // nothing is there
    }

    @Override
    public void finish() {
      // nothing was put off
    }
  }

  // ---- copies into the upper ----------------------------------------------------------------

  Tally copyUp(String name, List<String> paths, boolean dryRun, Watch watch)
      throws EngineException, ErrnoException {
    StackName stack = StackName.of(name);
    stacks.checkCopyUp(stack);
    long names = 0;
    long bytes = 0;
    for (String path : paths) {
      Shares shares = stacks.shares(stack, OsPath.of(path), watch::isCancelled);
      if (shares.shares().isEmpty()) {
        throw EngineException.failed("it shows no " + OsPath.quoted(path), Errno.ENOENT);
      }
      for (TreeShares.Share share : shares.shares()) {
        if (!shares.parts().get(share.layer()).writable()) {
          names += share.names();
          bytes += share.bytes();
        }
      }
    }
    watch.begun();
    if (!dryRun) {
      Progress progress = new Following(watch);
      for (String path : paths) {
        stacks.copyUp(stack, OsPath.of(path), progress, watch::isCancelled);
      }
    }
    return new Tally(names, bytes, 0);
  }

  // ---- layers out of stacks -----------------------------------------------------------------

  String commit(String name, Optional<String> as, Watch watch)
      throws EngineException, ErrnoException {
    StackName stack = StackName.of(name);
    Optional<LayerId> id = Requests.layer(as);
    stacks.checkCommit(stack, id);
    watch.begun();
    return stacks.commit(stack, id, new Following(watch), watch::isCancelled).text();
  }

  String flatten(String name, Optional<String> as, Watch watch)
      throws EngineException, ErrnoException {
    StackName stack = StackName.of(name);
    Optional<LayerId> id = Requests.layer(as);
    stacks.checkFlatten(stack, id);
    watch.begun();
    return stacks.flatten(stack, id, new Following(watch), watch::isCancelled).text();
  }

  /** The ids of the layers, parents first. */
  List<String> convert(Optional<String> from, String to, boolean keep, Watch watch)
      throws EngineException, ErrnoException {
    Layers layers = stacks.layers();
    Driver target = layers.driver(Optional.of(to));
    Driver source = layers.source(from, target);
    layers.checkConvert(source, target);
    watch.begun();
    return layers.convert(source, target, keep, new Following(watch), watch::isCancelled).stream()
        .map(LayerId::text)
        .toList();
  }

  // ---- stacks -------------------------------------------------------------------------------

  MergeReport merge(String name, Watch watch) throws EngineException, ErrnoException {
    StackName stack = StackName.of(name);
    stacks.checkMerge(stack);
    watch.begun();
    return Reports.merge(stacks.merge(stack, new Following(watch), watch::isCancelled));
  }

  void mergeIntoLive(String name, Watch watch) throws EngineException, ErrnoException {
    stacks.mergeIntoLive(StackName.of(name), new Following(watch), watch::isCancelled);
  }
}
