package dev.ovl.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class PrivilegeTest {
  private static Privilege ordinary(boolean passing, String missing) {
    return new Privilege(true, passing, Optional.ofNullable(missing));
  }

  @Test
  void asOvlUsernsTellsIt() {
    assertEquals(ordinary(true, null), Privilege.told("own"));
    assertEquals(ordinary(false, null), Privilege.told("daemon"));
    assertEquals(ordinary(false, null), Privilege.told("held"));
    assertEquals(ordinary(false, null), Privilege.told("outside"));
    assertEquals(ordinary(false, "own fault"), Privilege.told("none own fault"));
  }

  @Test
  void withoutItTheUserCounts() throws Exception {
    boolean ordinary = new LinuxSyscalls().geteuid() != 0;
    assertEquals(new Privilege(ordinary, false, Optional.empty()), Privilege.ofThisProcess());
  }
}
