package dev.ovl.engine.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ovl.engine.EngineException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdMapTest {
  @Test
  void asMountReadsThem() throws Exception {
    IdMap both = IdMap.parse("b:0:100000:65536");
    assertEquals(List.of(new IdMap.Range(0, 100_000, 65_536)), both.users());
    assertEquals(both.users(), both.groups());
    IdMap apart = IdMap.parse(" u:0:100000:10  u:10:7:1 g:5:6:4294967289 ");
    assertEquals("u:0:100000:10 u:10:7:1 g:5:6:4294967289", apart.toString());
    assertEquals(apart, IdMap.parse(apart.toString()));
    assertEquals("0 100000 10\n10 7 1\n", IdMap.lines(apart.users()));
  }

  @Test
  void whatIsNotMappedIsNobodys() throws Exception {
    IdMap map = IdMap.parse("u:0:100000:10 u:20:7:1 g:0:4000000000:10");
    assertEquals(100_003, map.user(3));
    assertEquals(7, map.user(20));
    assertEquals(65_534, map.user(10));
    assertEquals(65_534, map.user(-2));
    assertEquals((int) 4_000_000_009L, map.group(9));
  }

  @Test
  void moreThanTheKernelTakesIsRefused() throws Exception {
    // 340 lines of up to 11 bytes
    assertEquals(340, IdMap.parse(ranges(340, 0)).users().size());
    assertThrows(EngineException.class, () -> IdMap.parse(ranges(341, 0)));
    // 171 lines of 24 bytes are more than a page holds
    assertEquals(170, IdMap.parse(ranges(170, 1_000_000_000)).users().size());
    EngineException e =
        assertThrows(EngineException.class, () -> IdMap.parse(ranges(171, 1_000_000_000)));
    assertEquals(
        "id map b:1000000340:1000000340:1 is one range too many for the kernel", e.getMessage());
  }

  private static String ranges(int count, long first) {
    return IntStream.range(0, count)
        .mapToObj(i -> "b:%1$d:%1$d:1".formatted(first + 2L * i))
        .collect(Collectors.joining(" "));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "x",
        "u:0:1",
        "u:0:1:1",
        "g:0:1:1",
        "b:0:1:0",
        "b:0:1:1:1",
        "b:-1:1:1",
        "b:0:1:99999999999",
        "b:4294967295:0:1",
        "b:0:4294967290:6",
        "b:0:10:5 u:4:100:1",
        "b:0:10:5 g:7:14:1",
        "x:0:1:1",
        "/proc/1/ns/user"
      })
  void othersAreRefused(String text) {
    EngineException e = assertThrows(EngineException.class, () -> IdMap.parse(text));
    assertEquals(EngineException.Kind.USAGE, e.kind());
  }
}
