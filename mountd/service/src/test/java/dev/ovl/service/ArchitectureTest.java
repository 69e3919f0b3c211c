package dev.ovl.service;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The engine behind the API: it knows no socket and no command line. */
@AnalyzeClasses(packages = "dev.ovl.service", importOptions = ArchitectureTest.MainClasses.class)
class ArchitectureTest {
  /** ArchUnit's own choice knows target/test-classes alone, and a quick build is elsewhere. */
  static final class MainClasses implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("/test-classes/");
    }
  }

  @ArchTest
  static final ArchRule KNOWS_ENGINE_AND_API =
      classes()
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(
                  "dev.ovl.service",
                  "dev.ovl.api",
                  "dev.ovl.engine..",
                  "dev.ovl.jni",
                  "dev.ovl.sys",
                  "java.lang..",
                  "java.time",
                  "java.util..",
                  "java.io",
                  "java.nio.."));

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
}
