package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.mount.MountMethod;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The links in {@code overlay2/l}: one a layer, there as long as its stack. */
@Tag("kernel")
class ShortLinksTest {
  @RegisterExtension final StackLab lab = new StackLab();

  private OsPath links() {
    return lab.root().resolve("overlay2/l");
  }

  private OsPath link(StackDefinition stack, int lower) {
    return links().resolve(stack.lowers().get(lower).link().orElseThrow());
  }

  private Optional<OsPath> target(OsPath link) throws ErrnoException {
    return lab.files.readLink(link);
  }

  @Test
  void eachLowerAndTheLayerHaveOne() throws Exception {
    OsPath one = lab.layer("one", "file=1");
    OsPath two = lab.layer("two");
    StackDefinition stack = lab.stack("web", one, two).create();

    List<String> names = stack.links().toList();
    assertEquals(3, names.size());
    assertEquals(Set.copyOf(names), new HashSet<>(lab.names(links())));
    for (String name : names) {
      assertTrue(name.matches("[A-Z2-7]{26}"), name);
    }
    assertEquals(Optional.of(one), target(link(stack, 0)));
    assertEquals(Optional.of(two), target(link(stack, 1)));
    StackDefinition.Layer layer = stack.layer().orElseThrow();
    assertEquals(
        Optional.of(OsPath.of("../" + layer.id() + "/diff")),
        target(links().resolve(layer.link().orElseThrow())));
    OsPath home = lab.root().resolve("overlay2").resolve(layer.id().text());
    assertEquals(layer.link().orElseThrow(), lab.read(home.resolve("link")));
    assertEquals(
        "l/"
            + stack.lowers().get(0).link().orElseThrow()
            + ":l/"
            + stack.lowers().get(1).link().orElseThrow(),
        lab.read(home.resolve("lower")));

    lab.remove("web");
    assertEquals(List.of(), lab.names(links()));
  }

  @Test
  void aReadOnlyStackAtAPlaceOfItsOwnNeedsNoLayer() throws Exception {
    OsPath one = lab.layer("one");
    OsPath two = lab.layer("two");
    StackDefinition stack =
        lab.stack("web", one, two).readOnly().at(lab.directory("target")).create();
    assertEquals(Optional.empty(), stack.layer());
    assertEquals(2, lab.names(links()).size());
    lab.remove("web");
    assertEquals(List.of(), lab.names(links()));
  }

  @Test
  void twoStacksOnOneLowerHaveTheirOwn() throws Exception {
    OsPath lower = lab.layer("one", "file=1");
    StackDefinition web = lab.stack("web", lower).method(MountMethod.RELATIVE).create();
    StackDefinition other = lab.stack("other", lower).method(MountMethod.RELATIVE).create();
    assertNotEquals(
        web.lowers().get(0).link().orElseThrow(), other.lowers().get(0).link().orElseThrow());
    OsPath merged = lab.up("web");
    lab.up("other");

    lab.down("other");
    lab.remove("other");

    assertEquals(Optional.of(lower), target(link(web, 0)));
    assertEquals(2, lab.names(links()).size());
    assertEquals("1", lab.read(merged.resolve("file")));
    lab.down("web");
    lab.up("web");
  }

  /** Says that a name is taken, some times. */
  private static class Collisions extends ObservedSyscalls {
    private int left;
    int seen;

    Collisions(Syscalls sys, int count) {
      super(sys);
      left = count;
    }

    /** A short link, not the note whose own a layer is. */
    static boolean makesLink(Invocation<?> invocation) {
      return invocation.name().equals("symlinkat") && invocation.arguments().contains("/l/");
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      if (makesLink(invocation)) {
        seen++;
        if (left > 0) {
          left--;
          throw invocation.failure(Errno.EEXIST);
        }
      }
      return invocation.perform();
    }
  }

  @Test
  void aNameThatIsTakenIsNotUsed() throws Exception {
    OsPath lower = lab.layer("one", "file=1");
    Collisions collisions = new Collisions(lab.sys, 1);
    Stacks stacks = lab.stacks(collisions, lab.root(), lab.run());

    StackDefinition stack =
        stacks.create(lab.stack("web", lower).method(MountMethod.RELATIVE).request());

    assertEquals(3, collisions.seen, "two links, one of them tried twice");
    assertEquals(Optional.of(lower), target(link(stack, 0)));
    assertEquals(2, lab.names(links()).size());
    assertEquals("1", lab.read(lab.up("web").resolve("file")));
  }

