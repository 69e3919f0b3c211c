package dev.ovl.engine.layer;

import dev.ovl.engine.driver.LayerId;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is known of a layer without walking through it.
 *
 * @param driver its name
 * @param ancestors nearest first
 * @param gets how many have it mounted and have not put it yet
 * @param user who needs it besides other layers, in words; {@code "stack web"}
 * @param metadata Docker's, by the names that {@code docker inspect} shows
 */
public record LayerReport(
    LayerId id,
    String driver,
    List<LayerId> ancestors,
    boolean committed,
    boolean mounted,
    int gets,
    Optional<String> user,
    Map<String, String> metadata) {

  /** Its parent; empty for a base layer. */
  public Optional<LayerId> parent() {
    return ancestors.stream().findFirst();
  }
}
