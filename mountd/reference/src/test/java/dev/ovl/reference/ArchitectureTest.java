package dev.ovl.reference;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What documents the programs knows their models and settings, and no program. */
@AnalyzeClasses(packages = "dev.ovl.reference", importOptions = ArchitectureTest.MainClasses.class)
class ArchitectureTest {
  /** ArchUnit's own choice knows target/test-classes alone, and a quick build is elsewhere. */
  static final class MainClasses implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("/test-classes/");
    }
  }

  @ArchTest
  static final ArchRule KNOWN_LIBRARIES =
      classes()
          .should()
          .onlyDependOnClassesThat(
              JavaClass.Predicates.resideInAnyPackage(
                  "java..", "picocli..", "dev.ovl.config", "dev.ovl.reference"));

  @ArchTest
  static final ArchRule NOTHING_IS_RUN =
      noClasses().should().dependOnClassesThat().belongToAnyOf(ProcessBuilder.class);
}
