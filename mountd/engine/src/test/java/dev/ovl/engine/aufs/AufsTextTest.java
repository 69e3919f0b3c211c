package dev.ovl.engine.aufs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.OptionText;
import dev.ovl.sys.Errno;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What aufs is told, and what it shows: texts as Linux 5.4 with aufs 5.4.3 showed them. */
class AufsTextTest {
  private static final OsPath RW = OsPath.of("/rw");

  private static List<AufsBranch> branches(int layers, int nameBytes) {
    List<AufsBranch> branches = new ArrayList<>();
    branches.add(new AufsBranch(RW, AufsPermission.RW));
    IntStream.range(0, layers)
        .mapToObj(i -> OsPath.of("/" + "x".repeat(nameBytes - 5) + "%04d".formatted(i)))
        .forEach(path -> branches.add(new AufsBranch(path, AufsPermission.RO_WH)));
    return branches;
  }

  private static List<String> calls(List<AufsBranch> branches, String... words) throws Exception {
    return AufsText.calls(branches, List.of(words)).stream().map(OsPath::decode).toList();
  }

  @Test
  void optionsComeFirstAndBranchesTopmostFirst() throws Exception {
    assertEquals(
        List.of("dio,xino=/run/x,br:/rw=rw:/x0000=ro+wh:/x0001=ro+wh"),
        calls(branches(2, 6), "dio", "xino=/run/x"));
    assertEquals(List.of("br:/rw=rw"), calls(branches(0, 6)));
  }

  /** Every branch once and in order, none beyond a limit, and no call more than needed. */
  @ParameterizedTest
  @CsvSource({
    "61, 6, 1",
    "62, 6, 2",
    "125, 6, 2",
    "126, 6, 3",
    "510, 6, 9",
    "126, 200, 7",
    "30, 250, 2",
    "3, 4000, 3",
    "3, 4070, 4",
    "63, 56, 2",
  })
  void whatDoesNotFitOneCallGoesIntoBatches(int layers, int bytes, int expected) throws Exception {
    List<AufsBranch> branches = branches(layers, bytes);
    List<String> calls = calls(branches, "dio", "dirperm1");
    assertEquals(expected, calls.size());
    List<String> told = new ArrayList<>();
    for (String call : calls) {
      assertTrue(call.length() <= OptionText.MAX_BYTES, call.length() + " bytes");
      boolean first = told.isEmpty();
      List<String> items =
          first
              ? Stream.of(call.substring("dio,dirperm1,br:".length()).split(":")).toList()
              : Stream.of(call.split(",")).map(s -> s.replaceFirst("^append:", "")).toList();
      assertTrue(items.size() + (first ? 2 : 0) <= 64, items.size() + " branches");
      told.addAll(items);
    }
    assertEquals(
        branches.stream().map(b -> b.directory() + "=" + b.permission().text()).toList(), told);
  }

  /** One byte decides: the first call is filled to the last of its 4095 bytes. */
  @Test
  void aCallIsFilledToItsLastByte() throws Exception {
    int free = OptionText.MAX_BYTES - "br:/rw=rw:".length() - "=ro+wh".length();
    assertEquals(1, calls(branches(1, free)).size());
    assertEquals(OptionText.MAX_BYTES, calls(branches(1, free)).getFirst().length());
    assertEquals(2, calls(branches(1, free + 1)).size());
    int alone = OptionText.MAX_BYTES - "append:=ro+wh".length();
    assertEquals(2, calls(branches(1, alone)).size());
    EngineException e = assertThrows(EngineException.class, () -> calls(branches(1, alone + 1)));
    assertEquals(Optional.of(Errno.ENAMETOOLONG), e.errno());
  }

  @ParameterizedTest
  @ValueSource(strings = {"/a:b", "/a,b", "/a=b", "a"})
  void aPathThatCannotBeSaidIsRefused(String path) {
    AufsBranch branch = new AufsBranch(OsPath.of(path), AufsPermission.RO);
    for (var attempt :
        List.<Executable>of(
            () -> AufsText.calls(List.of(branch), List.of()),
            () -> AufsText.change("add:0:", branch),
            () -> AufsText.removal(branch.directory()))) {
      EngineException e = assertThrows(EngineException.class, attempt, path);
      assertEquals(Optional.of(Errno.EINVAL), e.errno());
      assertTrue(e.getMessage().contains(path), e.getMessage());
    }
  }

