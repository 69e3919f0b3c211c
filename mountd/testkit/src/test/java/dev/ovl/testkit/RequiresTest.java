package dev.ovl.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.AssertionFailedError;
import org.opentest4j.TestAbortedException;

class RequiresTest {
  private static final Optional<String> MISSING = Optional.of("there is no such program");

  @Test
  void whatIsThereIsFine() {
    Requires.that("sh", Optional.empty(), "all");
    Requires.program("sh");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "root", "gccx,root"})
  void skipsAndSaysWhy(String required) {
    TestAbortedException skip =
        assertThrows(TestAbortedException.class, () -> Requires.that("gcc", MISSING, required));
    assertEquals("needs gcc: there is no such program", skip.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"gcc", "root, gcc", "all"})
  void failsWhereItIsDemanded(String required) {
    AssertionFailedError failure =
        assertThrows(AssertionFailedError.class, () -> Requires.that("gcc", MISSING, required));
    assertEquals(
        "needs gcc: there is no such program (demanded by OVL_REQUIRE=" + required + ")",
        failure.getMessage());
  }
}
