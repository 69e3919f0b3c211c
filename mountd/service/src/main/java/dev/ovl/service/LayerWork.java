package dev.ovl.service;

import dev.ovl.api.Done;
import dev.ovl.api.DriverStatus;
import dev.ovl.api.LayerDraft;
import dev.ovl.api.LayerEntry;
import dev.ovl.api.LayerName;
import dev.ovl.api.LayerReport;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.layer.Layers;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The requests on layers. */
final class LayerWork {
  private final Layers layers;

  LayerWork(Layers layers) {
    this.layers = layers;
  }

  /** A layer that is asked for. */
  private interface Asked {
    Done of(Driver driver, LayerId id) throws EngineException, ErrnoException;
  }

  private Done on(LayerName layer, Asked work) throws EngineException, ErrnoException {
    LayerId id = LayerId.of(layer.id());
    return work.of(layers.driver(layer.driver()), id);
  }

  List<LayerEntry> list(Optional<String> name) throws EngineException, ErrnoException {
    Driver driver = layers.driver(name);
    List<LayerEntry> entries = new ArrayList<>();
    for (LayerId id : driver.layers()) {
      try {
        entries.add(new LayerEntry.Known(Reports.summary(driver, id)));
      } catch (EngineException | ErrnoException e) {
        // one that somebody has removed by now is none
        if (driver.exists(id)) {
          entries.add(new LayerEntry.Unknown(id.text(), e.getMessage()));
        }
      }
    }
    return entries;
  }

  LayerReport report(LayerName layer) throws EngineException, ErrnoException {
    LayerId id = LayerId.of(layer.id());
    return Reports.report(layers.report(layers.driver(layer.driver()), id));
  }

  Done create(LayerDraft draft, boolean dryRun) throws EngineException, ErrnoException {
    LayerId id = LayerId.of(draft.id());
    Optional<LayerId> parent = Requests.layer(draft.parent());
    Driver driver = layers.driver(draft.driver());
    if (dryRun) {
      layers.checkCreate(driver, id, parent);
      return Done.would("would create " + id + parent.map(below -> " on " + below).orElse(""));
    }
    layers.create(driver, id, parent, draft.readWrite());
    return Done.SILENT;
  }

  Done checkConvert(Optional<String> from, String to) throws EngineException, ErrnoException {
    Driver target = layers.driver(Optional.of(to));
    Driver source = layers.source(from, target);
    int count = layers.checkConvert(source, target).size();
    return Done.would("would make " + count + " layers of " + source.name() + " layers of " + to);
  }

  Done commit(LayerName layer, boolean dryRun) throws EngineException, ErrnoException {
    return on(
        layer,
        (driver, id) -> {
          if (dryRun) {
            boolean committed = layers.report(driver, id).committed();
            return Done.would(committed ? id + " is committed already" : "would commit " + id);
          }
          layers.commit(driver, id);
          return Done.SILENT;
        });
  }

  Done get(LayerName layer, boolean dryRun) throws EngineException, ErrnoException {
    return on(
        layer,
        (driver, id) -> {
          if (dryRun) {
            boolean mounted = layers.report(driver, id).mounted();
            return Done.would(mounted ? id + " is mounted already" : "would show " + id);
          }
          return Done.at(layers.get(driver, id).toString());
        });
  }

  Done put(LayerName layer, boolean dryRun) throws EngineException, ErrnoException {
    return on(
        layer,
        (driver, id) -> {
          if (dryRun) {
            int gets = layers.report(driver, id).gets();
            return Done.would(
                gets > 1
                    ? "would leave " + id + " mounted: others have it"
                    : gets == 1 ? "would unmount " + id : id + " is not mounted");
          }
          layers.put(driver, id);
          return Done.SILENT;
        });
  }

  Done remove(LayerName layer, boolean dryRun) throws EngineException, ErrnoException {
    return on(
        layer,
        (driver, id) -> {
          if (dryRun) {
            layers.checkRemove(driver, id);
            return Done.would("would remove " + id);
          }
          layers.remove(driver, id);
          return Done.SILENT;
        });
  }

  DriverStatus status(Optional<String> name) throws EngineException, ErrnoException {
    Driver driver = layers.driver(name);
    return new DriverStatus(driver.name(), driver.status());
  }

  Done cleanUp(Optional<String> name, boolean dryRun) throws EngineException, ErrnoException {
    Driver driver = layers.driver(name);
    if (dryRun) {
      List<String> mounted = new ArrayList<>();
      for (LayerId id : driver.layers()) {
        if (driver.isMounted(id)) {
          mounted.add(OsPath.quoted(id.text()));
        }
      }
      return Done.would(
          mounted.isEmpty() ? "nothing is mounted" : "would unmount " + String.join(", ", mounted));
    }
    layers.cleanup(driver);
    return Done.SILENT;
  }
}