  @Test
  void theSameBranchTwiceIsRefused() {
    AufsBranch branch = new AufsBranch(RW, AufsPermission.RW);
    EngineException e =
        assertThrows(
            EngineException.class, () -> AufsText.calls(List.of(branch, branch), List.of()));
    assertEquals("branch is given twice: /rw (EEXIST)", e.getMessage());
  }

  @Test
  void changesAreRemountOptions() throws Exception {
    AufsBranch branch = new AufsBranch(OsPath.of("/a b"), AufsPermission.RO_WH);
    assertEquals("add:3:/a b=ro+wh", OsPath.decode(AufsText.change("add:3:", branch)));
    assertEquals("mod:/a b=ro+wh", OsPath.decode(AufsText.change("mod:", branch)));
    assertEquals("del:/a b", OsPath.decode(AufsText.removal(branch.directory())));
  }

  // ---- reading ------------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({
    "/mnt/b/0=rw, /mnt/b/0, rw",
    "/mnt/n/a\\040b=ro+wh, /mnt/n/a b, ro+wh",
    "/mnt/n/a\\134b=ro+wh, /mnt/n/a\\b, ro+wh",
    "/mnt/n/a:b=ro+wh, /mnt/n/a:b, ro+wh",
    "/mnt/n/a=b=ro+icex+wh, /mnt/n/a=b, ro+icex+wh",
    "/mnt/\udcff\udcfe=rr, /mnt/\udcff\udcfe, rr",
  })
  void aBranchInSysfs(String shown, String path, String permission) throws Exception {
    assertEquals(
        new AufsBranch(OsPath.of(path), AufsPermission.parse(permission)),
        AufsText.branch(OsPath.encode(shown + "\n")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/a", "/a=", "/a=xx", "/a=rw:/b=ro", "/a=rw+?"})
  void whatIsNoBranchIsNotTakenForOne(String text) {
    assertThrows(IllegalArgumentException.class, () -> AufsText.branch(OsPath.encode(text)));
  }

  @Test
  void optionsWithBrs1() {
    AufsText.Shown shown =
        AufsText.shown(OsPath.of("rw,si=6048894c0d7da9d5,dio,dirperm1")).orElseThrow();
    assertEquals("6048894c0d7da9d5", shown.id());
    assertEquals(List.of("dio", "dirperm1"), shown.others());
    assertEquals(List.of(), shown.branches());
    assertEquals(Optional.empty(), shown.xino());
  }

  @Test
  void optionsWithBrs0() {
    AufsText.Shown shown =
        AufsText.shown(
                OsPath.of(
                    "rw,si=712118b2d84a5ab7,xino=/run/x\\040y,create=mfs:10,"
                        + "br:/mnt/u=rw:/mnt/sp\\040a=ro+wh:/mnt/c:d=ro+wh:/mnt/e,f=ro"))
            .orElseThrow();
    assertEquals(List.of("create=mfs:10"), shown.others());
    assertEquals(Optional.of(OsPath.of("/run/x y")), shown.xino());
    assertEquals(
        List.of(
            new AufsBranch(OsPath.of("/mnt/u"), AufsPermission.RW),
            new AufsBranch(OsPath.of("/mnt/sp a"), AufsPermission.RO_WH),
            new AufsBranch(OsPath.of("/mnt/c:d"), AufsPermission.RO_WH),
            new AufsBranch(OsPath.of("/mnt/e,f"), AufsPermission.RO)),
        shown.branches());
  }

  @Test
  void theFileOfInodeNumbersInSysfs() {
    assertEquals(
        Optional.of(OsPath.of("/run/x y")), AufsText.path(OsPath.encode("/run/x\\040y\n")));
    assertEquals(Optional.empty(), AufsText.path(new byte[0]));
    assertEquals(Optional.empty(), AufsText.path(OsPath.encode("\n")));
  }

  @Test
  void optionsOfAnotherFileSystem() {
    assertEquals(
        Optional.empty(), AufsText.shown(OsPath.of("rw,lowerdir=/a,upperdir=/b,workdir=/c")));
    assertEquals(Optional.empty(), AufsText.shown(OsPath.EMPTY));
  }
}
