package dev.ovl.reference;

import java.util.Locale;

/** A manual page in the macros of man(7), written from top to bottom. */
final class Roff {
  private final StringBuilder page = new StringBuilder();

  /** Begins a page. */
  Roff(String name, int section) {
    page.append(".\\\" made from the models of the commands\n");
    macro(".TH", name.toUpperCase(Locale.ROOT), String.valueOf(section), "", "ovl");
  }

  /** A line that calls a macro with these words. */
  private void macro(String macro, String... words) {
    page.append(macro);
    for (String word : words) {
      page.append(" \"").append(escaped(word).replace("\"", "\\(dq")).append('"');
    }
    page.append('\n');
  }

  Roff heading(String text) {
    macro(".SH", text);
    return this;
  }

  Roff paragraph(String text) {
    page.append(".PP\n");
    return text(text);
  }

  /** A line of text. */
  Roff text(String text) {
    String line = escaped(text);
    // would be taken for a macro
    page.append(line.startsWith(".") ? "\\&" : "").append(line).append('\n');
    return this;
  }

  Roff bold(String text) {
    macro(".B", text);
    return this;
  }

  /** Words that are bold, italic, bold and so on, without blanks between them. */
  Roff boldItalic(String... words) {
    macro(".BI", words);
    return this;
  }

  /** Words that are bold, roman, bold and so on, without blanks between them. */
  Roff boldRoman(String... words) {
    macro(".BR", words);
    return this;
  }

  /** Begins a paragraph with a tag, which the next line is. */
  Roff tag() {
    page.append(".TP\n");
    return this;
  }

  /** Lines that are shown as they are. */
  Roff example(String text) {
    page.append(".PP\n.RS 4\n.EX\n");
    text.lines().forEach(this::text);
    page.append(".EE\n.RE\n");
    return this;
  }

  /** What is roff already. */
  Roff append(String roff) {
    page.append(roff);
    return this;
  }

  /** A text in ASCII, with no character that means something to roff. */
  static String escaped(String text) {
    StringBuilder out = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\\' -> out.append("\\e");
                case '-' -> out.append("\\-");
                case '\'' -> out.append("\\(aq");
                case '`' -> out.append("\\(ga");
                case '^' -> out.append("\\(ha");
                case '~' -> out.append("\\(ti");
                default -> {
                  if (c < 0x80) {
                    out.append((char) c);
                  } else {
                    out.append(String.format("\\[u%04X]", c));
                  }
                }
              }
            });
    return out.toString();
  }

  @Override
  public String toString() {
    return page.toString();
  }
}
