package dev.ovl.cli.demo;

import dev.ovl.cli.output.Output;
import dev.ovl.engine.EngineException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the walk-through shows: for a person the commands that they would type, what these print,
 * and whether each claim holds; as JSON the claims alone, at the end.
 */
final class Transcript {
  private final Output output;
  private final boolean json;
  private final List<Map<String, Object>> claims = new ArrayList<>();
  private String step = "";
  private int steps;

  Transcript(Output output, boolean json) {
    this.output = output;
    this.json = json;
  }

  /** Begins a step. */
  void step(String title) {
    step = title;
    steps++;
    if (steps > 1) {
      line("");
    }
    line(steps + ". " + title);
  }

  /** A command that a user would type. */
  void command(String text) {
    line("$ " + text);
  }

  /** What such a command prints. */
  void line(String text) {
    if (!json) {
      output.line(text);
    }
  }

  /**
   * Says that something is so.
   *
   * @param found what is there instead, for the case that it is not
   * @throws EngineException it is not
   */
  void claim(String text, boolean ok, String found) throws EngineException {
    Map<String, Object> claim = new LinkedHashMap<>();
    claim.put("step", step);
    claim.put("claim", text);
    claim.put("ok", ok);
    claims.add(claim);
    if (!ok) {
      throw EngineException.failed("this claim does not hold: " + text + "; found: " + found);
    }
    line("ok: " + text);
  }

  /** How many claims were made. */
  int claims() {
    return claims.size();
  }

  /** Prints the claims as JSON where that is wanted. */
  void end() {
    if (json) {
      output.json(claims);
    }
  }
}
