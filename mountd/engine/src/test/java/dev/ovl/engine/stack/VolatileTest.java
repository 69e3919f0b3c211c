package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.mount.MountMethod;
import dev.ovl.sys.Errno;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.FaultInjector;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The marker of volatile mounts: removed by a clean end alone. */
@Tag("kernel")
class VolatileTest {
  @RegisterExtension final StackLab lab = new StackLab();

  private OsPath marker() throws Exception {
    return lab.workOf("web").resolve("work/incompat/volatile");
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void aCleanDownSyncsAndRemovesTheMarker(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    FaultInjector calls = new FaultInjector(lab.sys, List.of("syncfs", "umount2")::contains);
    Stacks stacks = lab.stacks(calls, lab.root(), lab.run());
    OsPath merged = lab.stack("web", lower).options("volatile").method(method).up();
    assertTrue(lab.exists(marker()));
    lab.write(merged.resolve("file"), "2");

    stacks.down(StackLab.name("web"), false);

    assertEquals(List.of("umount2", "syncfs"), calls.calls().stream().map(c -> c.name()).toList());
    assertFalse(lab.exists(marker()));
    assertFalse(lab.exists(marker().parent()));
    assertEquals("2", lab.read(lab.up("web").resolve("file")));
  }

  @Test
  void aMountThatIsNotVolatileIsNotSynced() throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    FaultInjector calls = new FaultInjector(lab.sys, "syncfs"::equals);
    Stacks stacks = lab.stacks(calls, lab.root(), lab.run());
    lab.stack("web", lower).up();
    stacks.down(StackLab.name("web"), false);
    assertEquals(List.of(), calls.calls());
  }

  private String explanation() throws Exception {
    return "its last mount was volatile and not ended by 'down': what was written before the crash"
        + " may be lost or torn in "
        + lab.upperOf("web").quoted()
        + "; check it, then 'up --accept-volatile'";
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void afterACrashUpWantsConsent(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    OsPath merged = lab.stack("web", lower).options("volatile").method(method).up();
    lab.write(merged.resolve("file"), "2");
    lab.umount(merged);
    // the run directory does not survive a crash
    lab.files.removeTree(lab.run());
    lab.files.rmdir(merged);
    assertTrue(lab.exists(marker()));

    String message = lab.refusal(() -> lab.up("web")).getMessage();
    assertTrue(message.startsWith(explanation()), message);
    lab.assertDown("web");
    assertTrue(lab.exists(marker()));
    assertEquals("2", lab.read(lab.upperOf("web").resolve("file")));

    // going down is no consent
    lab.down("web");
    assertTrue(lab.exists(marker()));
    lab.refusal(() -> lab.up("web"));

    assertEquals(merged, lab.stacks().up(StackLab.name("web"), true));
    assertEquals("2", lab.read(merged.resolve("file")));
    assertTrue(lab.exists(marker()), "the new mount is volatile too");
    lab.down("web");
    assertFalse(lab.exists(marker()));
  }

  @Test
  void theMarkerStaysWhenTheSyncFails() throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    lab.stack("web", lower).options("volatile").up();
    FaultInjector faults = new FaultInjector(lab.sys, "syncfs"::equals).failAt(1, Errno.EIO);
    Stacks stacks = lab.stacks(faults, lab.root(), lab.run());

    assertThrowsIo(() -> stacks.down(StackLab.name("web"), false));

    assertTrue(lab.exists(marker()));
    // a second down does what the first could not
    stacks.down(StackLab.name("web"), false);
    assertFalse(lab.exists(marker()));
  }

  private static void assertThrowsIo(Executable action) {
    Exception failure = assertThrows(Exception.class, action);
    assertTrue(failure.getMessage().contains("EIO"), failure.getMessage());
  }

  @Test
  void aUsersUpperIsTreatedTheSame() throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    OsPath upper = lab.directory("upper");
    OsPath work = lab.directory("work");
    OsPath merged = lab.stack("web", lower).upper(upper, work).options("volatile").up();
    lab.umount(merged);
    lab.files.removeTree(lab.run());
    assertTrue(lab.exists(work.resolve("work/incompat/volatile")));

    String message = lab.refusal(() -> lab.up("web")).getMessage();
    assertTrue(message.startsWith(explanation()), message);
    lab.stacks().up(StackLab.name("web"), true);
    lab.assertUp("web");
  }

  @Test
  void consentWithoutNeedIsHarmless() throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    lab.stack("web", lower).create();
    OsPath merged = lab.stacks().up(StackLab.name("web"), true);
    assertEquals("1", lab.read(merged.resolve("file")));
    assertEquals(merged, lab.stacks().up(StackLab.name("web"), true));
  }
}
