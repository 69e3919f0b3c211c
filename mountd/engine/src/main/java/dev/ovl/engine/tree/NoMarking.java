package dev.ovl.engine.tree;

import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;

/** A tree in which what is deleted is removed. */
final class NoMarking implements Marking {
  private final boolean keepsWhiteouts;

  NoMarking(boolean keepsWhiteouts) {
    this.keepsWhiteouts = keepsWhiteouts;
  }

  @Override
  public boolean keepsWhiteouts() {
    return keepsWhiteouts;
  }

  @Override
  public boolean marksDeletions() {
    return false;
  }

  @Override
  public boolean isDeletion(Fd directory, OsPath name, Statx stat) {
    return false;
  }

  @Override
  public boolean isHidden(Place place, OsPath name) {
    return false;
  }

  @Override
  public boolean unhide(Place place, OsPath name) {
    return false;
  }

  @Override
  public void delete(Place place, OsPath name) {}

  @Override
  public void opaque(Place directory) {}

  @Override
  public String attribute(String name) {
    return name;
  }

  @Override
  public boolean isMark(String attribute) {
    return false;
  }

  @Override
  public void check(OsPath name) {}
}
