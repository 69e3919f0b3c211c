package dev.ovl.cli.output;

import java.util.ArrayList;
import java.util.List;

/** Text in columns. */
final class Table {
  private static final String GAP = "  ";

  private Table() {}

  static List<String> lines(List<String> headline, List<List<String>> rows) {
    int[] widths = new int[headline.size()];
    List<List<String>> all = new ArrayList<>();
    all.add(headline);
    all.addAll(rows);
    for (List<String> row : all) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], width(row.get(i)));
      }
    }
    return all.stream().map(row -> line(row, widths)).toList();
  }

  private static String line(List<String> row, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < row.size(); i++) {
      line.append(row.get(i));
      if (i + 1 < row.size()) {
        line.append(" ".repeat(widths[i] - width(row.get(i)))).append(GAP);
      }
    }
    return line.toString().stripTrailing();
  }

  private static int width(String cell) {
    return cell.codePointCount(0, cell.length());
  }
}
