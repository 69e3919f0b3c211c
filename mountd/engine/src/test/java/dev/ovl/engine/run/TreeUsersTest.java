package dev.ovl.engine.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ovl.engine.EngineException;
import dev.ovl.jni.CommandPlan;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TreeUsersTest {
  private static final TreeUsers NOBODY = new TreeUsers("", "");
  private static final TreeUsers SOME =
      new TreeUsers(
          """
          root:x:0:0:root:/root:/bin/sh
          web:x:1000:1001::/home/web:/bin/sh
          123:x:5:6::/named:/bin/sh
          +nis
          short:x:7
          big:x:4294967294:4294967294::/big:
          too:x:4294967295:0::/:
          """,
          """
          web:x:1001:
          shared:x:1002:other,web
          more:x:1003:web
          almost:x:1004:website
          broken
          """);

  private static TreeUsers.User user(int uid, int gid, String home, Integer... groups) {
    return new TreeUsers.User(new CommandPlan.User(uid, gid, List.of(groups)), home);
  }

  private static TreeUsers.User find(TreeUsers users, String wanted) throws EngineException {
    return users.find(Optional.of(wanted));
  }

  @Test
  void namesAndNumbersOfTheTree() throws Exception {
    assertEquals(user(1000, 1001, "/home/web", 1002, 1003), find(SOME, "web"));
    assertEquals(user(1000, 1001, "/home/web", 1002, 1003), find(SOME, "1000"));
    assertEquals(user(0, 0, "/root"), SOME.find(Optional.empty()));
    assertEquals(user(7, 0, "/"), find(SOME, "short"));
    assertEquals(user(-2, -2, "/big"), find(SOME, "big"));
  }

  @Test
  void aNameComesBeforeANumber() throws Exception {
    assertEquals(user(5, 6, "/named"), find(SOME, "123"));
  }

  @Test
  void aGroupThatIsNamedStandsAlone() throws Exception {
    assertEquals(user(1000, 1002, "/home/web"), find(SOME, "web:shared"));
    assertEquals(user(1000, 77, "/home/web"), find(SOME, "web:77"));
  }

  @Test
  void numbersNeedNoTree() throws Exception {
    assertEquals(user(0, 0, "/"), NOBODY.find(Optional.empty()));
    assertEquals(user(12, 0, "/"), find(NOBODY, "12"));
    assertEquals(user(12, 34, "/"), find(NOBODY, "12:34"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "nobody",
        "-1",
        "4294967295",
        "99999999999",
        "too",
        "+nis",
        "web:",
        "web:none"
      })
  void othersAreRefused(String wanted) {
    assertThrows(EngineException.class, () -> find(SOME, wanted));
  }
}
