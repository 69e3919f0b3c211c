package dev.ovl.testkit;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipFile;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs the tests that judge a kernel, without Maven: in a machine that has nothing but a Java
 * runtime and the jars. Standard output tells of each class when it is done, and of each failure.
 *
 * <p>{@code KernelSuite REPORT TAGS [CLASS…]} runs the tests with {@code TAGS}, an expression of
 * JUnit's such as {@code kernel & !slow}; only those of classes whose names end with a {@code
 * CLASS}, if there are any. {@code REPORT} gets a line a class: its name, how many tests passed,
 * failed and were skipped, and milliseconds, separated by tabs. The exit status is 0 when all is
 * well, 1 when a test failed, and 2 when there was none.
 */
public final class KernelSuite {
  private static final String PACKAGE = "dev.ovl";
  private static final int FRAMES = 15;

  /** Not even loaded: they need libraries that do not come along. */
  private static final Set<String> ELSEWHERE =
      Set.of("dev.ovl.engine.ArchitectureTest", "dev.ovl.engine.archive.TarFuzzTest");

  private KernelSuite() {}

  /** See above. */
  public static void main(String[] arguments) throws IOException {
    List<String> words = List.of(arguments);
    List<String> endings = words.subList(2, words.size());
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(
                testClasses(System.getProperty("java.class.path")).stream()
                    .filter(name -> endings.isEmpty() || endings.stream().anyMatch(name::endsWith))
                    .map(DiscoverySelectors::selectClass)
                    .toList())
            .filters(TagFilter.includeTags(words.get(1)))
            .build();
    Collection<Tally> tallies = run(request, System.out);
    Files.write(
        Path.of(words.get(0)), tallies.stream().map(Tally::line).toList(), StandardCharsets.UTF_8);
    int status =
        tallies.isEmpty() ? 2 : tallies.stream().anyMatch(tally -> tally.failed > 0) ? 1 : 0;
    System.out.flush();
    // not by itself: a test may have left a thread, which must not keep the machine
    Runtime.getRuntime().exit(status);
  }

  /** By the names of files in the jars: JUnit's own search wants a file system of zips. */
  private static List<String> testClasses(String classPath) throws IOException {
    List<String> names = new ArrayList<>();
    for (String jar : classPath.split(":")) {
      try (ZipFile zip = new ZipFile(jar)) {
        zip.stream()
            .map(entry -> entry.getName().replace('/', '.'))
            .filter(name -> name.startsWith(PACKAGE + ".") && name.endsWith("Test.class"))
            .map(name -> name.substring(0, name.length() - ".class".length()))
            .filter(name -> !ELSEWHERE.contains(name))
            .forEach(names::add);
      }
    }
    return names;
  }

  static Collection<Tally> run(LauncherDiscoveryRequest request, PrintStream out) {
    Count count = new Count(out);
    LauncherFactory.create().execute(request, count);
    return count.tallies.values();
  }

  /** What became of the tests of a class. */
  static final class Tally {
    private final String name;
    private final long began = System.nanoTime();
    private long nanos;
    private int passed;
    private int failed;
    private int skipped;

    private Tally(String name) {
      this.name = name;
    }

    private String line() {
      return String.join(
          "\t",
          name,
          String.valueOf(passed),
          String.valueOf(failed),
          String.valueOf(skipped),
          String.valueOf(TimeUnit.NANOSECONDS.toMillis(nanos)));
    }
  }

  private static final class Count implements TestExecutionListener {
    private final Map<String, Tally> tallies = new LinkedHashMap<>();
    private final PrintStream out;
    private Optional<TestPlan> plan = Optional.empty();

    Count(PrintStream out) {
      this.out = out;
    }

    @Override
    public void testPlanExecutionStarted(TestPlan testPlan) {
      plan = Optional.of(testPlan);
    }

    @Override
    public void executionStarted(TestIdentifier identifier) {
      if (identifier.getSource().orElse(null) instanceof ClassSource source) {
        tallies.computeIfAbsent(source.getClassName(), Tally::new);
      }
    }

    @Override
    public void executionSkipped(TestIdentifier identifier, String reason) {
      skipped(identifier, reason);
    }

    @Override
    public void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
      switch (result.getStatus()) {
        case SUCCESSFUL -> {
          if (identifier.isTest()) {
            tally(identifier).passed++;
          }
        }
        case ABORTED ->
            skipped(identifier, result.getThrowable().map(Throwable::getMessage).orElse(""));
        case FAILED -> {
          tally(identifier).failed++;
          out.println("FAILED " + name(identifier));
          result.getThrowable().ifPresent(this::print);
        }
      }
      if (identifier.getSource().orElse(null) instanceof ClassSource source) {
        finished(tallies.get(source.getClassName()));
      }
    }

    private void skipped(TestIdentifier identifier, String reason) {
      long tests =
          plan.orElseThrow().getDescendants(identifier).stream()
              .filter(TestIdentifier::isTest)
              .count();
      tally(identifier).skipped += (int) Math.max(1, tests);
      out.println("skipped " + name(identifier) + ": " + reason.lines().findFirst().orElse(""));
    }

    private void finished(Tally tally) {
      tally.nanos = System.nanoTime() - tally.began;
      out.printf(
          "%-60s %4d passed %3d failed %3d skipped %6d s%n",
          tally.name,
          tally.passed,
          tally.failed,
          tally.skipped,
          TimeUnit.NANOSECONDS.toSeconds(tally.nanos));
    }

    private void print(Throwable thrown) {
      out.println("  " + thrown);
      Arrays.stream(thrown.getStackTrace())
          .filter(frame -> frame.getClassName().startsWith(PACKAGE))
          .limit(FRAMES)
          .forEach(frame -> out.println("    at " + frame));
      if (thrown.getCause() != null) {
        out.print("  caused by");
        print(thrown.getCause());
      }
    }

    private Tally tally(TestIdentifier identifier) {
      return tallies.computeIfAbsent(className(identifier), Tally::new);
    }

    private String name(TestIdentifier identifier) {
      return className(identifier) + " " + identifier.getLegacyReportingName();
    }

    private String className(TestIdentifier identifier) {
      TestSource source = identifier.getSource().orElse(null);
      if (source instanceof ClassSource ofClass) {
        return ofClass.getClassName();
      }
      if (source instanceof MethodSource ofMethod) {
        return ofMethod.getClassName();
      }
      return plan.orElseThrow()
          .getParent(identifier)
          .map(this::className)
          .orElse(identifier.getDisplayName());
    }
  }
}
