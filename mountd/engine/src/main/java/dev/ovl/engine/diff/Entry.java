package dev.ovl.engine.diff;

import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A name that was looked at in both trees, and what came of it. Entries are many and live as long
 * as the comparison's result, so they keep little.
 */
final class Entry {
  /** What the comparison has found. */
  enum State {
    SAME,
    CHANGED,
    ADDED,
    DELETED
  }

  /** What the newer tree has by that name. */
  enum Kind {
    NOTHING,
    DIRECTORY,
    REGULAR,
    OTHER
  }

  private final OsPath name;
  private final Kind kind;
  private final State state;
  private final List<Entry> children = new ArrayList<>(0);

  /** Where the newer tree's file lies: its attributes, and its data. */
  private final Optional<Place> top;

  private final Optional<Place> data;
  private final Optional<Identity> identity;

  /** Bytes of a regular file of the newer tree. */
  private final long size;

  private boolean relinked;
  private boolean replacing;
  private boolean whole;
  private boolean resent;
  private boolean sent;
  private boolean told;
  private boolean relevant;

  private Entry(
      OsPath name,
      Kind kind,
      State state,
      Optional<Place> top,
      Optional<Place> data,
      Optional<Identity> identity,
      long size) {
    this.name = name;
    this.kind = kind;
    this.state = state;
    this.top = top;
    this.data = data;
    this.identity = identity;
    this.size = size;
  }

  /** A name that the newer tree does not have. */
  static Entry deleted(OsPath name) {
    return nothing(name, State.DELETED);
  }

  /** The root, which an empty tree does not have either. */
  static Entry root(State state, Optional<Found> newer) {
    return newer
        .map(found -> of(OsPath.EMPTY, state, found))
        .orElseGet(() -> nothing(OsPath.EMPTY, state));
  }

  private static Entry nothing(OsPath name, State state) {
    return new Entry(
        name, Kind.NOTHING, state, Optional.empty(), Optional.empty(), Optional.empty(), 0);
  }

  /** A name that the newer tree has. */
  static Entry of(OsPath name, State state, Found newer) {
    Kind kind = kind(newer.top().stat());
    Optional<Place> top = Optional.of(newer.top().place());
    boolean linked = kind != Kind.DIRECTORY && newer.top().stat().links() > 1;
    return new Entry(
        name,
        kind,
        state,
        top,
        newer.isWhole() ? top : Optional.of(newer.data().place()),
        linked ? Optional.of(newer.top().identity()) : Optional.empty(),
        kind == Kind.REGULAR ? newer.top().stat().size() : 0);
  }

  private static Kind kind(Statx stat) {
    return stat.isDirectory() ? Kind.DIRECTORY : stat.isRegularFile() ? Kind.REGULAR : Kind.OTHER;
  }

  /** True when a file that lies there now is no other kind of thing. */
  boolean isStill(Statx stat) {
    return kind == kind(stat) && !stat.isWhiteout();
  }

  OsPath name() {
    return name;
  }

  boolean isDirectory() {
    return kind == Kind.DIRECTORY;
  }

  boolean isDeleted() {
    return state == State.DELETED;
  }

  boolean isAdded() {
    return state == State.ADDED;
  }

  /** By itself, not by what is in it. */
  boolean isChanged() {
    return state != State.SAME || relinked;
  }

  /** Sorted by name. */
  List<Entry> children() {
    return children;
  }

  Optional<Place> top() {
    return top;
  }

  Optional<Place> data() {
    return data;
  }

  /** Which file it is, where that has several names and is no directory. */
  Optional<Identity> identity() {
    return identity;
  }

  long size() {
    return size;
  }

  /** Its names are not the ones it had. */
  void setRelinked() {
    relinked = true;
  }

  /** A directory that nothing of the older tree's directory shines through. */
  void setReplacing() {
    replacing = true;
  }

  boolean isReplacing() {
    return replacing;
  }

  /** All that is in it may have to be sent: it replaces a directory, or is in one that does. */
  boolean isWhole() {
    return whole;
  }

  void setWhole() {
    whole = true;
  }

  /** It is not changed, but another name of its file is sent, so that it must be sent, too. */
  boolean isResent() {
    return resent;
  }

  void setResent() {
    resent = true;
  }

  /** A stream has it for itself, not only on the way to something beneath it. */
  boolean isSent() {
    return sent;
  }

  void setSent() {
    sent = true;
  }

  /** It, or something beneath it, changed. */
  boolean isTold() {
    return told;
  }

  void setTold() {
    told = true;
  }

  /** It, or something beneath it, changed or is sent with what changed. */
  boolean isRelevant() {
    return relevant;
  }

  void setRelevant() {
    relevant = true;
  }
}
