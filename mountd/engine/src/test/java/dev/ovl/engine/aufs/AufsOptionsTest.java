package dev.ovl.engine.aufs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountFlag;
import dev.ovl.sys.Linux;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AufsOptionsTest {
  private static AufsOptions parse(String... words) throws EngineException {
    return AufsOptions.parse(List.of(words));
  }

  @Test
  void genericFlagsStayOutOfWhatAufsIsTold() throws Exception {
    AufsOptions options = parse("nosuid", "dio", "ro", "udba=none", "noexec", "exec");
    assertEquals(List.of("dio", "udba=none"), options.aufsWords());
    assertEquals(Linux.MS_NOSUID | Linux.MS_RDONLY, options.msFlags());
    assertTrue(options.has(MountFlag.RO));
    assertEquals(options, AufsOptions.parse(options.words()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "create=tdp",
        "create=rr",
        "create=mfs",
        "create=mfs:10",
        "create=tdmfs:100:5",
        "create=mfsrr:1000000",
        "create=pmfs",
        "create=pmfsrr:5",
        "create=most-free-space:3",
        "cpup=bup",
        "udba=notify",
        "diropq=a",
        "dirwh=5",
        "rdblk=def",
        "rdhash=64",
        "rdcache=5",
        "xino=/run/x y",
        "noxino",
        "wsum",
        "nodirperm1",
        "noplink",
        "shwh"
      })
  void whatAufsKnowsIsTaken(String word) throws Exception {
    assertEquals(List.of(word), parse(word).aufsWords());
  }

  @Test
  void otherNamesOfAnOptionAreTheSameOption() throws Exception {
    assertEquals(List.of("create=rr"), parse("create=mfs", "create_policy=rr").aufsWords());
    assertEquals(List.of("cpup=bu"), parse("copyup_policy=bup", "copyup=bu").aufsWords());
    assertEquals(List.of("nodio"), parse("dio", "nodio").aufsWords());
    assertEquals(List.of("noxino"), parse("xino=/x", "noxino").aufsWords());
    assertEquals(List.of("wsum"), parse("nosum", "wsum").aufsWords());
  }

  @ParameterizedTest
  @CsvSource({
    "volatile, unknown option",
    "userxattr, unknown option",
    "br=/a, unknown option",
    "append=/a, unknown option",
    "si=12, unknown option",
    "dio=1, takes no value",
    "noxino=1, unknown option",
    "create=bogus, 'create takes tdp'",
    "create=mfs:, 'create takes tdp'",
    "create=mfsrr, 'create takes tdp'",
    "udba, 'udba takes none, reval, notify'",
    "xino=x, absolute path",
    "'xino=/a,b', absolute path",
    "dirwh=-1, a number",
    "'', unknown option"
  })
  void whatItDoesNotKnowIsRefused(String word, String reason) {
    EngineException e = assertThrows(EngineException.class, () -> parse(word), word);
    assertEquals(EngineException.Kind.USAGE, e.kind());
    assertTrue(e.getMessage().contains(reason), e.getMessage());
  }

  @Test
  void aDefaultYieldsToWhatWasSaid() throws Exception {
    AufsOptions options = parse("nodio").withDefault("dio", "dio").withDefault("udba", "udba=none");
    assertEquals(List.of("nodio", "udba=none"), options.aufsWords());
    assertTrue(options.tells("dio"));
    assertNotEquals(parse("nodio"), options);
    assertEquals(List.of("ro", "nodio"), parse("nodio").readOnly().words());
  }
}
