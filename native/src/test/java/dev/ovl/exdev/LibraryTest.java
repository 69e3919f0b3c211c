package dev.ovl.exdev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the library asks of the systems that it is loaded on. */
class LibraryTest {
  private static final int OLDEST_GLIBC = 17;

  private static String objdump(String option) {
    Requires.program("objdump");
    return Program.shell(OsPath.ROOT, "objdump " + option + " " + Program.library());
  }

  @Test
  void needsNoGlibcNewerThan217() {
    Matcher version = Pattern.compile("GLIBC_2\\.([0-9]+)").matcher(objdump("-T"));
    int count = 0;
    while (version.find()) {
      count++;
      assertTrue(Integer.parseInt(version.group(1)) <= OLDEST_GLIBC, version::group);
    }
    assertFalse(count == 0, "objdump tells no versions");
  }

  @Test
  void needsLibcAlone() {
    List<String> needed =
        objdump("-p").lines().filter(line -> line.contains("NEEDED")).map(String::strip).toList();
    assertEquals(1, needed.size(), needed::toString);
    assertTrue(needed.get(0).endsWith(" libc.so.6"), needed::toString);
  }

  /** Functions of other names would be taken by programs in the place of their own. */
  @Test
  void hasThreeFunctionsWithoutVersions() {
    List<String> names = new ArrayList<>();
    for (String line : objdump("-T").lines().filter(line -> line.contains(".text")).toList()) {
      String[] words = line.split("\\s+");
      assertFalse(line.contains("GLIBC"), line);
      names.add(words[words.length - 1]);
    }
    assertEquals(List.of("rename", "renameat", "renameat2"), names.stream().sorted().toList());
  }
}
