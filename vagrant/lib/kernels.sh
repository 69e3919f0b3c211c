# shellcheck shell=bash
# Where kernels come from: Debian's packages, downloaded and verified by apt against the signatures of
# the archive, in directories of its own, so that no root is needed and the system's apt sees nothing.
# A kernel lies in the cache as its packages have it: boot/vmlinuz-RELEASE, lib/modules/RELEASE.

box_cache=${XDG_CACHE_HOME:-$HOME/.cache}/ovl/boxes
debian_mirror=${OVL_DEBIAN_MIRROR:-http://deb.debian.org}
kernel_names=(5.10 6.1 6.12 latest)

# The suites that have kernel $1; the first one is where the newest is taken from.
kernel_suites() {
  case $1 in
    5.10) echo bullseye-security bullseye ;;
    6.1) echo bookworm-security bookworm ;;
    6.12) echo trixie-security trixie ;;
    latest) echo trixie-backports trixie ;;
    uml) echo forky ;;
  esac
}

# The file of kernel $1, a name or a file; a name's is downloaded when it is not there.
kernel_file() {
  if [ -z "$(kernel_suites "$1")" ]; then
    [ -f "$1" ] || fail "no such kernel: $1 (${kernel_names[*]} uml, or a file)"
    readlink -f "$1"
    return
  fi
  [ -d "$box_cache/$1" ] || kernel_fetch "$1"
  kernel_image "$box_cache/$1"
}

kernel_image() {
  local image
  for image in "$1"/boot/vmlinuz-* "$1"/boot/linux-*; do
    [ ! -f "$image" ] || { echo "$image"; return; }
  done
  fail "no kernel in $1"
}

# The modules of kernel file $1, if they lie where packages have them. Nothing, if there are none.
kernel_modules() {
  local modules=${1%/boot/*}/lib/modules/${1#*/boot/*-}
  [ ! -d "$modules" ] || echo "$modules"
}

# What kind of file $1 is: bzimage, uml, or nothing that is known. Linux/x86 boot protocol: "HdrS" at 0x202.
kernel_format() {
  case $(od -An -c -N4 -j514 "$1" | tr -d ' ') in
    HdrS) echo bzimage ;;
    *) [ "$(od -An -c -N4 "$1" | tr -d ' ')" != 177ELF ] || echo uml ;;
  esac
}

# Downloads kernel $1 anew and puts it in the place of what was there.
kernel_fetch() {
  [ -n "$(kernel_suites "$1")" ] || usage_error "not one of ${kernel_names[*]} uml: $1"
  need apt-get=apt dpkg-deb=dpkg depmod=kmod
  local work
  mkdir -p "$box_cache"
  exec {lock}>"$box_cache/lock"
  flock "$lock"
  work=$(mktemp -d "$box_cache/.fetch-XXXXXX")
  # shellcheck disable=SC2064 # this directory
  trap "rm -rf '$work'" EXIT
  say "downloading kernel $1 from $debian_mirror…"
  apt_download "$work" "$1"
  mkdir "$work/tree"
  for package in "$work"/*.deb; do
    dpkg-deb -x "$package" "$work/tree" || fail "cannot unpack $package"
  done
  [ "$1" != uml ] || uml_tidy "$work/tree"
  kernel_tidy "$work/tree"
  (cd "$work" && printf '%s\n' ./*.deb) >"$work/tree/packages"
  rm -rf "${box_cache:?}/$1"
  mv "$work/tree" "$box_cache/$1"
  rm -rf "$work"
  trap - EXIT
  exec {lock}>&-
  say "kernel $1: $(kernel_image "$box_cache/$1")"
}

# What a test can use is kept: file systems and what they are made of.
kernel_tidy() {
  local tree=$1 modules
  [ ! -d "$tree/usr/lib/modules" ] || { mkdir -p "$tree/lib" && mv "$tree/usr/lib/modules" "$tree/lib"; }
  mkdir -p "$tree/boot"
  for modules in "$tree"/lib/modules/*; do
    [ -d "$modules/kernel" ] || continue
    [ ! -f "$modules/vmlinuz" ] || mv "$modules/vmlinuz" "$tree/boot/vmlinuz-${modules##*/}"
    (
      cd "$modules/kernel" || exit
      find drivers net -mindepth 1 -maxdepth 1 ! -name block ! -name md ! -name char ! -name virtio \
        ! -name dax ! -name 9p -exec rm -rf {} +
      rm -rf sound
    )
    depmod -b "$tree" "${modules##*/}"
  done
  rm -rf "${tree:?}/usr/share"
}

# Downloads the packages of kernel $2 to directory $1.
apt_download() {
  local work=$1 apt packages suite suites
  suites=$(kernel_suites "$2")
  mkdir -p "$work"/apt/{lists/partial,cache/archives/partial,none}
  : >"$work/apt/status"
  for suite in $suites; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(suite_address "$suite") $suite main"
  done >"$work/apt/sources.list"
  apt=(
    -q -q -o "Dir=$work/apt" -o "Dir::State=$work/apt" -o "Dir::State::status=$work/apt/status"
    -o "Dir::State::Lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache"
    -o "Dir::Etc::SourceList=$work/apt/sources.list" -o "Dir::Etc::SourceParts=$work/apt/none" -o "Dir::Etc::Parts=$work/apt/none"
    -o "Dir::Etc::Preferences=$work/apt/none/none" -o "Dir::Etc::PreferencesParts=$work/apt/none"
    -o "Dir::Etc::Trusted=$work/apt/none/none" -o "Dir::Etc::TrustedParts=$work/apt/none"
    -o APT::Architecture=amd64 -o APT::Architectures=amd64
    -o Acquire::Languages=none -o APT::Sandbox::User= -o "APT::Default-Release=${suites%% *}"
  )
  [ -r /usr/share/keyrings/debian-archive-keyring.gpg ] || fail "needs packages that are not installed: apt-get install debian-archive-keyring"
  apt-get "${apt[@]}" update >&2 || fail "cannot get the lists of packages of $suites"
  packages=$(apt_packages "$2" "${apt[@]}")
  [ -n "$packages" ] || fail "no kernel in $suites"
  # shellcheck disable=SC2086 # words
  (cd "$work" && apt-get "${apt[@]}" download $packages >&2) || fail "cannot download $packages"
}

suite_address() {
  case $1 in
    *-security) echo "$debian_mirror/debian-security" ;;
    *) echo "$debian_mirror/debian" ;;
  esac
}

# The packages that a kernel's name stands for now: newer ones are in several.
apt_packages() {
  local name=$1
  shift
  if [ "$name" = uml ]; then
    echo user-mode-linux libc6
    return
  fi
  apt-cache "$@" depends --recurse --important linux-image-amd64 |
    grep -E '^linux-(image|binary|modules|base)-[0-9]' | sort -u
}
