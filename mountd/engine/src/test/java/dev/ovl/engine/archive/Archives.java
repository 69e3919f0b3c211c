package dev.ovl.engine.archive;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.NodeReader;
import dev.ovl.engine.tree.TreeReader;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;

/** Directories packed and unpacked as callers do it. */
final class Archives {
  static final Syscalls SYS = new LinuxSyscalls();

  private Archives() {}

  static byte[] pack(OsPath root, TarWriter.Options options)
      throws EngineException, ErrnoException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pack(root, ByteSink.of(out), options);
    return out.toByteArray();
  }

  static TarWriter pack(OsPath root, ByteSink to, TarWriter.Options options)
      throws EngineException, ErrnoException {
    TarWriter writer = new TarWriter(SYS, to, ArchiveFormat.OCI, options);
    new TreeReader(SYS, new NodeReader(SYS, NodeReader.XattrFilter.ALL))
        .read(root, writer, () -> false);
    writer.finish();
    return writer;
  }

  static void packToFile(OsPath root, OsPath file, TarWriter.Options options)
      throws EngineException, ErrnoException {
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_TRUNC;
    try (Fd fd = new Fd(SYS, SYS.openat(Linux.AT_FDCWD, file, flags, 0600))) {
      pack(root, ByteSink.of(SYS, fd), options);
    }
  }

  static void unpackFile(OsPath file, OsPath root) throws EngineException, ErrnoException {
    try (Fd fd = new Fd(SYS, SYS.openat(Linux.AT_FDCWD, file, Linux.O_RDONLY, 0));
        Decompressed tar = new Decompressed(ByteSources.of(SYS, fd));
        TreeWriter writer =
            new TreeWriter(SYS, root, LayerForm.PLAIN, TreeWriter.Parents.UNKNOWN)) {
      new TarReader(ArchiveFormat.OCI, TarReader.Progress.NONE, () -> false).read(tar, writer);
      writer.finish();
    }
  }

  static void unpack(byte[] archive, OsPath root) throws EngineException, ErrnoException {
    unpack(new ByteArrayInputStream(archive), root, ArchiveFormat.OCI, LayerForm.PLAIN);
  }

  static void unpack(InputStream archive, OsPath root, ArchiveFormat format, LayerForm form)
      throws EngineException, ErrnoException {
    try (Decompressed tar = new Decompressed(ByteSources.of(archive));
        TreeWriter writer = new TreeWriter(SYS, root, form, TreeWriter.Parents.UNKNOWN)) {
      new TarReader(format, TarReader.Progress.NONE, () -> false).read(tar, writer);
      writer.finish();
    }
  }
}
