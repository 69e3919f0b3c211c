package dev.ovl.engine.stack;

import dev.ovl.engine.driver.LayerHome;
import dev.ovl.engine.driver.aufs.AufsHome;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import java.util.List;
import java.util.Optional;

/** Where layers are that stacks are made of, by the driver's name. */
record LayerHomes(Overlay2Home overlay2, AufsHome aufs) {
  List<LayerHome> all() {
    return List.of(overlay2, aufs);
  }

  /** The driver's home; empty for one that stacks do not know. */
  Optional<LayerHome> of(String driver) {
    return all().stream().filter(home -> home.driver().equals(driver)).findFirst();
  }

  LayerHome of(StackDefinition stack) {
    return of(stack.driver()).orElseThrow();
  }
}
