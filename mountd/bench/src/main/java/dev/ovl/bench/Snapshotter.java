package dev.ovl.bench;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * containerd's overlayfs snapshotter over its gRPC (service containerd.services.snapshots.v1). The
 * few messages are written by hand, as protobuf has it: cheaper than any generated client.
 */
final class Snapshotter implements AutoCloseable {
  private static final String SERVICE = "containerd.services.snapshots.v1.Snapshots";
  private static final String NAME = "overlayfs";

  // numbers of fields; those of the requests are the same where the names are
  private static final int SNAPSHOTTER = 1;
  private static final int KEY = 2;
  private static final int PARENT = 3;
  private static final int LABELS = 4;
  private static final int COMMIT_NAME = 2;
  private static final int COMMIT_KEY = 3;
  private static final int MOUNTS = 1;
  private static final int MOUNT_OPTIONS = 4;

  /** Without it the garbage collector takes what no image or container names. */
  private static final String KEEP = "containerd.io/gc.root";

  /** gRPC sets options of TCP, of which Netty complains. Held: loggers are forgotten otherwise. */
  private static final Logger NETTY = Logger.getLogger("io.grpc.netty.shaded.io.netty.bootstrap");

  private final EventLoopGroup loop =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
  private final ManagedChannel connection;
  private final Channel channel;

  /**
   * @param socket of containerd
   */
  Snapshotter(Path socket) {
    NETTY.setLevel(Level.SEVERE);
    this.connection =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toString()))
            .eventLoopGroup(loop)
            .channelType(EpollDomainSocketChannel.class)
            .usePlaintext()
            .directExecutor()
            .build();
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("containerd-namespace", Metadata.ASCII_STRING_MARSHALLER), "bench");
    this.channel =
        ClientInterceptors.intercept(
            connection, MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  /** Any answer: who the server is. */
  void version() {
    call("containerd.services.version.v1.Version", "Version", new byte[0]);
  }

  /**
   * A new writable snapshot.
   *
   * @return the options of the overlay mount that shows it; none for a bind mount, as one without
   *     parent is shown
   */
  List<String> prepare(String key, Optional<String> parent) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream request = begin(bytes);
    request.writeString(KEY, key);
    if (parent.isPresent()) {
      request.writeString(PARENT, parent.get());
    }
    request.writeByteArray(LABELS, keep());
    request.flush();
    return overlayOptions(call(SERVICE, "Prepare", bytes.toByteArray()));
  }

  /** Makes a layer of it. */
  void commit(String name, String key) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream request = begin(bytes);
    request.writeString(COMMIT_NAME, name);
    request.writeString(COMMIT_KEY, key);
    request.writeByteArray(LABELS, keep());
    request.flush();
    call(SERVICE, "Commit", bytes.toByteArray());
  }

  void stat(String key) throws IOException {
    call(SERVICE, "Stat", named(key));
  }

  void remove(String key) throws IOException {
    call(SERVICE, "Remove", named(key));
  }

  private static byte[] named(String key) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream request = begin(bytes);
    request.writeString(KEY, key);
    request.flush();
    return bytes.toByteArray();
  }

  private static CodedOutputStream begin(ByteArrayOutputStream bytes) throws IOException {
    CodedOutputStream request = CodedOutputStream.newInstance(bytes);
    request.writeString(SNAPSHOTTER, NAME);
    return request;
  }

  /** An entry of a map. */
  private static byte[] keep() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream entry = CodedOutputStream.newInstance(bytes);
    entry.writeString(1, KEEP);
    entry.writeString(2, "bench");
    entry.flush();
    return bytes.toByteArray();
  }

  private static List<String> overlayOptions(byte[] answer) throws IOException {
    CodedInputStream mounts = CodedInputStream.newInstance(answer);
    List<String> options = new ArrayList<>();
    for (int tag = mounts.readTag(); tag != 0; tag = mounts.readTag()) {
      if (WireFormat.getTagFieldNumber(tag) != MOUNTS) {
        mounts.skipField(tag);
        continue;
      }
      CodedInputStream mount = CodedInputStream.newInstance(mounts.readByteArray());
      for (int field = mount.readTag(); field != 0; field = mount.readTag()) {
        if (WireFormat.getTagFieldNumber(field) == MOUNT_OPTIONS) {
          options.add(mount.readString());
        } else {
          mount.skipField(field);
        }
      }
    }
    return options;
  }

  private byte[] call(String service, String method, byte[] request) {
    return ClientCalls.blockingUnaryCall(
        channel,
        MethodDescriptor.<byte[], byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(MethodDescriptor.generateFullMethodName(service, method))
            .setRequestMarshaller(BYTES)
            .setResponseMarshaller(BYTES)
            .build(),
        CallOptions.DEFAULT,
        request);
  }

  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
          return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      };

  @Override
  public void close() {
    connection.shutdownNow();
    var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }
}
