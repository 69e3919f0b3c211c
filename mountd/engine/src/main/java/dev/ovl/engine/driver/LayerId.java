package dev.ovl.engine.driver;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.RandomBytes;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The id of a layer, unique within its driver: a name of letters, digits, {@code _}, {@code .} and
 * {@code -}. Docker's are 64 hexadecimal digits, with {@code -init} behind them for a container's
 * init layer.
 */
public record LayerId(String text) implements Comparable<LayerId> {
  /** What a driver's directory of a layer is renamed to while it is being removed. */
  public static final String REMOVING = "-removing";

  private static final int RANDOM_DIGITS = 64;
  private static final Pattern FORM = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,127}");

  /** The directory of the short links. */
  private static final String RESERVED = "l";

  /**
   * Checks an id.
   *
   * @throws EngineException USAGE: it has another form, or one that drivers use for themselves
   */
  public static LayerId of(String text) throws EngineException {
    return parse(text)
        .orElseThrow(
            () ->
                EngineException.usage(
                    "not a layer's id: "
                        + OsPath.quoted(text)
                        + "; it is made of letters, digits, '_', '.' and '-', at most 128"));
  }

  /** One that no layer has, of Docker's form. */
  public static LayerId random(RandomBytes random) throws ErrnoException {
    return new LayerId(random.hex(RANDOM_DIGITS));
  }

  /** The id that a file's name is; empty when no layer can have it. */
  public static Optional<LayerId> parse(String text) {
    return FORM.matcher(text).matches() && !text.equals(RESERVED) && !text.endsWith(REMOVING)
        ? Optional.of(new LayerId(text))
        : Optional.empty();
  }

  @Override
  public int compareTo(LayerId other) {
    return text.compareTo(other.text);
  }

  @Override
  public String toString() {
    return text;
  }
}
