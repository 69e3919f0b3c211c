# shellcheck shell=sh
# Finds a Java that is new enough. Sourced by mvnw and cli/bin/ovlctl; starts no process unless it
# has to fall back to PATH. Only `release` files are read: every JDK since 9 has one.
#
#   find_java javac    sets java_found to the home of a JDK >= java_wanted and java_major to its version
#   find_java java     the same, but a runtime without compiler will do
#
# In this order: JAVA_HOME; the newest of /usr/lib/jvm; what PATH has. Returns 1 when there is none.

java_wanted=22

# Sets java_major to the feature release of the Java at $1; 0 when it is none, or lacks program $2.
java_major_of() {
  java_major=0
  [ -x "$1/bin/java" ] && [ -x "$1/bin/$2" ] && [ -r "$1/release" ] || return 0
  while IFS= read -r java_line || [ -n "$java_line" ]; do
    case $java_line in
      JAVA_VERSION=*)
        java_line=${java_line#JAVA_VERSION=}
        java_line=${java_line#\"}
        java_line=${java_line%%[!0-9]*}
        java_major=${java_line:-0}
        return 0
        ;;
    esac
  done <"$1/release"
}

find_java() {
  java_found=
  if [ -n "${JAVA_HOME-}" ]; then
    java_major_of "$JAVA_HOME" "$1"
    if [ "$java_major" -ge "$java_wanted" ]; then
      java_found=$JAVA_HOME
      return 0
    fi
  fi

  java_best=0
  for java_home in "${OVL_JVM_DIR:-/usr/lib/jvm}"/*; do
    java_major_of "$java_home" "$1"
    if [ "$java_major" -gt "$java_best" ]; then
      java_best=$java_major
      java_found=$java_home
    fi
  done
  if [ "$java_best" -ge "$java_wanted" ]; then
    java_major=$java_best
    return 0
  fi

  java_found=
  if java_line=$(command -v "$1") && java_line=$(readlink -f "$java_line"); then
    java_home=${java_line%/bin/*}
    java_major_of "$java_home" "$1"
    if [ "$java_major" -ge "$java_wanted" ]; then
      java_found=$java_home
      return 0
    fi
  fi
  return 1
}

# The one line for when there is none. $1 names the program that says it.
no_java() {
  printf '%s: no JDK %s or later found (looked at JAVA_HOME, /usr/lib/jvm and PATH): install one, for example the package openjdk-25-jdk-headless or temurin-25-jdk\n' \
    "$1" "$java_wanted" >&2
}
