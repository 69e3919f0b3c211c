package dev.ovl.config;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The settings know two libraries and nothing of ovl, and load one of those only when needed. */
@AnalyzeClasses(packages = "dev.ovl.config", importOptions = ArchitectureTest.MainClasses.class)
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
                  "java..", "picocli..", "org.tomlj..", "dev.ovl.config"));

  @ArchTest
  static final ArchRule ONE_CLASS_KNOWS_TOML =
      noClasses()
          .that()
          .doNotHaveSimpleName("TomlText")
          .should()
          .dependOnClassesThat(resideInAPackage("org.tomlj.."));

  @ArchTest
  static final ArchRule THE_PROCESS_IS_THE_CALLERS =
      noClasses().should().dependOnClassesThat().belongToAnyOf(System.class, ProcessBuilder.class);
}
