# shellcheck shell=bash
# What all parts say to the user, and the programs that they need.

say() {
  printf 'box: %s\n' "$*" >&2
}

# The box, not the command in it, failed.
fail() {
  say "$*"
  exit 125
}

usage_error() {
  say "$* (box --help)"
  exit 125
}

# Names the Debian packages $2… of the programs that are missing. Each argument is PROGRAM=PACKAGE.
need() {
  local pair missing=()
  for pair; do
    command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -eq 0 ] || fail "needs packages that are not installed: apt-get install ${missing[*]}"
}
