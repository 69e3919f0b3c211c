package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.LayerHome;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.layer.Layers;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.util.Optional;
import java.util.function.Predicate;

/** Which stacks need which layers, as their definitions say. */
final class LayerUsers implements Layers.Users {
  private final StackStore store;
  private final LayerHomes homes;

  LayerUsers(StackStore store, LayerHomes homes) {
    this.store = store;
    this.homes = homes;
  }

  @Override
  public Optional<String> of(String driver, LayerId id) throws EngineException, ErrnoException {
    return find(
        stack ->
            stack.driver().equals(driver)
                && stack.lowers().stream()
                    .anyMatch(lower -> lower.layer().filter(id::equals).isPresent()));
  }

  @Override
  public Optional<String> ownerOf(String driver, LayerId id)
      throws EngineException, ErrnoException {
    Optional<LayerHome> home = homes.of(driver);
    Optional<OsPath> noted = home.isPresent() ? home.get().owner(id) : Optional.empty();
    Optional<StackName> owner = noted.map(OsPath::toString).flatMap(StackName::parse);
    if (owner.isEmpty()) {
      return Optional.empty();
    }
    // the stack may be another one by now, or have another layer
    return store
        .find(owner.get())
        .filter(stack -> stack.driver().equals(driver))
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
