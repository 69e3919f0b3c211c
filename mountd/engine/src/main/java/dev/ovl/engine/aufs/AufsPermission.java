package dev.ovl.engine.aufs;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What aufs may do with a branch, {@code ro+wh}. Immutable.
 *
 * @param access whether it writes there
 * @param attributes what else holds
 */
public record AufsPermission(Access access, Set<Attribute> attributes) {
  /** What {@link Attribute#ICEX} stands for, and the kernel shows as that. */
  private static final Set<Attribute> ATTRIBUTES_OF_ICEX =
      EnumSet.of(
          Attribute.ICEXSEC,
          Attribute.ICEXSYS,
          Attribute.ICEXTR,
          Attribute.ICEXUSR,
          Attribute.ICEXOTH);

  private static final Set<Attribute> ON_OPEN =
      EnumSet.of(Attribute.COO_REG, Attribute.COO_ALL, Attribute.MOO);

  /** Read and written. */
  public static final AufsPermission RW = new AufsPermission(Access.RW, Set.of());

  /** Only read; its whiteouts are names like any others. */
  public static final AufsPermission RO = new AufsPermission(Access.RO, Set.of());

  /** Only read, and its whiteouts hide what lies below: a layer. */
  public static final AufsPermission RO_WH =
      new AufsPermission(Access.RO, EnumSet.of(Attribute.WH));

  /** Whether aufs writes to a branch. */
  public enum Access {
    /** It does. */
    RW,
    /** It does not; others may, beside aufs. */
    RO,
    /** Nobody does: the branch's file system cannot be written to. */
    RR;

    /** The word in an option. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** What else holds for a branch, in the order in which the kernel shows it. */
  public enum Attribute {
    /** Regular files are copied up when they are opened. */
    COO_REG,
    /** Regular files and directories are copied up when they are opened. */
    COO_ALL,
    /** Takes part in moving files between branches; only where the kernel was built for it. */
    FHSM,
    /** No extended attribute that cannot be copied makes a copy-up fail. */
    ICEX,
    /** As {@link #ICEX}, for {@code security.*}. */
    ICEXSEC,
    /** As {@link #ICEX}, for {@code system.*}, the access control lists. */
    ICEXSYS,
    /** As {@link #ICEX}, for {@code trusted.*}. */
    ICEXTR,
    /** As {@link #ICEX}, for {@code user.*}. */
    ICEXUSR,
    /** As {@link #ICEX}, for all others. */
    ICEXOTH,
    /** Whiteouts hide what lies below; for branches that are not written to. */
    WH,
    /** Regular files move up when they are opened; for writable branches. */
    MOO,
    /** Whiteouts are files of their own rather than links to one; for writable branches. */
    NOLWH;

    /** The word in an option. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }

    private boolean fits(Access access) {
      return switch (this) {
        case WH -> access != Access.RW;
        case MOO, NOLWH -> access == Access.RW;
        default -> true;
      };
    }
  }

  /** Copies the attributes. */
  public AufsPermission {
    EnumSet<Attribute> sorted = EnumSet.noneOf(Attribute.class);
    sorted.addAll(attributes);
    if (sorted.contains(Attribute.ICEX)) {
      sorted.removeAll(ATTRIBUTES_OF_ICEX);
    } else if (sorted.containsAll(ATTRIBUTES_OF_ICEX)) {
      sorted.removeAll(ATTRIBUTES_OF_ICEX);
      sorted.add(Attribute.ICEX);
    }
    attributes = Collections.unmodifiableSet(sorted);
  }

  /** True when aufs writes there. */
  public boolean isWritable() {
    return access == Access.RW;
  }

  /**
   * Reads {@code rw}, {@code ro} or {@code rr} and attributes, each after a plus sign. The kernel
   * itself takes any text, and {@code ro} for what it does not know.
   *
   * @throws EngineException USAGE: unknown, with the known ones; an attribute that the access
   *     excludes; two of those that exclude each other
   */
  public static AufsPermission parse(String text) throws EngineException {
    String[] words = text.split("\\+", -1);
    Access access =
        named(words[0], Access.values(), Access::word)
            .orElseThrow(
                () ->
                    EngineException.usage(
                        "unknown branch permission "
                            + OsPath.quoted(text)
                            + "; known are rw, ro, rr"));
    Set<Attribute> attributes = EnumSet.noneOf(Attribute.class);
    for (int i = 1; i < words.length; i++) {
      String word = words[i];
      Attribute attribute =
          named(word, Attribute.values(), Attribute::word)
              .orElseThrow(
                  () ->
                      EngineException.usage(
                          "unknown branch attribute "
                              + OsPath.quoted(word)
                              + "; known are "
                              + Arrays.stream(Attribute.values())
                                  .map(Attribute::word)
                                  .collect(Collectors.joining(", "))));
      if (!attribute.fits(access)) {
        throw EngineException.usage(
            "branch attribute " + attribute.word() + " does not go with " + access.word());
      }
      if (ON_OPEN.contains(attribute)) {
        Optional<Attribute> other =
            attributes.stream().filter(a -> a != attribute && ON_OPEN.contains(a)).findFirst();
        if (other.isPresent()) {
          throw EngineException.usage(
              "branch attributes "
                  + other.get().word()
                  + " and "
                  + attribute.word()
                  + " exclude each other");
        }
      }
      attributes.add(attribute);
    }
    return new AufsPermission(access, attributes);
  }

  private static <E extends Enum<E>> Optional<E> named(
      String word, E[] values, Function<E, String> name) {
    return Arrays.stream(values).filter(value -> name.apply(value).equals(word)).findFirst();
  }

  /** The permission as the kernel shows it; {@link #parse} reads it back. */
  public String text() {
    return Stream.concat(Stream.of(access.word()), attributes.stream().map(Attribute::word))
        .collect(Collectors.joining("+"));
  }

  @Override
  public String toString() {
    return text();
  }
}
