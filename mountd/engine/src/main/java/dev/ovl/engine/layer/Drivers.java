package dev.ovl.engine.layer;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.Driver;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The drivers that ovl has, by name and by priority. */
public final class Drivers implements AutoCloseable {
  private final List<Driver> byPriority;

  /**
   * @param byPriority first choice first
   */
  public Drivers(List<Driver> byPriority) {
    this.byPriority = List.copyOf(byPriority);
  }

  /** All of them, first choice first. */
  public List<Driver> all() {
    return byPriority;
  }

  /**
   * The driver of that name.
   *
   * @throws EngineException USAGE: there is none
   */
  public Driver named(String name) throws EngineException {
    return byPriority.stream()
        .filter(driver -> driver.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                EngineException.usage(
                    "unknown driver "
                        + OsPath.quoted(name)
                        + "; known are "
                        + byPriority.stream().map(Driver::name).collect(Collectors.joining(", "))));
  }

  /**
   * The driver that the root was used with; empty when it holds no layers.
   *
   * @throws EngineException it was used with several: one must be named
   */
  public Optional<Driver> used() throws EngineException, ErrnoException {
    List<Driver> used = new ArrayList<>();
    for (Driver driver : byPriority) {
      if (driver.isUsed()) {
        used.add(driver);
      }
    }
    if (used.size() > 1) {
      throw EngineException.failed(
          "the root has layers of "
              + used.stream().map(Driver::name).collect(Collectors.joining(" and "))
              + ": name one by --driver");
    }
    return used.stream().findFirst();
  }

  @Override
  public void close() {
    byPriority.forEach(Driver::close);
  }
}
