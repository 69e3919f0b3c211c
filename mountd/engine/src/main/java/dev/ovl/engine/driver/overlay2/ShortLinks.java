package dev.ovl.engine.driver.overlay2;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.RandomBytes;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The directory {@code l/} of an overlay2 home: symbolic links with names of 26 base32 characters,
 * so that many layers fit the options of one mount(2).
 *
 * <p>A layer's link points to {@code ../<id>/diff} as Docker has it; a plain directory's to its
 * absolute path. Whoever needs a link keeps its name: a link that is lost or wrong is made anew
 * from that.
 */
public final class ShortLinks {
  /** Characters in a name. */
  public static final int NAME_LENGTH = 26;

  /** The directory's name in the home. */
  public static final OsPath DIRECTORY_NAME = OsPath.of("l");

  private static final int ATTEMPTS = 16;
  private static final String FORM = "[A-Z2-7]{" + NAME_LENGTH + "}";
  private static final Pattern NAME = Pattern.compile(FORM);
  private static final Pattern PRESENT =
      Pattern.compile("(" + Pattern.quote(Files.TEMPORARY_PREFIX) + ")?(" + FORM + ")");

  private final Files files;
  private final RandomBytes random;
  private final OsPath directory;

  ShortLinks(Syscalls sys, OsPath home) {
    this.files = new Files(sys);
    this.random = new RandomBytes(sys);
    this.directory = home.resolve(DIRECTORY_NAME);
  }

  /** A name that no link has; nothing is made. */
  public String unusedName() throws EngineException, ErrnoException {
    for (int i = 0; i < ATTEMPTS; i++) {
      String name = random.base32(NAME_LENGTH);
      if (files.lstat(directory.resolve(name)).isEmpty()) {
        return name;
      }
    }
    throw EngineException.failed(
        "no unused link name found in " + directory.quoted(), Errno.EEXIST);
  }

  /**
   * Makes a link.
   *
   * @return false when the name is taken, whatever by
   */
  public boolean make(String name, OsPath target) throws ErrnoException {
    return files.symlink(target, directory.resolve(name));
  }

  /** Whether a text has the form of a link's name. */
  static boolean isName(String text) {
    return NAME.matcher(text).matches();
  }

  /** What the link points to; empty when there is none. */
  public Optional<OsPath> target(String name) throws ErrnoException {
    return files.readLink(directory.resolve(name));
  }

  /** Makes the link anew where it is missing or points elsewhere. Returns true when it had to. */
  public boolean restore(String name, OsPath target) throws ErrnoException {
    Optional<OsPath> present = target(name);
    if (present.equals(Optional.of(target))) {
      return false;
    }
    OsPath link = directory.resolve(name);
    OsPath fresh = Files.temporary(link);
    files.mkdir(directory, 0700);
    files.remove(fresh);
    files.symlink(target, fresh);
    files.rename(fresh, link);
    return true;
  }

  /**
   * A file in the directory.
   *
   * @param name the link that it is, or was about to become
   * @param path where it is
   */
  public record Present(String name, OsPath path) {}

  /**
   * All links on disk, and what {@link #restore} left of them, sorted; other files are not ovl's.
   */
  public List<Present> present() throws ErrnoException {
    List<Present> found = new ArrayList<>();
    for (OsPath file : files.list(directory)) {
      Matcher name = PRESENT.matcher(file.toString());
      if (name.matches()) {
        found.add(new Present(name.group(2), directory.resolve(file)));
      }
    }
    return found;
  }

  /** Removes a link; one that is gone already is fine. */
  public void remove(String name) throws ErrnoException {
    files.remove(directory.resolve(name));
  }

  /** The link's name seen from the home: {@code l/NAME}. */
  public static OsPath relative(String name) {
    return DIRECTORY_NAME.resolve(name);
  }
}
