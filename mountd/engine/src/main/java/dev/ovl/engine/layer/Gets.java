package dev.ovl.engine.layer;

import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.root.BootFiles;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.charset.StandardCharsets;

/**
 * How many gets of a layer have no put yet, in {@code <run>/layers/<root>/DRIVER-ID}: a number,
 * which survives the daemon and counts only while the kernel has the mount.
 */
final class Gets {
  private final Files files;
  private final BootFiles boot;

  Gets(Syscalls sys, OsPath root, OsPath run) {
    this.files = new Files(sys);
    this.boot = new BootFiles(sys, root, run, "layers");
  }

  private OsPath file(Driver driver, LayerId id) throws ErrnoException {
    return boot.directory().resolve(driver.name() + "-" + id);
  }

  /** How many there are. A mount that nobody is known to have was made by somebody: one. */
  int count(Driver driver, LayerId id) throws ErrnoException {
    if (!driver.isMounted(id)) {
      return 0;
    }
    String text =
        files
            .read(file(driver, id))
            .map(bytes -> new String(bytes, StandardCharsets.US_ASCII).strip())
            .orElse("");
    return text.matches("[1-9][0-9]{0,8}") ? Integer.parseInt(text) : 1;
  }

  void set(Driver driver, LayerId id, int count) throws ErrnoException {
    if (count == 0) {
      files.remove(Files.temporary(file(driver, id)));
      files.remove(file(driver, id));
    } else {
      boot.write(file(driver, id), (count + "\n").getBytes(StandardCharsets.US_ASCII));
    }
  }
}
