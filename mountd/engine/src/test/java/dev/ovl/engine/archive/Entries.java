package dev.ovl.engine.archive;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Archives block by block, right ones and others. */
final class Entries {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** A header whose fields can be anything. */
  static final class Header {
    private final byte[] block = new byte[512];

    Header(String name, char type) {
      text(0, name).text(100, "0000644").text(108, "0000000").text(116, "0000000");
      size(0).text(136, "00000000017").text(257, "ustar").text(263, "00");
      block[156] = (byte) type;
    }

    Header text(int at, String text) {
      byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
      System.arraycopy(bytes, 0, block, at, bytes.length);
      return this;
    }

    Header size(long size) {
      return text(124, String.format("%011o", size));
    }

    Header link(String target) {
      return text(157, target);
    }

    Header device(int major, int minor) {
      return text(329, String.format("%07o", major)).text(337, String.format("%07o", minor));
    }

    Header clear(int at, int length) {
      Arrays.fill(block, at, at + length, (byte) 0);
      return this;
    }

    Header raw(int at, int... bytes) {
      for (int i = 0; i < bytes.length; i++) {
        block[at + i] = (byte) bytes[i];
      }
      return this;
    }

    byte[] bytes() {
      text(148, "        ");
      int sum = 0;
      for (byte b : block) {
        sum += b & 0xFF;
      }
      return text(148, String.format("%06o\0 ", sum)).block;
    }
  }

  Entries add(Header header) {
    out.writeBytes(header.bytes());
    return this;
  }

  Entries data(String data) {
    return raw(data.getBytes(StandardCharsets.ISO_8859_1)).pad();
  }

  Entries raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  private Entries pad() {
    return raw(new byte[-out.size() & 511]);
  }

  Entries file(String name, String data) {
    return add(new Header(name, '0').size(data.length())).data(data);
  }

  Entries dir(String name) {
    return add(new Header(name, '5'));
  }

  Entries link(String name, String to) {
    return add(new Header(name, '1').link(to));
  }

  Entries symlink(String name, String to) {
    return add(new Header(name, '2').link(to));
  }

  Entries pax(String... keysAndValues) {
    return extended('x', keysAndValues);
  }

  Entries extended(char type, String... keysAndValues) {
    StringBuilder records = new StringBuilder();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      records.append(record(keysAndValues[i], keysAndValues[i + 1]));
    }
    return extended(type, records.toString());
  }

  Entries extended(char type, String records) {
    return add(new Header("extended", type).size(records.length())).data(records);
  }

  static String record(String key, String value) {
    String rest = " " + key + "=" + value + "\n";
    int length = rest.length() + 1;
    while (Integer.toString(length).length() + rest.length() != length) {
      length++;
    }
    return length + rest;
  }

  byte[] open() {
    return out.toByteArray();
  }

  byte[] closed() {
    return new Entries().raw(open()).raw(new byte[1024]).open();
  }
}
