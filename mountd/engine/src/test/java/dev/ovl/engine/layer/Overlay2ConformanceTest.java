package dev.ovl.engine.layer;

import dev.ovl.testkit.Requires;
import org.junit.jupiter.api.BeforeEach;

/** overlay2 does what every driver does. */
class Overlay2ConformanceTest extends DriverConformance {
  Overlay2ConformanceTest() {
    super("overlay2");
  }

  @BeforeEach
  void overlay() {
    Requires.overlay();
  }
}
