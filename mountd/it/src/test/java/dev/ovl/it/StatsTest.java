package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code ovlctl stats}. */
@ParameterizedClass
@EnumSource
class StatsTest {
  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  @Parameter private Host host;

  private Ovlctl ovlctl;

  @BeforeEach
  void twoStacksOnOneLower() {
    Requires.overlay();
    ovlctl = hosting.ovlctl(host);
    ovlctl
        .shell(
            """
            mkdir lower a b && dd if=/dev/zero of=lower/big bs=1M count=3 status=none
            ovlctl create a --lower lower --at a --up
            ovlctl create b --lower lower --at b --up
            ovlctl create off --lower lower
            dd if=/dev/zero of=a/new bs=64K count=1 status=none && rm a/big && mkdir a/d
            """)
        .fine();
  }

  @Test
  @SuppressWarnings("unchecked") // what JSON is made of
  void itTellsWhatUppersTake() {
    Map<String, Object> all =
        (Map<String, Object>) ovlctl.run("stats", "--cache", "--json").fine().json();
    List<Map<String, Object>> stacks = (List<Map<String, Object>>) all.get("stacks");
    assertEquals(List.of("a", "b"), stacks.stream().map(stack -> stack.get("name")).toList());
    // the directory itself, new, d, and the whiteout of big
    Map<String, Object> upper = (Map<String, Object>) stacks.get(0).get("upper");
    assertEquals(4L, upper.get("inodes"));
    assertEquals(64L * 1024, upper.get("bytes"));
    assertEquals(1L, stacks.get(0).get("whiteouts"));
    assertEquals(0L, stacks.get(1).get("whiteouts"));
    assertTrue(stacks.get(0).containsKey("room"), stacks::toString);

    List<Map<String, Object>> lowers = (List<Map<String, Object>>) all.get("lowers");
    assertEquals(1, lowers.size());
    assertEquals(List.of("a", "b"), lowers.get(0).get("stacks"));
    if (!lowers.get(0).containsKey("reason")) {
      // a tmpfs lies in the page cache as a whole
      assertEquals(3L << 20, lowers.get(0).get("cachedBytes"));
      assertEquals(true, lowers.get(0).get("whole"));
    }
  }

  @Test
  void asATable() {
    List<String> lines = ovlctl.run("stats", "b", "off").fine().lines();
    assertEquals(3, lines.size());
    assertTrue(
        lines.get(0).matches("NAME +UPPER +INODES +WHITEOUTS +WORK +AVAILABLE +INODES FREE"),
        lines.get(0));
    assertTrue(lines.get(1).matches("b +0 B +1 +0 +0 B +[0-9.]+ [KMGT]iB +[0-9]+"), lines.get(1));
    assertEquals(
        "stats nosuch: no such stack (ENOENT)", ovlctl.run("stats", "nosuch").ended(1).errorLine());
  }

  @Test
  void watchingEndsWithASignal() {
    Result watched =
        ovlctl.shell(
            ": >watched\n"
                + Ovlctl.quote(Ovlctl.program())
                + """
                 stats --watch 1 --json >>watched & pid=$!
                until [ "$(wc -l <watched)" -ge 2 ]; do kill -0 $pid || exit 9; sleep 0.1; done
                kill -TERM $pid; wait $pid && wc -l <watched
                """);
    assertTrue(Integer.parseInt(watched.fine().out().strip()) >= 2, watched::toString);
    ovlctl.run("stats", "--watch", "0").failed(2);
  }
}
