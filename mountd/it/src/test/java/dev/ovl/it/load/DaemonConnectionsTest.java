package dev.ovl.it.load;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.api.HttpHost;
import dev.ovl.it.Mountd;
import dev.ovl.testkit.Scratch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** More connections than a daemon keeps. */
class DaemonConnectionsTest {
  /** More than HttpServer.MAX_CONNECTIONS. */
  private static final int CLIENTS = 530;

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  @Test
  void whoWasHungUpOnForBeingSilentIsServedWhenItAsksAgain() throws Exception {
    List<HttpHost> clients = new ArrayList<>();
    try (Mountd daemon = Mountd.start(scratch, Map.of())) {
      for (int i = 0; i < CLIENTS; i++) {
        clients.add(daemon.client());
        clients.get(i).about();
      }
      for (HttpHost client : clients) {
        assertEquals(List.of(), client.list());
      }
    } finally {
      clients.forEach(HttpHost::close);
    }
  }
}