  @Test
  void aCollisionOfTheLayersOwnLinkIsRetriedToo() throws Exception {
    OsPath lower = lab.layer("one", "file=1");
    for (int nth = 1; nth <= 2; nth++) {
      int skipped = nth - 1;
      Collisions collisions =
          new Collisions(lab.sys, 0) {
            @Override
            protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
              if (makesLink(invocation) && seen == skipped) {
                seen++;
                throw invocation.failure(Errno.EEXIST);
              }
              return super.observe(invocation);
            }
          };
      Stacks stacks = lab.stacks(collisions, lab.root(), lab.run());
      StackDefinition stack = stacks.create(lab.stack("web" + nth, lower).request());
      StackDefinition.Layer layer = stack.layer().orElseThrow();
      assertEquals(
          Optional.of(OsPath.of("../" + layer.id() + "/diff")),
          target(links().resolve(layer.link().orElseThrow())));
      OsPath home = lab.root().resolve("overlay2").resolve(layer.id().text());
      assertEquals(layer.link().orElseThrow(), lab.read(home.resolve("link")));
      lab.remove("web" + nth);
      assertEquals(List.of(), lab.names(links()));
    }
  }

  @Test
  void whenEveryNameIsTakenNothingIsLeft() throws Exception {
    OsPath lower = lab.layer("one", "file=1");
    lab.stack("good", lower).create();
    Stacks stacks = lab.stacks(new Collisions(lab.sys, Integer.MAX_VALUE), lab.root(), lab.run());
    StackRequest request = lab.stack("web", lower).request();
    String message = lab.refusal(() -> stacks.create(request)).getMessage();
    assertTrue(message.contains("EEXIST"), message);
    assertEquals(List.of(StackLab.name("good")), lab.stacks().names());
  }

  @Test
  void lostAndWrongLinksAreMadeAnew() throws Exception {
    OsPath one = lab.layer("one", "one=1");
    OsPath two = lab.layer("two", "two=2");
    OsPath three = lab.layer("three", "three=3");
    OsPath wrong = lab.layer("wrong", "wrong=w");
    StackDefinition stack = lab.stack("web", one, two, three).method(MountMethod.RELATIVE).create();
    StackDefinition.Layer layer = stack.layer().orElseThrow();
    lab.unlink(link(stack, 0));
    lab.unlink(link(stack, 1));
    lab.sys.symlinkat(wrong, Linux.AT_FDCWD, link(stack, 1));
    lab.unlink(link(stack, 2));
    lab.write(link(stack, 2), "not even a link");
    lab.unlink(links().resolve(layer.link().orElseThrow()));

    OsPath merged = lab.up("web");

    assertEquals(List.of("one", "three", "two"), lab.names(merged));
    assertEquals(Optional.of(one), target(link(stack, 0)));
    assertEquals(Optional.of(two), target(link(stack, 1)));
    assertEquals(Optional.of(three), target(link(stack, 2)));
    assertEquals(
        Optional.of(OsPath.of("../" + layer.id() + "/diff")),
        target(links().resolve(layer.link().orElseThrow())));
    assertEquals(4, lab.names(links()).size());
  }

  @Test
  void theWholeDirectoryMayBeLost() throws Exception {
    OsPath lower = lab.layer("one", "file=1");
    lab.stack("web", lower).method(MountMethod.RELATIVE).create();
    lab.files.removeTree(links());

    assertEquals("1", lab.read(lab.up("web").resolve("file")));
    lab.down("web");
    lab.files.removeTree(links());
    lab.remove("web");
  }

  @Test
  void aChangeOfLowersKeepsTheLinksThatStay() throws Exception {
    OsPath one = lab.layer("one", "file=1");
    OsPath two = lab.layer("two", "file=2");
    OsPath three = lab.layer("three", "file=3");
    StackDefinition before = lab.stack("web", one, two).method(MountMethod.RELATIVE).create();

    StackDefinition after =
        lab.stacks()
            .set(
                StackLab.name("web"),
                new StackChange(
                    Optional.of(List.of(three, one)),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.of(List.of()),
                    Optional.empty(),
                    Optional.empty()));

    assertEquals(
        before.lowers().get(0).link().orElseThrow(), after.lowers().get(1).link().orElseThrow());
    assertFalse(lab.exists(link(before, 1)));
    assertEquals(Optional.of(three), target(link(after, 0)));
    assertEquals(3, lab.names(links()).size());
    assertEquals("3", lab.read(lab.up("web").resolve("file")));
  }
}
