package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Container;
import dev.ovl.testkit.Requires;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A process in another mount namespace for each {@link Site}, where operations mount {@link
 * Site#WEB}. It lives as long as this JVM; others find its id in a file.
 */
final class OtherNamespace {
  /** A directory there. */
  static final OsPath TARGET = OsPath.of("/mnt");

  private static final Map<OsPath, Container> CONTAINERS = new ConcurrentHashMap<>();

  private OtherNamespace() {}

  /** Sees to it that there is one, and that nothing is mounted in it. */
  static void prepare(Site site) throws ErrnoException {
    Files files = new Files(site.sys());
    Container container = CONTAINERS.get(site.base());
    if (container == null) {
      Requires.program("busybox");
      Requires.program("nsenter");
      OsPath place = site.base().resolve("place");
      files.mkdir(place, 0755);
      container = Container.start(place);
      files.rmdir(place);
      CONTAINERS.put(site.base(), container);
    }
    if (!mounts(container).isEmpty()) {
      container.sh("while umount /mnt; do :; done");
    }
    files.create(
        file(site), String.valueOf(container.pid()).getBytes(StandardCharsets.UTF_8), 0600, false);
  }

  private static OsPath file(Site site) {
    return site.base().resolve("pid");
  }

  static int pid(Site site) throws ErrnoException {
    return Integer.parseInt(OsPath.decode(new Files(site.sys()).read(file(site)).orElseThrow()));
  }

  private static List<String> mounts(Container container) {
    return container.mounts().stream().filter(line -> line.contains(" ovl:web ")).toList();
  }

  /** Fails unless the stack is mounted so often there, and shows its lowers. */
  static void assertMounts(Site site, int count) throws ErrnoException {
    Container container = CONTAINERS.get(site.base());
    List<String> mounts = mounts(container);
    assertEquals(count, mounts.size(), () -> "mounts in the other namespace: " + mounts);
    OsPath target = container.path(TARGET.toString());
    assertEquals(
        count == 0 ? List.of() : List.of(OsPath.of("from-0"), OsPath.of("from-1")),
        new Files(site.sys()).list(target).stream().sorted().toList(),
        "what is seen there");
  }
}
