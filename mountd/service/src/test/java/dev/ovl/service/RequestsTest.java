package dev.ovl.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ovl.api.BranchPatch;
import dev.ovl.api.StackDraft;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.EngineException.Kind;
import dev.ovl.engine.aufs.AufsBranch;
import dev.ovl.engine.aufs.AufsPermission;
import dev.ovl.engine.stack.BranchChange;
import dev.ovl.engine.stack.StackRequest;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is asked for, by driver. */
class RequestsTest {
  private static final OsPath DIRECTORY = OsPath.of("/a");

  private static StackDraft draft(
      String driver, List<String> branches, Optional<String> upper, String option) {
    return new StackDraft(
        "web",
        Optional.of(driver),
        List.of("/lower"),
        branches,
        Optional.empty(),
        false,
        upper,
        upper.map(directory -> directory + ".work"),
        Optional.empty(),
        List.of(option),
        Optional.empty(),
        Optional.empty(),
        false);
  }

  private static void assertUsage(String message, StackDraft draft) {
    EngineException refused = assertThrows(EngineException.class, () -> Requests.request(draft));
    assertEquals(message, refused.getMessage());
    assertEquals(Kind.USAGE, refused.kind());
  }

  @Test
  void anUnknownDriver() {
    assertUsage(
        "unknown driver zfs; stacks know overlay2 and aufs",
        draft("zfs", List.of(), Optional.empty(), "ro"));
  }

  @Test
  void branchesArePermittedAsTheyAreGiven() throws Exception {
    StackRequest request =
        Requests.request(
            draft("aufs", List.of("/a=rw+nolwh", "/b"), Optional.empty(), "create=rr,dio"));
    StackRequest.Union.Aufs aufs = (StackRequest.Union.Aufs) request.union();
    assertEquals(
        List.of(
            new AufsBranch(DIRECTORY, AufsPermission.parse("rw+nolwh")),
            new AufsBranch(OsPath.of("/b"), AufsPermission.RO_WH)),
        aufs.branches());
    assertEquals(List.of("create=rr", "dio"), aufs.options().words());
  }

  @Test
  void whatIsOfOneDriverAloneIsRefusedForTheOther() {
    assertUsage(
        "an overlay has no branches; --driver aufs has",
        draft("overlay2", List.of("/a=rw"), Optional.empty(), "ro"));
    assertUsage(
        "an aufs takes --branch DIR=rw in place of --upper and --work",
        draft("aufs", List.of(), Optional.of("/upper"), "ro"));
  }

  @Test
  void changesOfBranches() throws Exception {
    assertEquals(
        new BranchChange.Add(new AufsBranch(DIRECTORY, AufsPermission.RW), Optional.of(2)),
        Requests.change(new BranchPatch("add", "/a=rw", Optional.of(2L))));
    assertEquals(
        new BranchChange.Remove(DIRECTORY),
        Requests.change(new BranchPatch("rm", "/a", Optional.empty())));
    assertEquals(
        new BranchChange.Modify(new AufsBranch(DIRECTORY, AufsPermission.RO)),
        Requests.change(new BranchPatch("mod", "/a=ro", Optional.empty())));
    for (BranchPatch senseless :
        List.of(
            new BranchPatch("turn", "/a", Optional.empty()),
            new BranchPatch("mod", "/a=ro", Optional.of(1L)),
            new BranchPatch("add", "a", Optional.empty()),
            new BranchPatch("add", "/a=rx", Optional.empty()),
            new BranchPatch("add", "/a", Optional.of(1L << 40)))) {
      EngineException refused =
          assertThrows(
              EngineException.class, () -> Requests.change(senseless), senseless::toString);
      assertEquals(Kind.USAGE, refused.kind(), refused.getMessage());
    }
  }
}
