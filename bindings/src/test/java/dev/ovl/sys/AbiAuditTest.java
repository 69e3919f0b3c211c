package dev.ovl.sys;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.ovl.sys.gen.LibC;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compares what Java believes about the ABI with what the C compiler says: every structure,
 * constant, errno and prototype.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AbiAuditTest {
  private static final Path JEXTRACT =
      Path.of(System.getProperty("basedir", ""), "src/main/jextract").toAbsolutePath();

  /** One line a fact: its name, a tab, its value. */
  private final Map<String, String> facts = new HashMap<>();

  private final List<String> included = new ArrayList<>();
  private Path work;

  @BeforeAll
  void askTheCompiler(@TempDir Path temporary) throws Exception {
    work = temporary;
    for (String line : Files.readAllLines(JEXTRACT.resolve("includes.txt"))) {
      if (line.startsWith("--")) {
        included.add(line.substring("--include-".length()));
      }
    }
    StringBuilder c = new StringBuilder("#include \"ovl.h\"\n");
    c.append("#include <errno.h>\n#include <stddef.h>\n#include <string.h>\nint main(void) {\n");
    constants().keySet().forEach(name -> printNumber(c, name, name));
    for (Errno errno : Errno.values()) {
      if (errno != Errno.UNKNOWN) {
        printNumber(c, errno.name(), errno.name());
        c.append("printf(\"message %s\\t%s\\n\", \"").append(errno.name()).append("\", strerror(");
        c.append(errno.name()).append("));\n");
      }
    }
    structures().forEach((type, layout) -> printStructure(c, type, layout));
    for (String type : List.of("int", "long int", "char *")) {
      printNumber(c, "sizeof " + type, "sizeof(" + type + ")");
    }
    c.append("return 0; }\n");
    Path source = Files.writeString(work.resolve("audit.c"), c);
    Path program = work.resolve("audit");
    gcc("-o", program.toString(), source.toString());
    for (String line : run(program.toString()).lines().toList()) {
      int tab = line.indexOf('\t');
      facts.put(line.substring(0, tab), line.substring(tab + 1));
    }
  }

  private static void printNumber(StringBuilder c, String name, String expression) {
    c.append("printf(\"%s\\t%lld\\n\", \"").append(name).append("\", (long long)(");
    c.append(expression).append("));\n");
  }

  private static void printStructure(StringBuilder c, String type, GroupLayout layout) {
    printNumber(c, "sizeof " + type, "sizeof(" + type + ")");
    for (MemoryLayout member : members(layout)) {
      String field = member.name().orElseThrow();
      printNumber(c, "offsetof " + type + " " + field, "offsetof(" + type + ", " + field + ")");
      if (member.byteSize() > 0) { // a flexible array has no size in C
        String expression = "sizeof(((" + type + " *)0)->" + field + ")";
        printNumber(c, "sizeof " + type + " " + field, expression);
      }
    }
  }

  private String gcc(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("gcc", "-std=gnu11", "-Wall", "-Werror"));
    command.add("-I" + JEXTRACT);
    command.addAll(List.of(arguments));
    return run(command.toArray(String[]::new));
  }

  private String run(String... command) throws Exception {
    Process process;
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().put("LC_ALL", "C");
      process = builder.directory(work.toFile()).start();
    } catch (IOException e) {
      return fail("the ABI audit needs gcc and the C headers (apt install gcc libc6-dev)", e);
    }
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), () -> String.join(" ", command) + ":\n" + output);
    return output;
  }

  /** Every constant of the generated class. */
  private static Map<String, Number> constants() throws ReflectiveOperationException {
    Map<String, Number> result = new TreeMap<>();
    for (Method method : LibC.class.getDeclaredMethods()) {
      boolean number = method.getReturnType() == int.class || method.getReturnType() == long.class;
      if (Modifier.isPublic(method.getModifiers()) && method.getParameterCount() == 0 && number) {
        result.put(method.getName(), (Number) method.invoke(null));
      }
    }
    return result;
  }

  /** Every generated structure, under its name in C. */
  private Map<String, GroupLayout> structures() throws ReflectiveOperationException {
    Map<String, GroupLayout> result = new TreeMap<>();
    for (String name : names("struct")) {
      Class<?> type = Class.forName("dev.ovl.sys.gen." + name);
      String inC = included.contains("typedef " + name) ? name : "struct " + name;
      result.put(inC, (GroupLayout) type.getMethod("layout").invoke(null));
    }
    return result;
  }

  private List<String> names(String kind) {
    return included.stream()
        .filter(line -> line.startsWith(kind + " "))
        .map(line -> line.substring(kind.length() + 1))
        .toList();
  }

  /** The members that are not padding. */
  private static List<MemoryLayout> members(GroupLayout layout) {
    return layout.memberLayouts().stream().filter(member -> member.name().isPresent()).toList();
  }

  private long fact(String name) {
    String value = facts.get(name);
    assertTrue(value != null, () -> "the C program does not print " + name);
    return Long.parseLong(value);
  }

  @Test
  void everyIncludedConstantIsGeneratedAndRight() throws ReflectiveOperationException {
    Map<String, Number> constants = constants();
    assertEquals(
        names("constant").stream().sorted().toList(), constants.keySet().stream().toList());
    constants.forEach(
        (name, value) -> {
          long inC = fact(name);
          // An unsigned int of C arrives as an int.
          assertEquals(value instanceof Integer ? (int) inC : inC, value.longValue(), name);
        });
  }

  @Test
  void everyConstantOfLinuxIsTheCompilersEvenWithItsSign() throws ReflectiveOperationException {
    int count = 0;
    for (Field field : Linux.class.getFields()) {
      assertTrue(Modifier.isFinal(field.getModifiers()), field.getName());
      assertEquals(fact(field.getName()), ((Number) field.get(null)).longValue(), field.getName());
      count++;
    }
    assertTrue(count > 200, "only " + count + " constants");
  }

  @Test
  void everyCallHasTheNumberOfItsName() {
    for (Call call : Call.values()) {
      assertEquals(fact("SYS_" + call.symbol()), call.number(), call.symbol());
    }
  }

  @Test
  void everyErrnoHasItsNumberAndMessage() {
    for (Errno errno : Errno.values()) {
      if (errno != Errno.UNKNOWN) {
        assertEquals(fact(errno.name()), errno.number());
        assertEquals(facts.get("message " + errno.name()), errno.message());
        assertEquals(errno, Errno.of(errno.number()));
      }
    }
    for (int number : new int[] {-1, 0, 41, 58, 134, 524, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      assertEquals(Errno.UNKNOWN, Errno.of(number));
    }
  }

  @Test
  void everyStructureHasItsSizeAndMembers() throws ReflectiveOperationException {
    Map<String, GroupLayout> structures = structures();
    assertFalse(structures.isEmpty());
    structures.forEach(
        (type, layout) -> {
          assertEquals(fact("sizeof " + type), layout.byteSize(), type);
          for (MemoryLayout member : members(layout)) {
            String name = member.name().orElseThrow();
            long offset = layout.byteOffset(MemoryLayout.PathElement.groupElement(name));
            assertEquals(fact("offsetof " + type + " " + name), offset, type + "." + name);
            if (member.byteSize() > 0) {
              assertEquals(fact("sizeof " + type + " " + name), member.byteSize(), name);
            }
          }
        });
  }

  @Test
  void everyFunctionHasItsPrototype() throws Exception {
    Path source = Files.writeString(work.resolve("prototypes.c"), "#include \"ovl.h\"\n");
    Path prototypes = work.resolve("prototypes");
    gcc("-fsyntax-only", "-aux-info", prototypes.toString(), source.toString());
    String text = Files.readString(prototypes);
    List<String> functions = names("function");
    assertEquals(List.of("syscall"), functions, "compare the descriptor of the new function, too");
    for (String function : functions) {
      Matcher matcher =
          Pattern.compile(
                  "extern ([^;()]+?) ?\\b" + function + " \\(([^;]*)\\);", Pattern.MULTILINE)
              .matcher(text);
      assertTrue(matcher.find(), () -> "no prototype of " + function);
      List<String> parameters = new ArrayList<>(Arrays.asList(matcher.group(2).split(", ")));
      boolean variadic = parameters.remove("...");
      assertTrue(variadic, "linked as a variadic function");
      // Without arguments of its own the invoker shows what is fixed.
      FunctionDescriptor descriptor = LibC.syscall.makeInvoker().descriptor();
      assertEquals(
          parameters.stream().map(type -> fact("sizeof " + type)).toList(),
          descriptor.argumentLayouts().stream().map(MemoryLayout::byteSize).toList());
      assertEquals(
          fact("sizeof " + matcher.group(1)), descriptor.returnLayout().orElseThrow().byteSize());
    }
  }
}
