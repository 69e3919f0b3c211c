package dev.ovl.engine.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VolumeTest {
  private static Volume parse(String text) throws EngineException {
    return Volume.parse(text, path -> OsPath.of("/here").resolve(path).normalized());
  }

  private static Volume volume(String source, String target, boolean readOnly) {
    return new Volume(OsPath.of(source), OsPath.of(target), readOnly);
  }

  @Test
  void asDockerReadsThem() throws Exception {
    assertEquals(volume("/a", "/b", false), parse("/a:/b"));
    assertEquals(volume("/a", "/b", true), parse("/a:/b:ro"));
    assertEquals(volume("/a", "/b", false), parse("/a:/b:rw"));
    assertEquals(volume("/here/a", "/c", false), parse("a://c/.//"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "a", "/a", ":/b", "/a:", "/a:b", "/a:/", "/a:/b/..", "/a:/b:x", "/a:/b:ro:"})
  void othersAreRefused(String text) {
    EngineException e = assertThrows(EngineException.class, () -> parse(text));
    assertEquals(EngineException.Kind.USAGE, e.kind());
  }
}
