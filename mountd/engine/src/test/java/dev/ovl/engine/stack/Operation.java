package dev.ovl.engine.stack;

import static dev.ovl.engine.stack.Site.WEB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.aufs.AufsBranch;
import dev.ovl.engine.aufs.AufsPermission;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.Propagation;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What can fail or die half-way: with what must be there before, and what must be there after. */
enum Operation {
  CREATE(true) {
    @Override
    void prepare(Site site, Stacks stacks) {}

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.create(site.request(WEB, site.lowers(2)));
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      assertEquals(site.lowers(2), lowersOf(stacks, WEB));
      site.assertDown(stacks, WEB);
    }
  },

  CREATE_WITH_OWN_UPPER(true) {
    @Override
    void prepare(Site site, Stacks stacks) {}

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.create(site.requestWithUpper(WEB));
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      assertEquals(
          new StackDefinition.Upper.Given(site.upper(), Optional.of(site.work())),
          stacks.report(WEB).definition().upper());
      site.assertDown(stacks, WEB);
    }
  },

  CREATE_OF_AUFS(true) {
    @Override
    void prepare(Site site, Stacks stacks) {}

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.create(site.requestOfAufs(WEB, List.of()));
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      assertEquals(site.lowers(2), lowersOf(stacks, WEB));
      site.assertDown(stacks, WEB);
    }
  },

  /** With the user's branch as upper, which wants the lock of the root. */
  CREATE_OF_AUFS_WITH_BRANCH(true) {
    @Override
    void prepare(Site site, Stacks stacks) {}

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      AufsBranch branch = new AufsBranch(site.upper(), AufsPermission.RW);
      stacks.create(site.requestOfAufs(WEB, List.of(branch)));
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      assertEquals(
          new StackDefinition.Upper.Given(site.upper(), Optional.empty()),
          stacks.report(WEB).definition().upper());
      site.assertDown(stacks, WEB);
    }
  },

  ADD_BRANCH(true) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.create(site.requestOfAufs(WEB, List.of()));
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      AufsBranch branch = new AufsBranch(site.upper(), AufsPermission.RO);
      stacks.change(WEB, new BranchChange.Add(branch, Optional.empty()));
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      assertEquals(List.of(site.upper(), site.lower(0), site.lower(1)), lowersOf(stacks, WEB));
    }
  },

  UP_OF_AUFS(true) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.create(site.requestOfAufs(WEB, List.of()));
    }
  },

  DOWN_OF_AUFS(false) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      bringUpOfAufs(site, stacks);
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.down(WEB, false);
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      site.assertDown(stacks, WEB);
    }
  },

  ADD_BRANCH_TO_MOUNT(false) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      bringUpOfAufs(site, stacks);
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      AufsBranch branch = new AufsBranch(site.lower(2), AufsPermission.RO);
      stacks.change(WEB, new BranchChange.Add(branch, Optional.empty()));
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      assertEquals(List.of(site.lower(2), site.lower(0), site.lower(1)), lowersOf(stacks, WEB));
      site.assertUp(stacks, WEB, 3);
    }
  },

  REMOVE_BRANCH_FROM_MOUNT(false) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      bringUpOfAufs(site, stacks);
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.change(WEB, new BranchChange.Remove(site.lower(1)));
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      assertEquals(List.of(site.lower(0)), lowersOf(stacks, WEB));
      site.assertUp(stacks, WEB, 1);
      OsPath gone = stacks.report(WEB).target().resolve("from-1");
      assertTrue(new Files(site.sys()).lstat(gone).isEmpty(), "the removed branch shows");
    }
  },

  COPY(true) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.create(site.request(WEB, site.lowers(2)));
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.copy(WEB, Site.COPY, change(Optional.empty(), Optional.empty()));
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      assertEquals(site.lowers(2), lowersOf(stacks, Site.COPY));
      assertEquals(site.lowers(2), lowersOf(stacks, WEB));
    }
  },

  SET(true) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.create(site.request(WEB, site.lowers(2)));
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.set(
          WEB,
          change(
              Optional.of(List.of(site.lower(2), site.lower(1))),
              Optional.of(Optional.of(site.target()))));
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      assertEquals(List.of(site.lower(2), site.lower(1)), lowersOf(stacks, WEB));
      assertEquals(site.target(), stacks.report(WEB).target());
    }
  },

  UP_CLASSIC(MountMethod.CLASSIC, 2),
  UP_RELATIVE(MountMethod.RELATIVE, 2),
  UP_LOWERDIR_PLUS(MountMethod.LOWERDIR_PLUS, 2),
  UP_FD(MountMethod.FD, 2),
  UP_LOWERDIR_PLUS_NESTED(MountMethod.LOWERDIR_PLUS, Site.LOWERS),
  UP_FD_NESTED(MountMethod.FD, Site.LOWERS),

  UP_WITH_OWNERS_MAPPED(true) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      MountOptions mapped = MountOptions.parse(List.of("X-mount.idmap=b:0:100000:65536"));
      stacks.create(site.request(WEB, site.lowers(2), mapped, Optional.empty(), Optional.empty()));
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.up(WEB, false);
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      site.assertUp(stacks, WEB, 2);
    }
  },

  UP_INTO(true) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      OtherNamespace.prepare(site);
      stacks.create(site.request(WEB, site.lowers(2)));
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.attach(WEB, OtherNamespace.pid(site), Optional.of(OtherNamespace.TARGET), false);
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      site.assertDown(stacks, WEB);
      OtherNamespace.assertMounts(site, 1);
    }

    @Override
    void assertDefinitions(Site site, Map<StackName, StackDefinition> before, boolean mayBeDone)
        throws EngineException, ErrnoException {
      super.assertDefinitions(site, before, mayBeDone);
      if (!mayBeDone) {
        OtherNamespace.assertMounts(site, 0);
      }
    }
  },

  DOWN_INTO(false) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      UP_INTO.prepare(site, stacks);
      UP_INTO.run(site, stacks);
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.detach(WEB, OtherNamespace.pid(site), false);
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      site.assertDown(stacks, WEB);
      OtherNamespace.assertMounts(site, 0);
    }
  },

  /** After a crash of a volatile mount. */
  UP_ACCEPTING_VOLATILE(true) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.create(volatileRequest(site));
      stacks.up(WEB, false);
      // the mount ends as by a crash: the marker and the record stay
      OsPath target = stacks.report(WEB).target();
      site.sys().umount2(target, 0);
      new Files(site.sys()).rmdir(target);
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.up(WEB, true);
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      site.assertUp(stacks, WEB, 2);
    }
  },

  DOWN(false) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.create(site.request(WEB, site.lowers(2)));
      stacks.up(WEB, false);
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.down(WEB, false);
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      site.assertDown(stacks, WEB);
    }
  },

  DOWN_LAZY(false) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.create(site.requestWithUpper(WEB));
      stacks.up(WEB, false);
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.down(WEB, true);
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      site.assertDown(stacks, WEB);
    }
  },

  DOWN_VOLATILE(false) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.create(volatileRequest(site));
      stacks.up(WEB, false);
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.down(WEB, false);
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      site.assertDown(stacks, WEB);
      OsPath work = stacks.report(WEB).upper().orElseThrow().work().orElseThrow();
      assertTrue(
          new Files(site.sys()).lstat(work.resolve("work/incompat/volatile")).isEmpty(),
          "the volatile marker stays");
    }
  },

  REMOVE(false) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.create(site.request(WEB, site.lowers(2)));
      stacks.up(WEB, false);
      new Files(site.sys()).mkdirs(stacks.report(WEB).target().resolve("a/b"), 0755);
      stacks.down(WEB, false);
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.remove(WEB, false);
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      assertGone(stacks);
    }
  },

  REMOVE_OF_AUFS(false) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      StackDefinition stack = stacks.create(site.requestOfAufs(WEB, List.of()));
      OsPath upper = stacks.report(stack.name()).upper().orElseThrow().directory();
      new Files(site.sys()).mkdirs(upper.resolve("a/b"), 0755);
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.remove(WEB, false);
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      assertGone(stacks);
    }
  },

  REMOVE_FORCED(false) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.create(site.request(WEB, site.lowers(2)));
      stacks.up(WEB, false);
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.remove(WEB, true);
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      assertGone(stacks);
    }
  },

  /**
   * After the death of a removal that had deleted the definition, and of a change before it wrote.
   */
  RECOVER(false) {
    @Override
    void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.create(site.request(WEB, site.lowers(2)));
      StackDefinition web = stacks.report(WEB).definition();
      stacks.create(site.request(Site.CHANGING, site.lowers(2)));
      StackDefinition stays = stacks.report(Site.CHANGING).definition();
      Journal journal = new Journal(site.sys(), site.root());
      journal.begin(
          new Journal.Entry(
              WEB, web.driver(), List.of(web.layer().orElseThrow().id()), web.links().toList()));
      journal.begin(
          new Journal.Entry(
              Site.CHANGING,
              stays.driver(),
              List.of(stays.layer().orElseThrow().id()),
              stays.links().toList()));
      site.sys().unlinkat(Linux.AT_FDCWD, site.root().resolve("stacks").resolve("web.json"), 0);
    }

    @Override
    void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
      stacks.recover();
    }

    @Override
    void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
      assertGone(stacks);
      assertEquals(site.lowers(2), lowersOf(stacks, Site.CHANGING));
    }
  };

  private final boolean allOrNothing;
  private final Optional<MountMethod> method;
  private final int lowers;

  Operation(boolean allOrNothing) {
    this.allOrNothing = allOrNothing;
    this.method = Optional.empty();
    this.lowers = 2;
  }

  /** {@code up} by one method, with a propagation to set where that is a step of its own. */
  Operation(MountMethod method, int lowers) {
    this.allOrNothing = true;
    this.method = Optional.of(method);
    this.lowers = lowers;
  }

  /** Whether a failure must leave everything as it was before. */
  boolean allOrNothing() {
    return allOrNothing;
  }

  /** Whether the stack is to be gone afterwards. */
  boolean removes() {
    return this == REMOVE || this == REMOVE_OF_AUFS || this == REMOVE_FORCED;
  }

  /** Whether the kernel must have aufs, since something of it is mounted. */
  boolean mountsAufs() {
    return switch (this) {
      case UP_OF_AUFS, DOWN_OF_AUFS, ADD_BRANCH_TO_MOUNT, REMOVE_BRANCH_FROM_MOUNT -> true;
      default -> false;
    };
  }

  /** Whether each layer costs calls of its own, all alike. */
  boolean isNested() {
    return lowers > 2;
  }

  /** Makes what the operation needs. */
  void prepare(Site site, Stacks stacks) throws EngineException, ErrnoException {
    stacks.create(
        site.request(
            WEB, site.lowers(lowers), MountOptions.NONE, Optional.of(Propagation.PRIVATE), method));
  }

  void run(Site site, Stacks stacks) throws EngineException, ErrnoException {
    stacks.up(WEB, false);
  }

  /** Fails unless the operation has had its full effect. */
  void assertDone(Site site, Stacks stacks) throws EngineException, ErrnoException {
    site.assertUp(stacks, WEB, lowers);
  }

  private static void bringUpOfAufs(Site site, Stacks stacks)
      throws EngineException, ErrnoException {
    stacks.create(site.requestOfAufs(WEB, List.of()));
    stacks.up(WEB, false);
  }

  private static StackChange change(
      Optional<List<OsPath>> lowers, Optional<Optional<OsPath>> target) {
    return new StackChange(
        lowers, Optional.empty(), target, Optional.empty(), Optional.empty(), Optional.empty());
  }

  private static StackRequest volatileRequest(Site site) throws EngineException {
    return site.request(
        WEB,
        site.lowers(2),
        MountOptions.parse(List.of("volatile")),
        Optional.empty(),
        Optional.empty());
  }

  private static List<OsPath> lowersOf(Stacks stacks, StackName name)
      throws EngineException, ErrnoException {
    return stacks.report(name).definition().lowers().stream()
        .map(StackDefinition.Lower::path)
        .toList();
  }

  private static void assertGone(Stacks stacks) throws EngineException, ErrnoException {
    assertTrue(!stacks.names().contains(WEB), "the stack should be gone");
  }

  /**
   * Fails unless the definitions are what they were, or, where the operation may have taken effect,
   * what it makes of them.
   *
   * @param mayBeDone it did not report a failure: it died
   */
  void assertDefinitions(Site site, Map<StackName, StackDefinition> before, boolean mayBeDone)
      throws EngineException, ErrnoException {
    Map<StackName, StackDefinition> after = site.definitions();
    if (after.equals(before)) {
      return;
    }
    if (allOrNothing && !mayBeDone) {
      assertEquals(before, after, "a failed operation changed definitions");
    }
    assertEquals(before.get(Site.OTHER), after.get(Site.OTHER), "the bystander");
    try (Stacks stacks = site.stacks(site.sys())) {
      assertDone(site, stacks);
    }
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
