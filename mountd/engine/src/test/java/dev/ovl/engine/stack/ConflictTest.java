package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.EngineException.Kind;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.root.RootFormat;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bad input gets one line that says what, where and which errno, and changes nothing. */
@Tag("kernel")
class ConflictTest {
  @RegisterExtension final StackLab lab = new StackLab();

  /** With this there is a root that could be changed. */
  private OsPath good() throws Exception {
    OsPath lower = lab.layer("good", "file=1");
    lab.stack("good", lower).create();
    return lower;
  }

  private void link(OsPath target, OsPath path) throws ErrnoException {
    lab.sys.symlinkat(target, Linux.AT_FDCWD, path);
  }

  // ---- lowers -------------------------------------------------------------------------------

  @Test
  void aLowerThatIsMissingOrNoDirectory() throws Exception {
    OsPath good = good();
    OsPath missing = lab.path("mis sing");
    lab.assertRefused(
        "lower does not exist: " + missing.quoted() + " (ENOENT)",
        () -> lab.stack("web", good, missing).create());

    OsPath file = lab.path("file");
    lab.write(file, "x");
    lab.assertRefused(
        "lower is not a directory: " + file + " (ENOTDIR)",
        () -> lab.stack("web", file, good).create());
    lab.assertRefused(
        "lower cannot be reached: " + file + "/x: Not a directory (ENOTDIR)",
        () -> lab.stack("web", good, file.resolve("x")).create());

    OsPath loop = lab.path("loop");
    link(loop, loop);
    lab.assertRefused(
        "lower cannot be reached: " + loop + ": Too many levels of symbolic links (ELOOP)",
        () -> lab.stack("web", good, loop).create());
    OsPath dangling = lab.path("dangling");
    link(lab.path("nowhere"), dangling);
    lab.assertRefused(
        "lower does not exist: " + dangling + " (ENOENT)",
        () -> lab.stack("web", dangling).create());
    OsPath longName = lab.path("x".repeat(256));
    lab.assertRefused(
        "lower cannot be reached: " + longName + ": File name too long (ENAMETOOLONG)",
        () -> lab.stack("web", longName).create());
    EngineException none = lab.refusal(() -> lab.stack("web").create());
    assertEquals("a stack needs a lower", none.getMessage());
    assertEquals(Kind.USAGE, none.kind());
  }

  @Test
  void theSameLowerTwice() throws Exception {
    OsPath good = good();
    OsPath other = lab.layer("other");
    lab.assertRefused(
        "lower is given twice: " + good + " (ELOOP)",
        () -> lab.stack("web", good, other, good).create());

    OsPath link = lab.path("link");
    link(good, link);
    lab.assertRefused(
        "lowers are the same directory: " + good + ", " + link + " (ELOOP)",
        () -> lab.stack("web", good, other, link).create());

    OsPath bound = lab.directory("bound");
    lab.bind(good, bound);
    lab.assertRefused(
        "lowers are the same directory: " + bound + ", " + good + " (ELOOP)",
        () -> lab.stack("web", bound, good).create());

    OsPath dots = lab.path("layers/other/../good");
    lab.assertRefused(
        "lowers are the same directory: " + dots + ", " + good + " (ELOOP)",
        () -> lab.stack("web", dots, good).create());
  }

  @Test
  void aLowerWithinAnother() throws Exception {
    good();
    OsPath outer = lab.layer("outer", "in/deep/file=1");
    OsPath inner = outer.resolve("in/deep");
    String message = "lower " + inner + " lies inside lower " + outer + " (ELOOP)";
    lab.assertRefused(message, () -> lab.stack("web", outer, inner).create());
    lab.assertRefused(message, () -> lab.stack("web", inner, outer).create());

    OsPath link = lab.path("link");
    link(inner, link);
    lab.assertRefused(
        "lower " + link + " lies inside lower " + outer + " (ELOOP)",
        () -> lab.stack("web", outer, link).create());

    // what is mounted inside is another file system, and fine
    OsPath mounted = lab.directory(outer.resolve("mounted"));
    lab.mountTmpfs(mounted);
    lab.stack("fine", outer, mounted).up();
    // names that only begin alike are no ancestors
    OsPath alike = lab.layer("outer-2", "x=1");
    lab.stack("alike", outer, alike).up();
  }

