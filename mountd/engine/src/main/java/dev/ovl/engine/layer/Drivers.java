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
    return one(inUse(), "--driver");
  }

  /**
   * The one driver beside another that the root was used with; empty when there is none.
   *
   * @throws EngineException there are several: one must be named
   */
  public Optional<Driver> usedBeside(Driver other) throws EngineException, ErrnoException {
    List<Driver> used = inUse();
    used.remove(other);
    return one(used, "--from");
  }

  private List<Driver> inUse() throws ErrnoException {
    List<Driver> used = new ArrayList<>();
    for (Driver driver : byPriority) {
      if (driver.isUsed()) {
        used.add(driver);
      }
    }
    return used;
  }

  private static Optional<Driver> one(List<Driver> used, String option) throws EngineException {
    if (used.size() > 1) {
      throw EngineException.failed(
          "the root has layers of "
              + used.stream().map(Driver::name).collect(Collectors.joining(" and "))
              + ": name one by "
              + option);
    }
    return used.stream().findFirst();
  }

  @Override
  public void close() {
    byPriority.forEach(Driver::close);
  }
}
