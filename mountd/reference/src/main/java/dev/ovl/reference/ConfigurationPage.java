package dev.ovl.reference;

import dev.ovl.config.Kind;
import dev.ovl.config.Program;
import dev.ovl.config.Setting;
import java.util.Arrays;
import java.util.List;

/** What is told of the configuration file: its manual page, and itself as it is installed. */
final class ConfigurationPage {
  static final String NAME = "ovl-config";
  static final int SECTION = 5;
  static final String REFERENCE = NAME + "(" + SECTION + ")";

  /** Of a line in the file, in characters. */
  private static final int WIDTH = 96;

  private static final String FILE = Setting.CONFIG.defaultText();

  private ConfigurationPage() {}

  private static List<Setting> settings() {
    return Arrays.stream(Setting.values()).filter(Setting::inFile).toList();
  }

  /** The manual page. */
  static String text() {
    Roff page = new Roff(NAME, SECTION);
    page.heading("NAME").text(NAME + " - configuration of ovl");
    page.heading("SYNOPSIS").bold(FILE);
    page.heading("DESCRIPTION").text("The settings of");
    page.boldRoman("ovlctl", "(1)").text("and").boldRoman("ovl-mountd", "(8).");
    page.text(
        "The file is in TOML. It need not be there, and what it does not say has a default. An"
            + " option on the command line goes before a variable of the environment, that before"
            + " the file. A key that is not known, or a value that makes no sense, is an error:"
            + " nothing is done then, and the message names the line.");
    page.paragraph("Another file is named by");
    page.boldItalic(Setting.CONFIG.option() + " ", Setting.CONFIG.label()).text("or");
    page.boldRoman(Setting.CONFIG.variable(), ";").text("it must be there.");
    page.heading("SETTINGS");
    for (Setting setting : settings()) {
      page.tag().boldItalic(setting.key() + " = ", value(setting));
      page.text(setting.description());
      page.text("It is " + kind(setting) + ".");
      page.text("Default: " + literal(setting) + ".");
      page.text(readers(setting));
      page.text("Also " + setting.option() + " and " + setting.variable() + ".");
    }
    page.heading("EXAMPLE").text("Members of the group storage may do all that root may:");
    page.example(
        Setting.GROUP.key() + " = \"storage\"\n" + Setting.GROUP_ACCESS.key() + " = \"write\"");
    page.heading("FILES").tag().bold(FILE).text("The file, if no other is named.");
    page.heading("SEE ALSO").boldRoman("ovlctl", "(1),").boldRoman("ovl-mountd", "(8)");
    return page.toString();
  }

  private static String kind(Setting setting) {
    return setting.kind() instanceof Kind.Path ? "an absolute path" : setting.kind().name();
  }

  /** Who reads a setting, and when, as a sentence. */
  private static String readers(Setting setting) {
    String daemon =
        "by mountd when it starts" + (setting.isReloadable() ? " and when it reloads" : "");
    boolean byDaemon = setting.readers().contains(Program.MOUNTD);
    if (setting.readers().contains(Program.OVLCTL)) {
      return byDaemon ? "Read by ovlctl, and " + daemon + "." : "Read by ovlctl.";
    }
    return "Read " + daemon + ".";
  }

  private static boolean isNumber(Setting setting) {
    return setting.kind() instanceof Kind.Seconds || setting.kind() instanceof Kind.Count;
  }

  private static String value(Setting setting) {
    return isNumber(setting) ? setting.label() : "\"" + setting.label() + "\"";
  }

  /** The default as TOML. No default has a character that a TOML text must escape. */
  private static String literal(Setting setting) {
    return isNumber(setting) ? setting.defaultText() : "\"" + setting.defaultText() + "\"";
  }

  /** The file with each setting at its default, in comments. */
  static String file() {
    StringBuilder file = new StringBuilder();
    comment(
        file,
        "The configuration of ovlctl and mountd, see "
            + REFERENCE
            + ". Each setting stands here with its default; an option on the command line and a"
            + " variable of the environment go before it.");
    for (Setting setting : settings()) {
      file.append('\n');
      comment(file, setting.description());
      comment(
          file, readers(setting) + " Also " + setting.option() + ", " + setting.variable() + ".");
      file.append('#').append(setting.key()).append(" = ").append(literal(setting)).append('\n');
    }
    return file.toString();
  }

  private static void comment(StringBuilder file, String text) {
    StringBuilder line = new StringBuilder("#");
    for (String word : text.split(" ")) {
      if (line.length() + 1 + word.length() > WIDTH) {
        file.append(line).append('\n');
        line = new StringBuilder("#");
      }
      line.append(' ').append(word);
    }
    file.append(line).append('\n');
  }
}
