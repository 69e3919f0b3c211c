# shellcheck shell=bash
# A guest: what it is told, how it is started and watched, and what comes out of it.
#
# What the command says and its exit status are files in a directory shared with the guest: written
# through, so that nothing of it is lost in a device's queue when the machine ends.

# The options of `box run`, and what follows from them.
guest_memory=2048 # MiB
guest_limit=600   # seconds
guest_console=
guest_out=
guest_shares=()
guest_copies=()
guest_kernel=
guest_modules=
guest_transport=
guest_starter=
guest_scratch=
guest_pid=

box_run() {
  while [ $# -gt 0 ]; do
    case $1 in
      --memory | --timeout | --out | --share | --copy) [ $# -ge 2 ] || usage_error "$1 wants a value" ;;
    esac
    case $1 in
      --memory) guest_memory=$2 && shift ;;
      --timeout) guest_limit=$2 && shift ;;
      --out) guest_out=$(directory "$2") && shift ;;
      --share) guest_shares+=("$(directory "$2")") && shift ;;
      --copy) guest_copies+=("$(directory "$2")") && shift ;;
      --console) guest_console=yes ;;
      -*) usage_error "no such option: $1" ;;
      *) break ;;
    esac
    shift
  done
  [[ $# -ge 3 && $2 = -- ]] || usage_error "run wants KERNEL -- CMD…"
  need busybox=busybox-static cpio=cpio modprobe=kmod xz=xz-utils zstd=zstd
  guest_kernel=$(kernel_file "$1")
  shift 2
  guest_modules=$(kernel_modules "$guest_kernel")
  [ -z "$guest_modules" ] || guest_shares+=("$guest_modules")
  guest_scratch=$(mktemp -d "${TMPDIR:-/tmp}/ovl-box-XXXXXX")
  trap guest_end EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  case $(kernel_format "$guest_kernel") in
    bzimage) qemu_prepare ;;
    uml) uml_prepare ;;
    *) fail "neither a bzImage nor user-mode-linux: $guest_kernel" ;;
  esac
  guest_boot no "$@"
  guest_watch
}

directory() {
  [ -d "$1" ] || fail "no such directory: $1"
  readlink -f -- "$1"
}

# Starts the guest with command $2…; one for trial, which only ends, if $1 is yes.
guest_boot() {
  local trial=$1 copies=("${guest_copies[@]}")
  [ "$trial" = no ] || copies=()
  rm -rf "$guest_scratch/initramfs"
  mkdir -p "$guest_scratch/initramfs/box" "$guest_scratch/work"
  guest_settings "$@" >"$guest_scratch/initramfs/box/settings"
  initramfs_make "$guest_scratch/initrd" "$guest_scratch/initramfs" "$guest_modules" "${copies[@]}"
  : >"$guest_scratch/console"
  : >"$guest_scratch/work/out"
  : >"$guest_scratch/work/err"
  "${guest_starter}"
}

# The file /box/settings of the guest; see guest/init.
guest_settings() {
  local trial=$1 variable variables=()
  shift
  for variable in JAVA_HOME ${!OVL_*}; do
    [ -z "${!variable-}" ] || variables+=("$variable=${!variable}")
  done
  [ -z "$guest_out" ] || variables+=("OVL_BOX_OUT=$guest_out")
  cat <<END
box_trial=$trial
box_transport=$guest_transport
box_work=$(quote "$guest_scratch/work")
box_out=$(quote "$guest_out")
box_modules=$(quote "$guest_modules")
box_shares=$(quote "$(quote "$checkout" "$PWD" "${guest_shares[@]}")")
box_copies=$(quote "$(quote "${guest_copies[@]}")")
box_directory=$(quote "$PWD")
box_environment=$(quote "$(quote "${variables[@]}")")
box_command=$(quote "$(quote "$@")")
END
}

# Words for a shell.
quote() {
  local word text=
  for word; do
    text+="'${word//\'/\'\\\'\'}' "
  done
  printf '%s' "${text% }"
}

# Passes on what the command says until the guest is over, and exits as the command did.
guest_watch() {
  local status=0 work=$guest_scratch/work
  follow "$work/out" &
  follow "$work/err" >&2 &
  [ -z "$guest_console" ] || follow "$guest_scratch/console" >&2 &
  wait "$guest_pid" || status=$?
  guest_pid=
  wait
  if [ -s "$work/status" ]; then
    exit "$(cat "$work/status")"
  elif [ "$status" = 124 ] || [ "$status" = 137 ]; then
    say "ended after $guest_limit seconds, the command was not done (--timeout)"
    exit 124
  fi
  [ -n "$guest_console" ] || tail -n 25 "$guest_scratch/console" >&2
  fail "the guest ended before the command did; above is the end of what its kernel said"
}

follow() {
  exec setpriv --pdeathsig TERM tail --quiet --lines=+1 --follow --sleep-interval=0.1 --pid="$guest_pid" "$1"
}

# Nothing stays, however it ends.
guest_end() {
  [ -z "$guest_pid" ] || { kill "$guest_pid" && wait "$guest_pid"; } 2>/dev/null || true
  rm -rf "$guest_scratch"
}

# Runs a program for at most guest_limit seconds; it does not outlive this one.
guest_start() {
  setpriv --pdeathsig TERM timeout --foreground --kill-after=5 "$guest_limit" \
    setpriv --pdeathsig KILL "$@" </dev/null &
  guest_pid=$!
}
