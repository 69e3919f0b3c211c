package dev.ovl.it.load;

import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ovl.it.load.StackState.Present;
import dev.ovl.it.load.StackState.Shape;
import dev.ovl.it.load.StackState.Upper;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Which answers are taken for right. Times are such that requests overlap where they are to. */
class HistoryTest {
  private static final Shape ONE =
      new Shape(List.of("L1"), Upper.OWN, false, List.of(), Optional.empty());
  private static final Shape TWO =
      new Shape(List.of("L2"), Upper.OWN, false, List.of(), Optional.empty());
  private static final Present DOWN_ONE = new Present(ONE, false);
  private static final Present DOWN_TWO = new Present(TWO, false);

  private final History history = new History();

  /** Nothing is sent, so that no site is needed. */
  private static Request request(String text, Request.Rule rule) {
    return new Request("s", text, host -> Answer.DONE, rule);
  }

  private static Request set(Shape shape) {
    Request real = Request.set(null, "s", shape, false);
    return request(real.text(), real.rule());
  }

  private static Request create(Shape shape) {
    Request real = Request.create(null, "s", shape, false, false);
    return request(real.text(), real.rule());
  }

  private static Request inspect() {
    return request("inspect", Request.inspect(null, "s").rule());
  }

  private void refused(StackState initial) {
    assertThrows(AssertionError.class, () -> history.settle(initial));
  }

  @Test
  void whatOverlapsMayHaveComeInAnyOrder() {
    history.answered(set(TWO), Answer.DONE, 0, 10);
    history.answered(inspect(), Answer.inspected(DOWN_ONE), 5, 6);
    history.answered(inspect(), Answer.inspected(DOWN_TWO), 7, 8);
    history.settle(DOWN_ONE);
  }

  @Test
  void whatWasSeenIsNotUnseen() {
    history.answered(set(TWO), Answer.DONE, 0, 10);
    history.answered(inspect(), Answer.inspected(DOWN_TWO), 5, 6);
    history.answered(inspect(), Answer.inspected(DOWN_ONE), 7, 8);
    refused(DOWN_ONE);
  }

  @Test
  void aLostUpdate() {
    history.answered(set(TWO), Answer.DONE, 0, 1);
    history.answered(inspect(), Answer.inspected(DOWN_ONE), 2, 3);
    refused(DOWN_ONE);
  }

  @Test
  void oneOfTwoCreatesWins() {
    history.answered(create(ONE), Answer.DONE, 0, 10);
    history.answered(create(TWO), Answer.EXISTS, 0, 10);
    history.settle(StackState.ABSENT);
    history.answered(create(ONE), Answer.DONE, 0, 10);
    history.answered(create(TWO), Answer.DONE, 0, 10);
    refused(StackState.ABSENT);
  }

  @Test
  void halfOfOneStateAndHalfOfAnother() {
    history.answered(set(TWO), Answer.DONE, 0, 1);
    history.answered(request("up", Request.up("s", false).rule()), Answer.DONE, 2, 10);
    history.answered(inspect(), Answer.inspected(new Present(ONE, true)), 0, 10);
    refused(DOWN_ONE);
  }

  @Test
  void whatIsUpAlreadyMayHaveComeLater() {
    history.answered(request("up", Request.up("s", false).rule()), Answer.DONE, 0, 10);
    history.answered(request("down", Request.down("s", false).rule()), Answer.DONE, 0, 10);
    history.answered(inspect(), Answer.inspected(new Present(ONE, true)), 11, 12);
    history.settle(new Present(ONE, true));
  }

  @Test
  void whatGotNoAnswerWasDoneOrNot() {
    history.unanswered(set(TWO), 0);
    history.answered(inspect(), Answer.inspected(DOWN_ONE), 5, 6);
    history.settle(DOWN_ONE);
    history.unanswered(set(TWO), 0);
    history.answered(inspect(), Answer.inspected(DOWN_TWO), 5, 6);
    history.settle(DOWN_ONE);
    history.answered(inspect(), Answer.inspected(DOWN_TWO), 5, 6);
    refused(DOWN_ONE);
  }

  @Test
  void manyAtOnceAreJudgedInTime() {
    for (int i = 0; i < 100; i++) {
      history.answered(set(i % 2 == 0 ? ONE : TWO), Answer.DONE, i, 1000);
      history.answered(inspect(), Answer.inspected(i % 3 == 0 ? DOWN_ONE : DOWN_TWO), i, 1000);
    }
    history.settle(DOWN_ONE);
  }
}
