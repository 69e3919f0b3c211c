package dev.ovl.it.load;

import dev.ovl.api.StackCopy;
import dev.ovl.api.StackDraft;
import dev.ovl.api.StackPatch;
import dev.ovl.api.StackReport;
import dev.ovl.it.load.StackState.Shape;
import dev.ovl.it.load.StackState.Upper;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** The directories that stacks are made of, all in one scratch directory of plain characters. */
final class Site {
  /** Mount options that stacks may have. */
  static final List<String> OPTIONS = List.of("noatime", "nosuid", "nodev");

  /** In each lower, with the lower's name as content. */
  static final String WHO = "who";

  private static final List<String> METHODS = List.of("classic", "relative", "lowerdir+", "fd");
  private static final int LOWERS = 8;
  private static final int MAX_LOWERS = 4;

  private final Path base;

  /** Makes the lowers, and for each stack a target and an upper that it may have. */
  Site(Scratch scratch, List<String> stacks) {
    this.base = Path.of(scratch.path().toString());
    try {
      // as systemd makes all mounts: so a mount namespace that somebody makes meanwhile keeps no
      // copy of what is unmounted, for which 'down' would be refused
      new LinuxSyscalls()
          .mount(OsPath.of("none"), scratch.path(), "", Linux.MS_SHARED, new byte[0]);
      for (String lower : allLowers()) {
        Files.createDirectories(lower(lower));
        Files.writeString(lower(lower).resolve(WHO), lower);
      }
      for (String stack : stacks) {
        Files.createDirectories(target(stack));
        Files.createDirectories(upper(stack));
        Files.createDirectories(work(stack));
      }
    } catch (IOException e) {
      throw new AssertionError("cannot make the site", e);
    }
  }

  private static List<String> allLowers() {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < LOWERS; i++) {
      names.add("L" + i);
    }
    return names;
  }

  Path root() {
    return base.resolve("root");
  }

  private Path lower(String name) {
    return base.resolve("lowers").resolve(name);
  }

  /** The target that is not ovl's own. */
  Path target(String stack) {
    return base.resolve("targets").resolve(stack);
  }

  private Path upper(String stack) {
    return base.resolve("uppers").resolve(stack);
  }

  private Path work(String stack) {
    return base.resolve("works").resolve(stack);
  }

  // ---- shapes -------------------------------------------------------------------------------

  /** Any shape. */
  static Shape anyShape(Random random) {
    Upper[] uppers = {Upper.OWN, Upper.OWN, Upper.OWN, Upper.GIVEN, Upper.NONE};
    return new Shape(
        anyLowers(random),
        uppers[random.nextInt(uppers.length)],
        random.nextBoolean(),
        anyOptions(random),
        anyMethod(random));
  }

  /** A shape that {@code set} can make of another one. */
  static Shape anyChange(Shape before, Random random) {
    return switch (random.nextInt(4)) {
      case 0 ->
          new Shape(
              anyLowers(random),
              before.upper(),
              before.givenTarget(),
              before.options(),
              before.method());
      case 1 ->
          new Shape(
              before.lowers(),
              before.upper(),
              !before.givenTarget(),
              before.options(),
              before.method());
      case 2 ->
          new Shape(
              before.lowers(),
              before.upper(),
              before.givenTarget(),
              anyOptions(random),
              before.method());
      default ->
          new Shape(
              before.lowers(),
              before.upper(),
              before.givenTarget(),
              before.options(),
              anyMethod(random));
    };
  }

  private static List<String> anyLowers(Random random) {
    List<String> lowers = allLowers();
    Collections.shuffle(lowers, random);
    return List.copyOf(lowers.subList(0, 1 + random.nextInt(MAX_LOWERS)));
  }

  private static List<String> anyOptions(Random random) {
    return OPTIONS.stream().filter(option -> random.nextInt(3) == 0).toList();
  }

  private static Optional<String> anyMethod(Random random) {
    return random.nextBoolean()
        ? Optional.empty()
        : Optional.of(METHODS.get(random.nextInt(METHODS.size())));
  }

  // ---- as the API has them ------------------------------------------------------------------

  private List<String> paths(List<String> lowers) {
    return lowers.stream().map(lower -> lower(lower).toString()).toList();
  }

  /** What {@code create} is asked for. */
  StackDraft draft(String stack, Shape shape) {
    boolean given = shape.upper() == Upper.GIVEN;
    return new StackDraft(
        stack,
        Optional.empty(),
        paths(shape.lowers()),
        List.of(),
        Optional.empty(),
        shape.upper() == Upper.NONE,
        given ? Optional.of(upper(stack).toString()) : Optional.empty(),
        given ? Optional.of(work(stack).toString()) : Optional.empty(),
        shape.givenTarget() ? Optional.of(target(stack).toString()) : Optional.empty(),
        shape.options(),
        Optional.empty(),
        shape.method(),
        false);
  }

  /** What {@code set} is asked for: all that a shape says, but for the upper. */
  StackPatch patch(String stack, Shape shape) {
    return new StackPatch(
        Optional.of(paths(shape.lowers())),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.of(shape.givenTarget() ? target(stack).toString() : "default"),
        Optional.of(shape.options()),
        Optional.empty(),
        Optional.of(shape.method().orElse("auto")));
  }

  /** What {@code clone} is asked for: like another one, but its own place, and no given upper. */
  StackCopy copy(String as, Shape shape) {
    return new StackCopy(as, patch(as, shape));
  }

  /** The shape of what is reported; the reverse of {@link #draft}. */
  Shape shape(StackReport report) {
    List<String> lowers =
        report.lower().stream()
            .filter(path -> path.startsWith(base.resolve("lowers") + "/"))
            .map(path -> Path.of(path).getFileName().toString())
            .toList();
    Optional<String> upper = report.upper();
    return new Shape(
        lowers,
        upper.isEmpty()
            ? Upper.NONE
            : upper.get().equals(upper(report.name()).toString()) ? Upper.GIVEN : Upper.OWN,
        report.target().equals(target(report.name()).toString()),
        OPTIONS.stream().filter(report.options()::contains).toList(),
        report.methodForced() ? Optional.of(report.method()) : Optional.empty());
  }
}
