package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** No call hands mount(2) more than it reads: it would cut the rest in silence. */
@Tag("kernel")
class PageLimitTest {
  private static final int PAGE = 4095;

  @RegisterExtension final StackLab lab = new StackLab();

  /** Keeps the option strings of all overlay mounts. */
  private static final class OptionRecorder extends ObservedSyscalls {
    final List<byte[]> seen = new CopyOnWriteArrayList<>();

    OptionRecorder(Syscalls sys) {
      super(sys);
    }

    @Override
    public void mount(OsPath source, OsPath target, String fstype, long flags, byte[] data)
        throws ErrnoException {
      assertTrue(data.length <= PAGE, () -> data.length + " bytes of options");
      if (fstype.equals("overlay")) {
        seen.add(data.clone());
      }
      super.mount(source, target, fstype, flags, data);
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      return invocation.perform();
    }
  }

  @Test
  void theBindingRefusesWhatTheKernelWouldCut() throws Exception {
    OsPath one = lab.layer("1", "one=1");
    OsPath two = lab.layer("2", "two=2");
    OsPath target = lab.directory("target");
    String start = "lowerdir=" + one + ":";
    String fits = start + "/".repeat(PAGE - start.length() - two.length()) + two;
    assertEquals(PAGE, fits.length());
    String tooLong = fits.replace(":/", "://");

    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> mount(target, tooLong));
    assertTrue(refused.getMessage().contains("4095"), refused.getMessage());
    assertEquals(List.of(), lab.mountsOn(target));

    mount(target, fits);
    assertEquals(List.of("one", "two"), lab.names(target));
  }

  private void mount(OsPath target, String data) throws ErrnoException {
    lab.sys.mount(
        OsPath.of("test"), target, "overlay", 0, data.getBytes(StandardCharsets.US_ASCII));
  }

  /** The same directory under a longer name. */
  private static OsPath padded(OsPath directory, int slashes) {
    return OsPath.of("/".repeat(slashes) + directory);
  }

  @Test
  void classicIsUsedToTheLastByte() throws Exception {
    OptionRecorder recorder = new OptionRecorder(lab.sys);
    Stacks stacks = lab.stacks(recorder, lab.root(), lab.run());
    OsPath one = lab.layer("1", "one=1");
    OsPath two = lab.layer("2", "two=2");
    stacks.create(lab.stack("plain", one, two).request());
    stacks.up(StackLab.name("plain"), false);
    int plain = recorder.seen.get(0).length;

    for (int bytes : List.of(PAGE - 1, PAGE, PAGE + 1)) {
      recorder.seen.clear();
      StackName name = StackLab.name("n" + bytes);
      stacks.create(lab.stack(name.text(), one, padded(two, bytes - plain)).request());
      OsPath merged = stacks.up(name, false);
      assertEquals(List.of("one", "two"), lab.names(merged));
      MountMethod method = stacks.report(name).method();
      if (bytes <= PAGE) {
        assertEquals(MountMethod.CLASSIC, method);
        assertEquals(bytes, recorder.seen.get(0).length);
      } else {
        assertEquals(MountMethod.RELATIVE, method);
        assertTrue(recorder.seen.get(0).length < 300);
      }
    }
  }

  @Test
  void everythingFitsWhateverIsMounted() throws Exception {
    OptionRecorder recorder = new OptionRecorder(lab.sys);
    Stacks stacks = lab.stacks(recorder, lab.root(), lab.run());
    long seed = System.nanoTime();
    Random random = new Random(seed);
    System.out.println("PageLimitTest seed " + seed);
    List<OsPath> layers = new ArrayList<>();
    for (int i = 0; i < 700; i++) {
      layers.add(lab.layer(":".repeat(random.nextInt(60)) + i, "f" + i + "=" + i));
    }
    for (MountMethod method : lab.methods()) {
      for (int i = 0; i < 8; i++) {
        int count = 1 + random.nextInt(i % 2 == 0 ? 700 : 150);
        int from = random.nextInt(700 - count + 1);
        StackLab.Spec spec = lab.stack("s" + i, layers.subList(from, from + count));
        boolean free = method == MountMethod.CLASSIC;
        boolean fits = count <= OverlayMount.MAX_LOWERS || lab.folds(method);
        if (!free && fits && (count <= 130 || method != MountMethod.RELATIVE)) {
          spec.method(method);
        }
        StackName name = StackLab.name("s" + i);
        stacks.create(spec.request());
        OsPath merged = stacks.up(name, false);
        assertEquals(count, lab.names(merged).size(), "seed " + seed);
        stacks.down(name, false);
        stacks.remove(name, false);
      }
    }
    assertTrue(recorder.seen.size() > 10, () -> recorder.seen.size() + " mounts by mount(2)");
  }

  @Test
  void manyDescriptorsAndLongOptionsStillFit() throws Exception {
    OptionRecorder recorder = new OptionRecorder(lab.sys);
    Stacks stacks = lab.stacks(recorder, lab.root(), lab.run());
    List<OsPath> layers = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      layers.add(lab.layer(String.valueOf(i), "f" + i + "=" + i));
    }
    StackName name = StackLab.name("many");
    stacks.create(
        lab.stack("many", layers)
            .options("redirect_dir=on", "metacopy=on", "xino=off", "volatile", "nfs_export=off")
            .method(MountMethod.FD)
            .request());
    assertEquals(500, lab.names(stacks.up(name, false)).size());
    byte[] data = recorder.seen.get(recorder.seen.size() - 1);
    String text = new String(data, StandardCharsets.US_ASCII);
    assertTrue(text.startsWith("redirect_dir=on,metacopy=on,"), text);
    // options come first, so that what would be cut can be no option
    assertTrue(text.matches(".*,lowerdir=[0-9:]+"), text);
  }
}