  @Test
  void aLowerWithinAnotherByABindMount() throws Exception {
    good();
    OsPath outer = lab.layer("outer", "in/file=1");
    OsPath bound = lab.directory("bound");
    lab.bind(outer.resolve("in"), bound);
    // no path tells, so that it is the kernel who notices
    lab.stack("web", outer, bound).create();
    List<String> mounts = lab.mountLines();
    EngineException refused = assertThrows(EngineException.class, () -> lab.up("web"));
    assertEquals(
        "lowers, upper or work lie inside each other, perhaps through a bind mount (ELOOP)",
        refused.getMessage());
    assertEquals(Optional.of(Errno.ELOOP), refused.errno());
    assertEquals(mounts, lab.mountLines());
    lab.assertDown("web");
    lab.remove("web");
  }

  @Test
  void lowersThatWentAwayAreNamedByUp() throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    OsPath other = lab.layer("b");
    for (MountMethod method : lab.methods()) {
      String name = "web-" + method.word();
      lab.stack(name, lower, other).method(method).create();
      lab.up(name);
      lab.down(name);
      lab.files.rmdir(other);

      EngineException refused = lab.refusal(() -> lab.up(name));
      assertEquals("lower does not exist: " + other + " (ENOENT)", refused.getMessage());
      lab.directory(other);
      lab.up(name);
      lab.down(name);
    }
  }

  // ---- upper and work -----------------------------------------------------------------------

  private void assertUpperRefused(String message, OsPath lower, OsPath upper, OsPath work)
      throws ErrnoException {
    lab.assertRefused(message, () -> lab.stack("web", lower).upper(upper, work).create());
  }

  @Test
  void upperAndWorkThatDoNotFit() throws Exception {
    OsPath good = good();
    OsPath upper = lab.directory("upper");
    OsPath work = lab.directory("work");
    OsPath missing = lab.path("missing");
    OsPath file = lab.path("file");
    lab.write(file, "x");
    assertUpperRefused("upper does not exist: " + missing + " (ENOENT)", good, missing, work);
    assertUpperRefused("work does not exist: " + missing + " (ENOENT)", good, upper, missing);
    assertUpperRefused("upper is not a directory: " + file + " (ENOTDIR)", good, file, work);
    assertUpperRefused("work is not a directory: " + file + " (ENOTDIR)", good, upper, file);

    String inside = "upper and work lie inside each other: ";
    OsPath sub = lab.directory(upper.resolve("sub"));
    assertUpperRefused(inside + upper + ", " + upper + " (EINVAL)", good, upper, upper);
    assertUpperRefused(inside + upper + ", " + sub + " (EINVAL)", good, upper, sub);
    assertUpperRefused(inside + sub + ", " + upper + " (EINVAL)", good, sub, upper);
    OsPath link = lab.path("link");
    link(sub, link);
    assertUpperRefused(inside + upper + ", " + link + " (EINVAL)", good, upper, link);

    lab.write(work.resolve("something"), "x");
    assertUpperRefused("work is not empty: " + work + "/something (ENOTEMPTY)", good, upper, work);
  }

  @Test
  void upperAndWorkApart() throws Exception {
    OsPath good = good();
    OsPath upper = lab.directory("upper");
    OsPath elsewhere = lab.directory("else where");
    lab.mountTmpfs(elsewhere);
    OsPath work = lab.directory(elsewhere.resolve("work"));
    assertUpperRefused(
        "upper and work are on different file systems: "
            + upper
            + ", "
            + work.quoted()
            + " (EXDEV)",
        good,
        upper,
        work);

    OsPath real = lab.directory("real");
    OsPath bound = lab.directory("bound");
    lab.bind(real, bound);
    assertUpperRefused(
        "upper and work are on different mounts: " + upper + ", " + bound + " (EXDEV)",
        good,
        upper,
        bound);
  }

  @Test
  void anUpperOnAnOverlay() throws Exception {
    OsPath good = good();
    OsPath merged = lab.up("good");
    OsPath upper = lab.directory(merged.resolve("upper"));
    OsPath work = lab.directory(merged.resolve("work"));
    assertUpperRefused(
        "upper is itself on an overlay, which the kernel does not take: " + upper + " (EINVAL)",
        good,
        upper,
        work);
  }

  @Test
  void uppersAndLowersThatAreTheSame() throws Exception {
    OsPath good = good();
    OsPath upper = lab.directory("upper");
    OsPath work = lab.directory("work");
    assertUpperRefused("upper is also a lower: " + good + " (ELOOP)", good, good, work);
    assertUpperRefused("work is also a lower: " + good + " (ELOOP)", good, upper, good);
    OsPath sub = lab.directory(upper.resolve("sub"));
    assertUpperRefused(
        "lower " + sub + " lies inside upper " + upper + " (ELOOP)", sub, upper, work);
    OsPath deep = lab.directory(work.resolve("sub"));
    assertUpperRefused(
        "lower " + deep + " lies inside work " + work + " (ELOOP)", deep, upper, work);

    // an upper inside a lower is no problem for the kernel
    OsPath all = lab.directory("all");
    OsPath within = lab.directory(all.resolve("u"));
    lab.stack("within", all).upper(within, lab.directory(all.resolve("w"))).up();
  }

  @Test
  void aRefusedCreationIsNoRemovalToBeFinished() throws Exception {
    OsPath good = good();
    OsPath upper = lab.directory("upper");
    OsPath work = lab.directory("work");
    lab.stack("owner", good).upper(upper, work).create();
    assertThrows(EngineException.class, lab.stack("web", good).upper(upper, work)::create);
    EngineException none = assertThrows(EngineException.class, () -> lab.remove("web"));
    assertEquals(Kind.NO_SUCH_STACK, none.kind());
  }

  @Test
  void anUpperOfAnotherStack() throws Exception {
    OsPath good = good();
    OsPath upper = lab.directory("upper");
    OsPath work = lab.directory("work");
    OsPath third = lab.directory("third");
    lab.stack("owner", good).upper(upper, work).create();
    String belongs = "upper or work belongs to stack owner already: ";
    for (String state : List.of("down", "up")) {
      assertUpperRefused(belongs + upper + " (EBUSY)", good, upper, third);
      assertUpperRefused(belongs + work + " (EBUSY)", good, work, third);
      assertUpperRefused(belongs + work + " (EBUSY)", good, third, lab.path("work"));
      OsPath link = lab.path("link-" + state);
      link(upper, link);
      assertUpperRefused(belongs + upper + " (EBUSY)", good, link, third);
      if (state.equals("down")) {
        lab.up("owner");
      }
    }
    // by a stack of another root, which no definition here knows of
    Stacks other = lab.stacks(lab.sys, lab.path("root2"), lab.path("run2"));
    OsPath merged = lab.report("owner").target();
    StackRequest request = lab.stack("web", good).upper(upper, third).request();
    lab.assertRefused(
        "upper or work is in use by another overlay: ovl:owner on " + merged + " (EBUSY)",
        () -> other.create(request));
    lab.down("owner");
    lab.remove("owner");
    lab.stack("web", good).upper(upper, work).up();
  }

  @ParameterizedTest
  @ValueSource(strings = {"upper", "up:p,er", "back\\slash\\", "with space"})
  void anUpperOfAForeignMount(String name) throws Exception {
    OsPath good = good();
    OsPath upper = lab.directory(name);
    OsPath work = lab.directory("work");
    OsPath target = lab.directory("target");
    lab.stack("before", good).upper(upper, work).create();
    foreign(good, upper, work, target);
    String message =
        "upper or work is in use by another overlay: foreign on " + target + " (EBUSY)";

    lab.assertRefused(message, () -> lab.up("before"));
    // to forget the definition would harm nobody: the upper is the user's
    lab.remove("before");
    assertUpperRefused(message, good, upper, lab.directory("work2"));
    assertUpperRefused(message, good, lab.directory("upper2"), work);

    lab.umount(target);
    lab.stack("web", good).upper(upper, work).up();
  }

  /** As mount(8) would make it. */
  private void foreign(OsPath lower, OsPath upper, OsPath work, OsPath target)
      throws ErrnoException {
    String data = "lowerdir=" + lower + ",upperdir=" + escaped(upper) + ",workdir=" + work;
    lab.sys.mount(
        OsPath.of("foreign"), target, "overlay", 0, data.getBytes(StandardCharsets.UTF_8));
  }

  private static String escaped(OsPath path) {
    return path.toString().replaceAll("[\\\\:,]", "\\\\$0");
  }

  // ---- targets ------------------------------------------------------------------------------

  @Test
  void aTargetThatIsMissingOrNoDirectory() throws Exception {
    OsPath good = good();
    OsPath missing = lab.path("missing");
    OsPath file = lab.path("file");
    lab.write(file, "x");
    lab.assertRefused(
        "target does not exist: " + missing + " (ENOENT)",
        () -> lab.stack("web", good).at(missing).create());
    lab.assertRefused(
        "target is not a directory: " + file + " (ENOTDIR)",
        () -> lab.stack("web", good).at(file).create());

    OsPath target = lab.directory("target");
    for (MountMethod method : lab.methods()) {
      String name = "web-" + method.word();
      lab.stack(name, good).at(target).method(method).create();
      lab.files.rmdir(target);
      lab.assertRefused("target does not exist: " + target + " (ENOENT)", () -> lab.up(name));
      lab.write(target, "x");
      lab.assertRefused("target is not a directory: " + target + " (ENOTDIR)", () -> lab.up(name));
      lab.unlink(target);
      lab.directory(target);
    }
  }

  @Test
  void aTargetThatIsMountedOn() throws Exception {
    OsPath good = good();
    OsPath target = lab.directory("target");
    lab.stack("web", good).at(target).create();
    lab.mountTmpfs(target);
    lab.assertRefused(
        "target is busy: ovl-test (tmpfs) is mounted on " + target + " (EBUSY)",
        () -> lab.up("web"));
    lab.umount(target);

    lab.stack("other", good).at(target).up();
    lab.assertRefused(
        "target is busy: ovl:other (overlay) is mounted on " + target + " (EBUSY)",
        () -> lab.up("web"));
    lab.down("other");
    lab.up("web");
    lab.assertRefused(
        "target is busy: ovl:web (overlay) is mounted on " + target + " (EBUSY)",
        () -> lab.up("other"));
  }

  @Test
  void aStackMayLieOverItsOwnLower() throws Exception {
    OsPath target = lab.directory("target");
    lab.mountTmpfs(target);
    lab.write(target.resolve("file"), "1");
    lab.stack("web", target).at(target).up();

    assertEquals(2, lab.mountsOn(target).size());
    assertEquals("1", lab.read(target.resolve("file")));
    lab.write(target.resolve("file"), "2");
    lab.assertUp("web");
    lab.down("web");
    assertEquals("tmpfs", lab.mountOn(target).type());
    assertEquals("1", lab.read(target.resolve("file")));
  }

  // ---- names --------------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      value = {
        "a/b; the name a/b contains a slash",
        "/; the name / contains a slash",
        "-x; the name -x begins with '-'",
        ".x; the name .x begins with '.'",
        "..; the name .. begins with '.'",
      })
  void namesThatAreNone(String name, String message) {
    EngineException refused = assertThrows(EngineException.class, () -> lab.stack(name).request());
    assertEquals(message, refused.getMessage());
    assertEquals(Kind.USAGE, refused.kind());
  }

  @Test
  void namesThatAreNoneAndCannotBeWritten() throws Exception {
    assertNameRefused("a stack's name cannot be empty", "");
    assertNameRefused("the name 'a'$'\\n''b' contains a control character", "a\nb");
    assertNameRefused("the name 'a'$'\\177' contains a control character", "a\u007f");
    assertNameRefused("the name 'a'$'\\377' is not UTF-8", "a\udcff");
    assertNameRefused("the name " + "x".repeat(65) + " is longer than 64 bytes", "x".repeat(65));
    assertNameRefused("the name " + "ü".repeat(33) + " is longer than 64 bytes", "ü".repeat(33));
    assertEquals("ü".repeat(32), StackLab.name("ü".repeat(32)).text());
    OsPath merged = lab.stack("x".repeat(64), lab.layer("a")).up();
    assertEquals(OsPath.of("ovl:" + "x".repeat(64)), lab.mountOn(merged).source());
  }

  private static void assertNameRefused(String message, String name) {
    EngineException refused = assertThrows(EngineException.class, () -> StackLab.name(name));
    assertEquals(message, refused.getMessage());
    assertEquals(Kind.USAGE, refused.kind());
  }

  @Test
  void aNameThatIsTaken() throws Exception {
    OsPath good = good();
    OsPath other = lab.layer("other");
    lab.assertRefused(
        "a stack of that name exists (EEXIST)", () -> lab.stack("good", other).create());
    lab.up("good");
    lab.assertRefused(
        "a stack of that name exists (EEXIST)", () -> lab.stack("good", good).create());
    assertEquals(
        good, lab.report("good").definition().lowers().get(0).path(), "the first one stays");
  }

  @Test
  void aStackThatIsNone() throws Exception {
    StackName none = StackLab.name("none");
    Stacks stacks = lab.stacks();
    StackChange change =
        new StackChange(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.of(List.of()),
            Optional.empty(),
            Optional.empty());
    for (String root : List.of("missing", "there")) {
      assertNone(() -> stacks.up(none, false));
      assertNone(() -> stacks.down(none, false));
      assertNone(() -> stacks.remove(none, false));
      assertNone(() -> stacks.remove(none, true));
      assertNone(() -> stacks.state(none));
      assertNone(() -> stacks.summary(none));
      assertNone(() -> stacks.report(none));
      assertNone(() -> stacks.set(none, change));
      assertNone(() -> stacks.copy(none, StackLab.name("new"), change));
      if (root.equals("missing")) {
        assertFalse(lab.exists(lab.root()), "asking makes no root");
        assertFalse(lab.exists(lab.run()));
        good();
      }
    }
  }

  private void assertNone(Executable action) throws ErrnoException {
    EngineException refused = lab.refusal(action);
    assertEquals("no such stack (ENOENT)", refused.getMessage());
    assertEquals(Kind.NO_SUCH_STACK, refused.kind());
  }

  @Test
  void aStackThatIsUpStaysAsItIs() throws Exception {
    good();
    OsPath merged = lab.up("good");
    StackChange change =
        new StackChange(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.of(List.of("nosuid")),
            Optional.empty(),
            Optional.empty());
    lab.assertRefused(
        "is up on " + merged + "; 'down' it before you remove it (EBUSY)",
        () -> lab.remove("good"));
    lab.assertRefused(
        "is up on " + merged + "; 'down' it before you change it (EBUSY)",
        () -> lab.stacks().set(StackLab.name("good"), change));
    lab.stacks().remove(StackLab.name("good"), true);
    assertEquals(List.of(), lab.mountsOn(merged));
    assertEquals(List.of(), lab.stacks().names());
  }

  // ---- files of the root --------------------------------------------------------------------

  private OsPath definition(String name) {
    return lab.root().resolve("stacks").resolve(name + ".json");
  }

  private void assertUnreadable(byte[] content, String reason) throws Exception {
    OsPath file = definition("bad");
    StackName bad = StackLab.name("bad");
    assertFalse(Arrays.equals(content, lab.readBytes(file)), "the damage is none");
    lab.write(file, content);
    // one that had read it before, and one that reads it for the first time
    for (Stacks stacks : List.of(lab.stacks(), lab.stacks(lab.sys, lab.root(), lab.run()))) {
      EngineException refused = assertThrows(EngineException.class, () -> stacks.report(bad));
      String start = "the definition " + file + " cannot be read: ";
      assertTrue(refused.getMessage().startsWith(start), refused.getMessage());
      assertTrue(refused.getMessage().contains(reason), refused.getMessage());
      assertFalse(refused.getMessage().contains("\n"), refused.getMessage());
      assertEquals(Kind.FAILED, refused.kind());
      for (Executable action :
          List.<Executable>of(
              () -> stacks.up(bad, false),
              () -> stacks.down(bad, false),
              () -> stacks.state(bad),
              () -> stacks.remove(bad, true))) {
        assertEquals(
            refused.getMessage(), assertThrows(EngineException.class, action).getMessage());
      }
      assertArrayEquals(content, lab.readBytes(file), "kept byte for byte");
    }
  }

  private void assertOthersGoOn() throws Exception {
    lab.assertRefused(
        "a stack of that name exists (EEXIST)",
        () -> lab.stack("bad", lab.path("layers/good")).create());
    lab.up("good");
    assertEquals("1", lab.read(lab.report("good").target().resolve("file")));
    lab.down("good");
    assertEquals(
        List.of("bad", "good"),
        lab.stacks().namesByDependency().stream().map(StackName::text).sorted().toList());
    lab.stack("new", lab.path("layers/good")).create();
    lab.remove("new");
    lab.stacks().recover();
  }

  @Test
  void aDefinitionThatCannotBeReadIsNamedAndKept() throws Exception {
    OsPath good = good();
    lab.stack("bad", good).create();
    byte[] whole = lab.readBytes(definition("bad"));
    String text = new String(whole, StandardCharsets.UTF_8);
    byte[] truncated = Arrays.copyOf(whole, whole.length / 2);

    assertUnreadable(truncated, "at line");
    assertOthersGoOn();
    assertUnreadable(new byte[0], "it is empty");
    assertUnreadable(bytes("\u0000\u0001garbage"), "");
    assertUnreadable(new byte[] {(byte) 0xff, '{', '}'}, "");
    assertUnreadable(bytes("[]"), "it is not an object");
    assertUnreadable(bytes("{}"), "schema is missing");
    assertUnreadable(bytes(text + "{}"), "there is something after the object");
    assertUnreadable(bytes("[".repeat(5000)), "");
    assertUnreadable(
        bytes(text.replace("\"schema\": 1", "\"schema\": \"1\"")), "schema is of the wrong kind");
    assertUnreadable(
        bytes(text.replace("\"schema\": 1", "\"schema\": 99")),
        "it was written by a newer ovl (schema 99, this one knows 1)");
    assertUnreadable(bytes(text.replace("\"schema\": 1", "\"schema\": 99999999999999999999")), "");
    assertUnreadable(bytes(text.replace("\"lower\"", "\"lowers\"")), "lower is missing");
    assertUnreadable(
        bytes(text.replace("\"name\": \"bad\"", "\"name\": \"good\"")), "it defines good");
    assertUnreadable(bytes(text.replace("\"name\": \"bad\"", "\"name\": \"../x\"")), "../x");
    assertUnreadable(
        bytes(text.replace(good.toString(), "relative")), "path is not an absolute path");
    assertUnreadable(bytes(text.replace(good.toString(), "/a\\u0000b")), "");
    assertUnreadable(
        bytes(text.replaceAll("[0-9a-f]{64}", "../../../x")), "not a layer's id: ../../../x");
    assertUnreadable(bytes(text.replaceFirst("[A-Z2-7]{26}", "../x")), "has not the form of an id");
    assertUnreadable(
        bytes(text.replaceAll("(\"options\": \\[)\\s*\\]", "$1\"frob\"]")), "unknown option frob");
    lab.refusal(() -> lab.up("bad"));
    assertOthersGoOn();

    // repaired by hand, it is as before
    lab.write(definition("bad"), whole);
    lab.up("bad");
    lab.down("bad");
    lab.remove("bad");
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void aStackThatIsUpWhileItsDefinitionBreaksStaysUp() throws Exception {
    good();
    OsPath merged = lab.up("good");
    byte[] whole = lab.readBytes(definition("good"));
    lab.write(definition("good"), "{");
    lab.refusal(() -> lab.down("good"));
    assertEquals("1", lab.read(merged.resolve("file")));
    lab.write(definition("good"), whole);
    lab.assertUp("good");
    lab.down("good");
  }

  @Test
  void aRootOfANewerVersion() throws Exception {
    OsPath good = good();
    OsPath file = lab.root().resolve("ovl.json");
    lab.write(file, "{\"schema\": 2}\n");
    String message = "root " + lab.root() + " is of a newer ovl (schema 2, this one knows 1)";
    Stacks stacks = lab.stacks(lab.sys, lab.root(), lab.run());
    lab.assertRefused(message, () -> stacks.create(lab.stack("web", good).request()));
    lab.assertRefused(message, () -> new RootFormat(lab.sys, lab.root()).check());

    lab.write(file, "{\"schema\":");
    EngineException refused = lab.refusal(() -> new RootFormat(lab.sys, lab.root()).check());
    assertTrue(
        refused.getMessage().startsWith("root " + lab.root() + ": ovl.json cannot be read: "),
        refused.getMessage());
    lab.write(file, "{\"schema\": 1}\n");
    lab.up("good");
  }

  @Test
  void filesThatAreNoneOfOursAreLeftAlone() throws Exception {
    good();
    for (String name : List.of("README", ".hidden.json", "-x.json", ".tmp-good.json", "x.json~")) {
      lab.write(lab.root().resolve("stacks").resolve(name), "whatever");
    }
    assertEquals(List.of(StackLab.name("good")), lab.stacks().names());
    lab.up("good");
    lab.down("good");
    lab.stacks().recover();
    assertTrue(lab.exists(lab.root().resolve("stacks/README")));
    assertTrue(lab.exists(lab.root().resolve("stacks/-x.json")));
    assertTrue(lab.exists(lab.root().resolve("stacks/x.json~")));
  }
}
