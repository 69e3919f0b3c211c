package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.layer.Layers;
import dev.ovl.sys.ErrnoException;
import java.util.Optional;
import java.util.function.Predicate;

/** Which stacks need which layers, as their definitions say. */
final class LayerUsers implements Layers.Users {
  private final StackStore store;

  LayerUsers(StackStore store) {
    this.store = store;
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
    return find(stack -> stack.layer().filter(own -> own.id().equals(id)).isPresent());
  }

  /** A definition that cannot be read may name anything: then nothing is known. */
  private Optional<String> find(Predicate<StackDefinition> wanted)
      throws EngineException, ErrnoException {
    for (StackName name : store.names()) {
      Optional<StackDefinition> stack = store.find(name);
      if (stack.filter(wanted).isPresent()) {
        return Optional.of("stack " + name);
      }
    }
    return Optional.empty();
  }
}
