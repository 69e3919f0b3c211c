package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.LowerUsage;
import dev.ovl.api.StackEntry;
import dev.ovl.api.StackUsage;
import dev.ovl.cli.output.ByteSize;
import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl stats}. */
@Command(
    name = "stats",
    sortOptions = false,
    description = {
      "Tells what the uppers of stacks take and what is left on their file systems, found by walking",
      "them now."
    })
final class StatsCommand extends HostCommand {
  private static final String NOTHING = "-";

  @Parameters(
      paramLabel = "NAME",
      arity = "0..*",
      description = "The stacks (default: all that are up).")
  private List<String> names = new ArrayList<>();

  @Option(
      names = "--cache",
      description =
          "Tell also what of the lowers that mounted stacks share is in the page cache, once for all.")
  private boolean cache;

  @Option(
      names = "--watch",
      arity = "0..1",
      fallbackValue = "2",
      paramLabel = "SECONDS",
      description =
          "Again and again, until interrupted (default: every ${FALLBACK-VALUE} seconds).")
  private Integer seconds;

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    if (seconds != null && seconds < 1) {
      throw EngineException.usage("--watch needs at least one second: " + seconds);
    }
    int status = show(host);
    while (seconds != null && pause()) {
      if (!ovlctl().json()) {
        output().line("");
      }
      status = show(host);
    }
    return status;
  }

  /** False when the user wants to stop. */
  private boolean pause() {
    CountDownLatch stop = new CountDownLatch(1);
    ovlctl().session().cancellation().onRequest(stop::countDown);
    try {
      return !stop.await(Duration.ofSeconds(seconds).toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private int show(CommandHost host) throws HostException {
    List<StackUsage> usages = new ArrayList<>();
    int status = each("stats", wanted(host), name -> usages.add(host.usage(name)));
    List<LowerUsage> lowers = cache ? host.sharedLowers() : List.of();
    if (ovlctl().json()) {
      print(json(usages, lowers));
    } else {
      output().table(HEADLINE, usages.stream().map(StatsCommand::row).toList());
      if (cache) {
        output().line("");
        output().table(LOWER_HEADLINE, lowers.stream().map(StatsCommand::row).toList());
      }
    }
    return status;
  }

  private List<String> wanted(CommandHost host) throws HostException {
    if (!names.isEmpty()) {
      return names;
    }
    return host.list().stream()
        .filter(entry -> entry instanceof StackEntry.Known known && known.summary().up())
        .map(StackEntry::name)
        .toList();
  }

  private void print(Map<String, Object> all) {
    if (seconds == null) {
      output().json(all);
    } else {
      output().jsonLine(all);
    }
  }

  private Map<String, Object> json(List<StackUsage> usages, List<LowerUsage> lowers) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("stacks", usages.stream().map(StackUsage::json).toList());
    if (cache) {
      json.put("lowers", lowers.stream().map(LowerUsage::json).toList());
    }
    return json;
  }

  private static final List<String> HEADLINE =
      List.of("NAME", "UPPER", "INODES", "WHITEOUTS", "WORK", "AVAILABLE", "INODES FREE");

  private static List<String> row(StackUsage usage) {
    return List.of(
        usage.name(),
        bytes(usage.upper().map(StackUsage.Tree::bytes)),
        number(usage.upper().map(StackUsage.Tree::inodes)),
        String.valueOf(usage.whiteouts()),
        bytes(usage.work().map(StackUsage.Tree::bytes)),
        bytes(usage.room().map(StackUsage.Room::bytesAvailable)),
        number(usage.room().flatMap(StackUsage.Room::inodesFree)));
  }

  private static final List<String> LOWER_HEADLINE =
      List.of("SHARED LOWER", "STACKS", "CACHED", "FILES");

  private static List<String> row(LowerUsage lower) {
    return List.of(
        OsPath.quoted(lower.path()),
        String.valueOf(lower.stacks().size()),
        lower.reason().map(why -> "not told: " + why).orElse(bytes(lower.cachedBytes()))
            + (lower.whole() || lower.reason().isPresent() ? "" : " or more"),
        number(lower.files()));
  }

  private static String bytes(Optional<Long> bytes) {
    return bytes.map(ByteSize::text).orElse(NOTHING);
  }

  private static String number(Optional<Long> number) {
    return number.map(String::valueOf).orElse(NOTHING);
  }
}
