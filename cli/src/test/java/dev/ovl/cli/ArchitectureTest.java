package dev.ovl.cli;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.File;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Locale;

/** Who may know whom in the CLI, and that commands touch nothing of the process they run in. */
@AnalyzeClasses(packages = "dev.ovl.cli", importOptions = ArchitectureTest.MainClasses.class)
class ArchitectureTest {
  /** ArchUnit's own choice knows target/test-classes alone, and a quick build is elsewhere. */
  static final class MainClasses implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("/test-classes/");
    }
  }

  /** They make a session of the process; nothing else knows that there is one. */
  private static final DescribedPredicate<JavaClass> COMMANDS =
      new DescribedPredicate<>("commands and what they use") {
        @Override
        public boolean test(JavaClass type) {
          return !type.getSimpleName().equals("Main")
              && !type.getSimpleName().equals("ProcessPlace");
        }
      };

  @ArchTest
  static final ArchRule STREAMS_COME_WITH_THE_SESSION =
      noClasses()
          .that(COMMANDS)
          .should()
          .accessField(System.class, "in")
          .orShould()
          .accessField(System.class, "out")
          .orShould()
          .accessField(System.class, "err")
          .orShould()
          .callMethod(System.class, "console");

  @ArchTest
  static final ArchRule ENVIRONMENT_COMES_WITH_THE_SESSION =
      noClasses()
          .that(COMMANDS)
          .should()
          .callMethod(System.class, "getenv")
          .orShould()
          .callMethod(System.class, "getenv", String.class)
          .orShould()
          .callMethod(System.class, "getProperty", String.class)
          .orShould()
          .callMethod(System.class, "getProperty", String.class, String.class)
          .orShould()
          .callMethod(System.class, "getProperties")
          .orShould()
          .callMethod(System.class, "setProperty", String.class, String.class)
          .orShould()
          .callMethod(Locale.class, "getDefault")
          .orShould()
          .callMethod(Locale.class, "getDefault", Locale.Category.class);

  @ArchTest
  static final ArchRule A_COMMAND_ENDS_NO_JVM =
      noClasses()
          .that(COMMANDS)
          .should()
          .callMethod(System.class, "exit", int.class)
          .orShould()
          .callMethod(Runtime.class, "exit", int.class)
          .orShould()
          .callMethod(Runtime.class, "halt", int.class)
          .orShould()
          .callMethod(Runtime.class, "addShutdownHook", Thread.class);

  /** Paths of java.io and java.nio are relative to the process's directory and lose bytes. */
  @ArchTest
  static final ArchRule PATHS_ARE_BYTES_RELATIVE_TO_THE_SESSION =
      noClasses()
          .that(COMMANDS)
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(File.class, Path.class, Paths.class, FileSystem.class, FileSystems.class);

  @ArchTest
  static final ArchRule NOTHING_IS_RUN =
      noClasses()
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(ProcessBuilder.class, Process.class)
          .orShould()
          .callMethod(Runtime.class, "exec", String[].class);

  @ArchTest
  static final ArchRule ONE_WAY =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("main")
          .definedBy("dev.ovl.cli")
          .layer("command")
          .definedBy("dev.ovl.cli.command..")
          .layer("archive")
          .definedBy("dev.ovl.cli.archive..")
          .layer("demo")
          .definedBy("dev.ovl.cli.demo..")
          .layer("doctor")
          .definedBy("dev.ovl.cli.doctor..")
          .layer("host")
          .definedBy("dev.ovl.cli.host..")
          .layer("output")
          .definedBy("dev.ovl.cli.output..")
          .layer("session")
          .definedBy("dev.ovl.cli.session..")
          .ensureAllClassesAreContainedInArchitectureIgnoring(
              resideOutsideOfPackages("dev.ovl.cli.."))
          .whereLayer("main")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("command")
          .mayOnlyBeAccessedByLayers("main")
          .whereLayer("archive")
          .mayOnlyBeAccessedByLayers("command")
          .whereLayer("demo")
          .mayOnlyBeAccessedByLayers("command")
          .whereLayer("doctor")
          .mayOnlyBeAccessedByLayers("command")
          .whereLayer("host")
          .mayOnlyBeAccessedByLayers("command", "doctor")
          .whereLayer("output")
          .mayOnlyBeAccessedByLayers("command", "demo")
          .whereLayer("session")
          .mayOnlyBeAccessedByLayers(
              "main", "command", "archive", "demo", "doctor", "host", "output");

  @ArchTest
  static final ArchRule KNOWN_LIBRARIES =
      classes()
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(
                      "java..",
                      "picocli..",
                      "dev.ovl.cli..",
                      "dev.ovl.api",
                      "dev.ovl.config",
                      "dev.ovl.reference",
                      "dev.ovl.service",
                      "dev.ovl.engine..",
                      "dev.ovl.jni",
                      "dev.ovl.json")
                  .or(JavaClass.Predicates.resideInAPackage("dev.ovl.sys")));

  /** What a command needs of stacks it asks its host, so that it works the same by a daemon. */
  @ArchTest
  static final ArchRule STACKS_ARE_THE_HOSTS =
      noClasses()
          .that()
          .resideInAPackage("dev.ovl.cli.command..")
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("dev.ovl.engine.stack.Stacks");

  @ArchTest
  static final ArchRule FOREIGN_CALLS_ARE_THE_BINDINGS =
      noClasses().should().dependOnClassesThat().resideInAPackage("java.lang.foreign..");

  @ArchTest
  static final ArchRule THE_SESSION_KNOWS_NO_ENGINE =
      noClasses()
          .that()
          .resideInAPackage("dev.ovl.cli.session")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.ovl.engine..", "picocli..");
}
