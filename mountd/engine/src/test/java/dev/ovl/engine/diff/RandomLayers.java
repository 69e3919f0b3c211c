package dev.ovl.engine.diff;

import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Layers that random work in random mounts has made.
 *
 * @param layers topmost first
 */
public record RandomLayers(List<OsPath> layers, View.Books books) {

  /**
   * Makes two to five.
   *
   * @param log what was done, for a failure's message
   */
  public static RandomLayers make(Random random, OverlayLab lab, List<String> log)
      throws Exception {
    boolean user = random.nextInt(6) == 0;
    List<OsPath> layers = new ArrayList<>();
    boolean metacopy = false;
    int count = 2 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      RandomWork work = new RandomWork(random);
      int steps = 3 + random.nextInt(15);
      try {
        if (layers.isEmpty()) {
          OsPath base = lab.directory("l");
          work.begin(base, 15);
          work.run(base, steps);
          layers.add(base);
          log.add("base");
        } else {
          String options = options(random, user, metacopy);
          metacopy |= options.contains("metacopy=on");
          log.add("layer" + options);
          layers.add(0, lab.upper(layers, options, mounted -> work.run(mounted, steps)));
        }
      } finally {
        log.addAll(work.log());
      }
    }
    return new RandomLayers(layers, user ? View.Books.USER : View.Books.TRUSTED);
  }

  private static String options(Random random, boolean user, boolean metacopy) {
    if (user) {
      return ",userxattr";
    }
    String index = random.nextInt(4) == 0 ? ",index=on" : "";
    if (metacopy) {
      return ",metacopy=on,redirect_dir=on" + index;
    }
    return switch (random.nextInt(5)) {
      case 0 -> index;
      case 1, 2 -> ",redirect_dir=on" + index;
      default -> ",metacopy=on,redirect_dir=on" + index;
    };
  }
}
