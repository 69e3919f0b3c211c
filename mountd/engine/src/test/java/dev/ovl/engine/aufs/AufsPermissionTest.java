package dev.ovl.engine.aufs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AufsPermissionTest {
  /** The right column is what a kernel showed in /sys/fs/aufs for the left one. */
  @ParameterizedTest
  @CsvSource({
    "rw, rw",
    "ro, ro",
    "rr, rr",
    "ro+wh, ro+wh",
    "rr+wh, rr+wh",
    "rw+nolwh, rw+nolwh",
    "ro+wh+icex, ro+icex+wh",
    "rw+moo, rw+moo",
    "rw+coo_reg, rw+coo_reg",
    "ro+coo_all, ro+coo_all",
    "rw+icextr+icexsec, rw+icexsec+icextr",
    "rw+icex+icexusr, rw+icex",
    "rw+icexsec+icexsys+icextr+icexusr+icexoth, rw+icex",
  })
  void isWrittenAsTheKernelShowsIt(String given, String shown) throws Exception {
    assertEquals(shown, AufsPermission.parse(given).text());
    assertEquals(AufsPermission.parse(given), AufsPermission.parse(shown));
  }

  /** The kernel takes each of these and makes something else of it, mostly ro. */
  @ParameterizedTest
  @CsvSource({
    "'', unknown branch permission",
    "w, unknown branch permission",
    "RW, unknown branch permission",
    "ro+, unknown branch attribute",
    "ro+bogus, unknown branch attribute",
    "rw+wh, wh does not go with rw",
    "ro+nolwh, nolwh does not go with ro",
    "rr+moo, moo does not go with rr",
    "rw+coo_reg+moo, coo_reg and moo exclude each other",
  })
  void whatTheKernelWouldPassOverIsRefused(String text, String reason) {
    EngineException e = assertThrows(EngineException.class, () -> AufsPermission.parse(text), text);
    assertEquals(EngineException.Kind.USAGE, e.kind());
    assertTrue(e.getMessage().contains(reason), e.getMessage());
  }

  @Test
  void onlyRwIsWritable() {
    assertTrue(AufsPermission.RW.isWritable());
    assertFalse(AufsPermission.RO.isWritable());
    assertFalse(AufsPermission.RO_WH.isWritable());
    assertEquals(
        List.of("rw", "ro", "ro+wh"),
        List.of(AufsPermission.RW.text(), AufsPermission.RO.text(), AufsPermission.RO_WH.text()));
  }

  @Test
  void aBranchIsADirectoryAndPerhapsAPermission() throws Exception {
    assertEquals(
        new AufsBranch(OsPath.of("/a"), AufsPermission.RO),
        AufsBranch.parse("/a", AufsPermission.RO));
    assertEquals(
        new AufsBranch(OsPath.of("/a"), AufsPermission.RO_WH),
        AufsBranch.parse("/a=ro+wh", AufsPermission.RW));
    assertEquals(
        new AufsBranch(OsPath.of("/a=b"), AufsPermission.RW),
        AufsBranch.parse("/a=b=rw", AufsPermission.RO));
    assertThrows(EngineException.class, () -> AufsBranch.parse("/a=b", AufsPermission.RO));
  }
}
