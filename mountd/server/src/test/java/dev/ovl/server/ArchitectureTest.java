package dev.ovl.server;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Who may know whom in the daemon, as the packages' own documentation says. */
@AnalyzeClasses(packages = "dev.ovl.server", importOptions = ArchitectureTest.MainClasses.class)
class ArchitectureTest {
  /** ArchUnit's own choice knows target/test-classes alone, and a quick build is elsewhere. */
  static final class MainClasses implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("/test-classes/");
    }
  }

  private static ArchRule only(String name, String... others) {
    String itself = name.isEmpty() ? "dev.ovl.server" : "dev.ovl.server." + name;
    return classes()
        .that()
        .resideInAPackage(itself)
        .should()
        .onlyDependOnClassesThat(
            resideInAnyPackage(others)
                .or(resideInAPackage(itself))
                .or(
                    resideInAnyPackage(
                        "java.lang..",
                        "java.util..",
                        "java.io",
                        "java.time..",
                        "java.net",
                        "java.nio..")));
  }

  @ArchTest
  static final ArchRule OVLCTL_IS_KNOWN_THERE_ALONE =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.ovl.server.commandline")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.ovl.cli..", "dev.ovl.jni");

  @ArchTest
  static final ArchRule FOREIGN_CALLS_ARE_THE_BINDINGS =
      noClasses().should().dependOnClassesThat().resideInAPackage("java.lang.foreign..");

  @ArchTest
  static final ArchRule NOTHING_IS_RUN =
      noClasses()
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(ProcessBuilder.class, Process.class)
          .orShould()
          .callMethod(Runtime.class, "exec", String[].class);

  @ArchTest
  static final ArchRule THE_DAEMON =
      only(
          "",
          "dev.ovl.server..",
          "dev.ovl.service",
          "dev.ovl.api",
          "dev.ovl.json",
          "dev.ovl.config",
          "dev.ovl.reference",
          "dev.ovl.engine",
          "dev.ovl.engine.file",
          "dev.ovl.sys",
          "org.slf4j",
          "picocli..");

  @ArchTest
  static final ArchRule SOCKET = only("socket", "dev.ovl.engine.file", "dev.ovl.sys", "org.slf4j");

  @ArchTest
  static final ArchRule HTTP =
      only("http", "dev.ovl.server.socket", "dev.ovl.sys", "org.apache.hc.core5..", "org.slf4j");

  @ArchTest
  static final ArchRule HTTP_CORE_IS_KNOWN_THERE_ALONE =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.ovl.server.http")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.hc..");

  @ArchTest
  static final ArchRule API =
      only(
          "api",
          "dev.ovl.api",
          "dev.ovl.json",
          "dev.ovl.sys",
          "dev.ovl.server.http",
          "dev.ovl.server.work",
          "dev.ovl.server.event",
          "dev.ovl.server.metric",
          "org.slf4j");

  @ArchTest
  static final ArchRule COMMAND_LINE =
      only(
          "commandline",
          "dev.ovl.cli",
          "dev.ovl.cli.command",
          "dev.ovl.cli.session",
          "dev.ovl.jni",
          "dev.ovl.server.socket",
          "dev.ovl.engine.file",
          "dev.ovl.sys",
          "org.slf4j");

  @ArchTest static final ArchRule WORK = only("work");

  @ArchTest static final ArchRule EVENT = only("event", "dev.ovl.api", "dev.ovl.sys");

  @ArchTest static final ArchRule METRIC = only("metric", "dev.ovl.api", "dev.ovl.server.event");

  @ArchTest static final ArchRule SYSTEMD = only("systemd", "dev.ovl.sys");

  @ArchTest static final ArchRule LOG = only("log");
}
