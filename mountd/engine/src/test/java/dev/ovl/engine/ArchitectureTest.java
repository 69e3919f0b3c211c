package dev.ovl.engine;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.equivalentTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Who may know whom in the engine. */
@AnalyzeClasses(packages = "dev.ovl.engine", importOptions = ArchitectureTest.MainClasses.class)
class ArchitectureTest {
  /** ArchUnit's own choice knows target/test-classes alone, and a quick build is elsewhere. */
  static final class MainClasses implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("/test-classes/");
    }
  }

  @ArchTest static final ArchRule FILE = only("file");
  @ArchTest static final ArchRule MOUNT = only("mount", "dev.ovl.engine.file", "dev.ovl.jni");

  @ArchTest
  static final ArchRule AUFS = only("aufs", "dev.ovl.engine.file", "dev.ovl.engine.mount");

  @ArchTest
  static final ArchRule RUN =
      only("run", "dev.ovl.engine.file", "dev.ovl.engine.mount", "dev.ovl.jni");

  @ArchTest static final ArchRule ROOT = only("root", "dev.ovl.engine.file", "dev.ovl.json");
  @ArchTest static final ArchRule TREE = only("tree", "dev.ovl.engine.file");
  @ArchTest static final ArchRule DIFF = only("diff", "dev.ovl.engine.file", "dev.ovl.engine.tree");

  @ArchTest
  static final ArchRule ARCHIVE = only("archive", "dev.ovl.engine.tree", "com.github.luben.zstd");

  @ArchTest
  static final ArchRule DRIVER =
      only(
          "driver",
          "dev.ovl.engine.aufs",
          "dev.ovl.engine.file",
          "dev.ovl.engine.root",
          "dev.ovl.engine.mount",
          "dev.ovl.engine.tree",
          "dev.ovl.engine.diff");

  @ArchTest
  static final ArchRule MOVE =
      only("move", "dev.ovl.engine.file", "dev.ovl.engine.tree", "dev.ovl.json");

  @ArchTest
  static final ArchRule MERGE =
      only(
          "merge",
          "dev.ovl.engine.file",
          "dev.ovl.engine.tree",
          "dev.ovl.engine.diff",
          "dev.ovl.json");

  @ArchTest
  static final ArchRule USAGE = only("usage", "dev.ovl.engine.file", "dev.ovl.engine.tree");

  @ArchTest
  static final ArchRule PROBE =
      only(
          "probe",
          "dev.ovl.engine.aufs",
          "dev.ovl.engine.mount",
          "dev.ovl.engine.file",
          "dev.ovl.engine.usage");

  @ArchTest
  static final ArchRule STACK =
      only(
          "stack",
          "dev.ovl.engine.file",
          "dev.ovl.json",
          "dev.ovl.engine.aufs",
          "dev.ovl.engine.mount",
          "dev.ovl.engine.driver..",
          "dev.ovl.engine.probe",
          "dev.ovl.engine.layer",
          "dev.ovl.engine.root",
          "dev.ovl.engine.run",
          "dev.ovl.jni",
          "dev.ovl.engine.tree",
          "dev.ovl.engine.diff",
          "dev.ovl.engine.fsck",
          "dev.ovl.engine.merge",
          "dev.ovl.engine.usage");

  @ArchTest
  static final ArchRule LAYER =
      only(
          "layer",
          "dev.ovl.engine.file",
          "dev.ovl.engine.root",
          "dev.ovl.engine.mount",
          "dev.ovl.engine.tree",
          "dev.ovl.engine.diff",
          "dev.ovl.engine.driver..",
          "dev.ovl.engine.probe");

  /** A package of the engine knows itself, these, the bindings' calls, and the JDK. */
  private static ArchRule only(String name, String... others) {
    return classes()
        .that()
        .resideInAPackage("dev.ovl.engine." + name + "..")
        .should()
        .onlyDependOnClassesThat(
            resideInAnyPackage(others)
                .or(resideInAnyPackage("java..", "dev.ovl.engine." + name + ".."))
                .or(resideInAPackage("dev.ovl.sys"))
                .or(equivalentTo(EngineException.class)));
  }

  @ArchTest
  static final ArchRule EVERY_PACKAGE_HAS_A_RULE =
      classes()
          .should()
          .resideInAnyPackage(
              "dev.ovl.engine",
              "dev.ovl.engine.archive",
              "dev.ovl.engine.aufs",
              "dev.ovl.engine.diff",
              "dev.ovl.engine.file",
              "dev.ovl.engine.fsck",
              "dev.ovl.engine.merge",
              "dev.ovl.engine.mount",
              "dev.ovl.engine.move",
              "dev.ovl.engine.driver..",
              "dev.ovl.engine.probe",
              "dev.ovl.engine.layer",
              "dev.ovl.engine.root",
              "dev.ovl.engine.run",
              "dev.ovl.engine.stack",
              "dev.ovl.engine.tree",
              "dev.ovl.engine.usage");

  @ArchTest
  static final ArchRule NO_CYCLES =
      slices().matching("dev.ovl.engine.(**)").should().beFreeOfCycles();

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
          .callMethod(Runtime.class, "exec", String.class)
          .orShould()
          .callMethod(Runtime.class, "exec", String[].class);

  @ArchTest
  static final ArchRule THE_JVM_IS_NOT_ITS_OWN =
      noClasses()
          .should()
          .accessField(System.class, "in")
          .orShould()
          .accessField(System.class, "out")
          .orShould()
          .accessField(System.class, "err")
          .orShould()
          .callMethod(System.class, "exit", int.class)
          .orShould()
          .callMethod(Runtime.class, "exit", int.class)
          .orShould()
          .callMethod(Runtime.class, "halt", int.class)
          .orShould()
          .callMethod(System.class, "getenv", String.class);
}
