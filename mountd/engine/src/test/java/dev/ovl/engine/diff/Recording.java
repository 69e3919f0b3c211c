package dev.ovl.engine.diff;

import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A stream as lines. */
final class Recording implements TreeSink {
  private final Syscalls sys = new LinuxSyscalls();
  private final List<String> lines = new ArrayList<>();

  List<String> lines() {
    return lines;
  }

  @Override
  public void put(Node node, Content content) throws ErrnoException {
    String what =
        switch (node.kind()) {
          case Node.Kind.Directory d -> "directory";
          case Node.Kind.Regular r -> "file of " + r.size() + text(content);
          case Node.Kind.Symlink s -> "-> " + s.target();
          case Node.Kind.HardLink l -> "= " + l.to();
          case Node.Kind.Device d -> (d.block() ? "b " : "c ") + d.major() + ":" + d.minor();
          case Node.Kind.Fifo f -> "fifo";
          case Node.Kind.Socket s -> "socket";
        };
    lines.add(node.path() + " " + what);
  }

  private String text(Content content) throws ErrnoException {
    if (!(content instanceof Content.OfFile data)) {
      return "";
    }
    ByteBuffer buffer = ByteBuffer.allocateDirect(20);
    sys.read(data.file().number(), buffer);
    return ": " + StandardCharsets.ISO_8859_1.decode(buffer.flip());
  }

  @Override
  public void delete(OsPath path) {
    lines.add(path + " deleted");
  }

  @Override
  public void opaque(OsPath directory) {
    lines.add(directory + " opaque");
  }

  @Override
  public void finish() {
    lines.add("end");
  }
}
