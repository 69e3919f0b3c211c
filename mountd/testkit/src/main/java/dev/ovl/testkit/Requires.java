package dev.ovl.testkit;

import dev.ovl.sys.LinuxSyscalls;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * What a test needs of the machine. Where it is missing the test is skipped and says why; but when
 * the environment variable {@value #VARIABLE} lists the need (separated by commas; {@code all} for
 * every need), it fails: what was asked for and is impossible is no skip.
 */
public final class Requires {
  /** The environment variable that lists needs which must not be missing. */
  public static final String VARIABLE = "OVL_REQUIRE";

  private static final String ALL = "all";
  private static final int CAP_SYS_ADMIN = 21;

  private Requires() {}

  /** The need {@code root}: user 0 with CAP_SYS_ADMIN, so that mounting is allowed. */
  public static void root() {
    that("root", rootObstacle());
  }

  /** The need {@code overlay}: root, and overlayfs in this kernel. */
  public static void overlay() {
    root();
    fileSystem("overlay");
  }

  /** A file system that this kernel has, by its name in /proc/filesystems. */
  public static void fileSystem(String type) {
    that(type, fileSystemObstacle(type));
  }

  /** The need {@code linux-MAJOR.MINOR}: this kernel or a newer one. */
  public static void kernel(int major, int minor) {
    that(
        "linux-" + major + "." + minor,
        isKernel(major, minor) ? Optional.empty() : Optional.of("the kernel is " + release()));
  }

  private static boolean isKernel(int major, int minor) {
    String[] numbers = release().split("[.-]", 3);
    int order = Integer.compare(Integer.parseInt(numbers[0]), major);
    return order > 0 || (order == 0 && Integer.parseInt(numbers[1]) >= minor);
  }

  private static String release() {
    return lines("/proc/sys/kernel/osrelease").findFirst().orElse("");
  }

  /** Attributes {@code user.*} on a tmpfs. */
  public static void userAttributesOnTmpfs() {
    kernel(6, 6);
  }

  /** Whether this kernel has what {@link #userAttributesOnTmpfs} asks for. */
  public static boolean hasUserAttributesOnTmpfs() {
    return isKernel(6, 6);
  }

  /** Whether this kernel has a file system: for tests that do more where it has. */
  public static boolean hasFileSystem(String type) {
    return fileSystemObstacle(type).isEmpty();
  }

  /** A program in PATH or a system directory, by its name. */
  public static void program(String name) {
    that(
        name,
        findProgram(name).isPresent() ? Optional.empty() : Optional.of("there is no such program"));
  }

  /** The need {@code loop}: loop devices. */
  public static void loop() {
    that(
        "loop",
        Files.exists(Path.of("/dev/loop-control"))
            ? Optional.empty()
            : Optional.of("there is no /dev/loop-control"));
  }

  /**
   * Any other need.
   *
   * @param need its word in {@value #VARIABLE}
   * @param obstacle why it is missing; empty when it is there
   */
  public static void that(String need, Optional<String> obstacle) {
    that(need, obstacle, Optional.ofNullable(System.getenv(VARIABLE)).orElse(""));
  }

  static void that(String need, Optional<String> obstacle, String required) {
    if (obstacle.isEmpty()) {
      return;
    }
    String message = "needs " + need + ": " + obstacle.get();
    List<String> words = Arrays.stream(required.split(",")).map(String::strip).toList();
    if (words.contains(need) || words.contains(ALL)) {
      Assertions.fail(message + " (demanded by " + VARIABLE + "=" + required + ")");
    }
    Assumptions.abort(message);
  }

  /** Where a program is; looks where a user's PATH often does not, too. */
  static Optional<Path> findProgram(String name) {
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Stream.concat(
            Arrays.stream(path.split(":")).filter(s -> !s.isEmpty()),
            Stream.of("/usr/sbin", "/sbin", "/usr/bin", "/bin"))
        .map(directory -> Path.of(directory, name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  private static Optional<String> rootObstacle() {
    int user = new LinuxSyscalls().geteuid();
    if (user != 0) {
      return Optional.of("the user is " + user);
    }
    long capabilities =
        lines("/proc/self/status")
            .filter(line -> line.startsWith("CapEff:"))
            .map(line -> Long.parseUnsignedLong(line.substring("CapEff:".length()).strip(), 16))
            .findFirst()
            .orElse(-1L);
    return (capabilities >>> CAP_SYS_ADMIN & 1) == 1
        ? Optional.empty()
        : Optional.of("root lacks CAP_SYS_ADMIN here");
  }

  private static Optional<String> fileSystemObstacle(String type) {
    if (isKnown(type)) {
      return Optional.empty();
    }
    Optional<Path> modprobe = findProgram("modprobe");
    if (modprobe.isPresent()) {
      try {
        // without pipes, whose ends would stay open for a moment
        new ProcessBuilder(modprobe.get().toString(), "--quiet", type)
            .redirectInput(new File("/dev/null"))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start()
            .waitFor();
      } catch (IOException e) {
        return Optional.of("this kernel has no " + type + ", and modprobe does not start");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    return isKnown(type) ? Optional.empty() : Optional.of("this kernel has no " + type);
  }

  private static boolean isKnown(String type) {
    return lines("/proc/filesystems").anyMatch(line -> line.endsWith("\t" + type));
  }

  private static Stream<String> lines(String file) {
    try {
      return Files.readAllLines(Path.of(file)).stream();
    } catch (IOException e) {
      throw new AssertionError("cannot read " + file, e);
    }
  }
}
