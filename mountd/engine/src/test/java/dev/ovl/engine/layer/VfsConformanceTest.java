package dev.ovl.engine.layer;

/** vfs does what every driver does. */
class VfsConformanceTest extends DriverConformance {
  VfsConformanceTest() {
    super("vfs");
  }
}
