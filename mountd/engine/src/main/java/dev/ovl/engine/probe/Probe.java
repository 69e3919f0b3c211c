package dev.ovl.engine.probe;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds out what this kernel and a root's file system can do, by doing it.
 *
 * <p>Overlays are mounted in a mount namespace that one thread has for itself; what concerns the
 * root is tried in a temporary directory there, {@code .ovl-probe-…}, or in the root's nearest
 * ancestor when there is no root yet. Nothing of it remains when {@link #run} returns or throws,
 * but two things: the kernel may have loaded the module of a file system that it was asked for, and
 * have written to its log.
 *
 * <p>Without privileges the run completes all the same; most answers then are "not probed". Each
 * run asks anew. For any number of threads.
 */
public final class Probe {
  private static final OsPath RELEASE = OsPath.of("/proc/sys/kernel/osrelease");
  private static final String NOT_BUILT = "not built into this version";

  /** The drivers that ovl knows of, first choice first; each has a directory of its name. */
  private static final List<String> DRIVERS =
      List.of("overlay2", "aufs", "btrfs", "devicemapper", "overlay", "vfs");

  private static final String OVERLAYS = "overlay2";
  private static final String BRANCHES = "aufs";
  private static final String COPIES = "vfs";
  private static final List<String> BUILT = List.of(OVERLAYS, BRANCHES, COPIES);
  private static final String HOLDS_LAYERS = "this root already holds its layers";
  private static final String WHY_NOT_COPIES =
      "works everywhere, but copies whole trees: taken where overlay2 cannot be used";

  private final Syscalls sys;
  private final Files files;
  private final OsPath root;

  /**
   * @param sys what to call
   * @param root the root directory, which need not exist; it is not made
   */
  public Probe(Syscalls sys, OsPath root) {
    this.sys = sys;
    this.files = new Files(sys);
    this.root = root;
  }

  /**
   * Asks everything. Takes tenths of a second.
   *
   * @throws ErrnoException the root cannot be looked at, or the temporary directory could not be
   *     removed
   */
  public ProbeReport run() throws ErrnoException {
    String release = files.read(RELEASE).map(OsPath::decode).orElse("unknown").strip();
    RootProbe rootProbe = new RootProbe(sys, root);
    List<Feature> features = new ArrayList<>();
    features.addAll(new OverlayProbe(sys).features());
    features.addAll(new FileSystemProbe(sys, release).features());
    features.addAll(rootProbe.features());
    return new ProbeReport(release, features, rootProbe.fileSystem(), choose(features));
  }

  // ---- the driver -----------------------------------------------------------------------------

  private DriverChoice choose(List<Feature> features) throws ErrnoException {
    List<String> used = new ArrayList<>();
    for (String driver : DRIVERS) {
      if (isUsed(driver)) {
        used.add(driver);
      }
    }
    Optional<String> obstacle = obstacle(features);
    Optional<String> chosen =
        byPreference(used).stream().filter(d -> obstacle(d, features).isEmpty()).findFirst();
    List<DriverChoice.Candidate> candidates = new ArrayList<>();
    for (String driver : DRIVERS) {
      boolean taken = chosen.equals(Optional.of(driver));
      String why =
          switch (driver) {
            case OVERLAYS -> obstacle.orElse(reason(used, features));
            case BRANCHES ->
                obstacle(BRANCHES, features)
                    .map(reason -> reason + butUsed(driver, used))
                    .orElseGet(() -> reasonForBranches(taken, used, obstacle));
            case COPIES -> taken ? reasonForCopies(used, obstacle) : WHY_NOT_COPIES;
            default -> NOT_BUILT + butUsed(driver, used);
          };
      candidates.add(new DriverChoice.Candidate(driver, taken, why));
    }
    String why =
        candidates.stream()
            .filter(DriverChoice.Candidate::chosen)
            .map(DriverChoice.Candidate::why)
            .findFirst()
            .orElse("no driver can be used: " + obstacle.orElse("the root cannot be written to"));
    return new DriverChoice(chosen, why + strangers(used), candidates);
  }

  private static String butUsed(String driver, List<String> used) {
    return used.contains(driver) ? ", though this root holds its layers" : "";
  }

  /** The drivers that ovl has: first those whose layers the root holds. */
  private static List<String> byPreference(List<String> used) {
    List<String> drivers = new ArrayList<>(BUILT);
    drivers.retainAll(used);
    BUILT.stream().filter(driver -> !used.contains(driver)).forEach(drivers::add);
    return drivers;
  }

  private static Optional<String> obstacle(String driver, List<Feature> features) {
    return switch (driver) {
      case OVERLAYS -> obstacle(features);
      case BRANCHES ->
          result("aufs.mount", features).isYes()
              ? Optional.empty()
              : Optional.of("this kernel does not mount aufs");
      default ->
          result("root.writable", features) instanceof ProbeResult.No
              ? Optional.of("the root cannot be written to")
              : Optional.empty();
    };
  }

  private static String reasonForBranches(
      boolean taken, List<String> used, Optional<String> obstacle) {
    return used.contains(BRANCHES)
        ? HOLDS_LAYERS
        : taken
            ? "overlay2 cannot be used: " + obstacle.orElseThrow()
            : "this kernel mounts aufs, but overlay2 comes first";
  }

  private static String reasonForCopies(List<String> used, Optional<String> obstacle) {
    return used.contains(COPIES)
        ? HOLDS_LAYERS
        : "it needs nothing of kernel and file system; overlay2 cannot be used: "
            + obstacle.orElseThrow();
  }

  /** What is in its directory is a driver's own; an empty one may be left from anything. */
  private boolean isUsed(String driver) throws ErrnoException {
    OsPath directory = root.resolve(driver);
    try {
      return files.lstat(directory).isPresent() && !isEmpty(directory);
    } catch (ErrnoException e) {
      if (e.is(Errno.EACCES)) {
        return false; // not even the root can be looked into: what it holds stays unknown
      }
      throw e;
    }
  }

  private boolean isEmpty(OsPath directory) throws ErrnoException {
    try {
      return files.list(directory).isEmpty();
    } catch (ErrnoException e) {
      if (e.is(Errno.EACCES)) {
        return false; // shut to others, as drivers leave theirs
      }
      throw e;
    }
  }

  /** Why overlay2 cannot be used here; empty when nothing is known to be in its way. */
  private static Optional<String> obstacle(List<Feature> features) {
    if (result("overlay.mount", features) instanceof ProbeResult.No no) {
      return Optional.of("this kernel does not mount overlays: " + no.detail());
    }
    if (result("root.upper", features) instanceof ProbeResult.No no) {
      return Optional.of("the root's file system cannot hold an upper: " + no.detail());
    }
    return Optional.empty();
  }

  private static String reason(List<String> used, List<Feature> features) {
    String reason =
        used.contains(OVERLAYS)
            ? HOLDS_LAYERS
            : "the first in the order of priority that kernel and root can carry";
    boolean tried =
        result("overlay.mount", features).isYes() && result("root.upper", features).isYes();
    return tried ? reason : reason + "; not tried: " + untried(features);
  }

  private static String untried(List<Feature> features) {
    ProbeResult overlay = result("overlay.mount", features);
    return overlay.isYes() ? result("root.upper", features).detail() : overlay.detail();
  }

  private static ProbeResult result(String key, List<Feature> features) {
    return features.stream()
        .filter(feature -> feature.key().equals(key))
        .map(Feature::result)
        .findFirst()
        .orElseThrow();
  }

  private static String strangers(List<String> used) {
    List<String> others = used.stream().filter(driver -> !BUILT.contains(driver)).toList();
    return others.isEmpty()
        ? ""
        : "; this root also holds layers of "
            + String.join(", ", others)
            + ", which this version does not read";
  }
}
