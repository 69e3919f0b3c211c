# shellcheck shell=bash
# Guests in user-mode-linux: a kernel that is a process of this machine.

# Debian's newest wants a newer libc than many systems have. It gets its own: the program is made to
# look for its loader in the directory where it is started.
uml_tidy() {
  local tree=$1 release program loader=/lib64/ld-linux-x86-64.so.2 offset
  mkdir -p "$tree/boot" "$tree/lib"
  mv "$tree/usr/lib/uml/modules" "$tree/lib"
  mv "$tree/usr/lib/x86_64-linux-gnu" "$tree/libc"
  release=$(cd "$tree/lib/modules" && echo *)
  program=$tree/boot/linux-$release
  mv "$tree/usr/bin/linux.uml" "$program"
  offset=$(grep --only-matching --byte-offset --text --max-count=1 "$loader" "$program")
  printf '%s\0' "${loader##*/}" |
    dd of="$program" bs=1 seek="${offset%%:*}" conv=notrunc status=none
  rm -rf "${tree:?}/usr" "${tree:?}/etc" "${tree:?}/lib64"
}

uml_prepare() {
  guest_transport=hostfs guest_starter=uml_start
}

uml_start() {
  local libc=${guest_kernel%/boot/*}/libc
  [ -d "$libc" ] || libc=$guest_scratch
  guest_start env --chdir="$libc" LD_LIBRARY_PATH="$libc" "$guest_kernel" "mem=${guest_memory}M" \
    "uml_dir=$guest_scratch" "initrd=$guest_scratch/initrd" con=null con0=null,fd:1 panic=-1 quiet \
    >"$guest_scratch/console" 2>&1
}
