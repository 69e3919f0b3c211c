package dev.ovl.engine.layer;

import dev.ovl.testkit.Requires;
import org.junit.jupiter.api.BeforeEach;

/** aufs does what every driver does, where the kernel has it. */
class AufsConformanceTest extends DriverConformance {
  AufsConformanceTest() {
    super("aufs");
  }

  @BeforeEach
  void aufs() {
    Requires.root();
    Requires.fileSystem("aufs");
  }
}
