package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.layer.Layers;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.util.Optional;
import java.util.function.Predicate;

/** Which stacks need which layers, as their definitions say. */
final class LayerUsers implements Layers.Users {
  private final StackStore store;
  private final Overlay2Home home;

  LayerUsers(StackStore store, Overlay2Home home) {
    this.store = store;
    this.home = home;
  }

  @Override
  public Optional<String> of(LayerId id) throws EngineException, ErrnoException {
    return find(
        stack ->
            stack.lowers().stream()
                .anyMatch(lower -> lower.layer().filter(id::equals).isPresent()));
  }

  @Override
  public Optional<String> ownerOf(LayerId id) throws EngineException, ErrnoException {
    Optional<StackName> owner = home.owner(id).map(OsPath::toString).flatMap(StackName::parse);
    if (owner.isEmpty()) {
      return Optional.empty();
    }
    // the stack may be another one by now, or have another layer
    return store
        .find(owner.get())
        .flatMap(StackDefinition::layer)
        .filter(own -> own.id().equals(id))
        .map(own -> named(owner.get()));
  }

  private static String named(StackName stack) {
    return "stack " + stack;
  }

  /** A definition that cannot be read may name anything: then nothing is known. */
  private Optional<String> find(Predicate<StackDefinition> wanted)
      throws EngineException, ErrnoException {
    for (StackName name : store.names()) {
      Optional<StackDefinition> stack = store.find(name);
      if (stack.filter(wanted).isPresent()) {
        return Optional.of(named(name));
      }
    }
    return Optional.empty();
  }
}
