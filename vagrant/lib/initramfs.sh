# shellcheck shell=bash
# The initramfs: busybox, the modules that reach the host's files, and guest/init; besides these the
# directories that are to be copied. Everything else a guest needs it takes from the host.

# What has to be there before the host's files are; a kernel may have some built in.
boot_modules=(virtio_pci virtio_rng 9pnet_virtio 9p overlay)

# A busybox that needs no libraries.
busybox_static() {
  local busybox
  busybox=$(command -v busybox)
  ! ldd "$busybox" >/dev/null 2>&1 || fail "$busybox needs libraries: apt-get install busybox-static"
  echo "$busybox"
}

# Makes the initramfs $1 out of directory $2, which is filled here, for a kernel with modules $3 (may
# be empty), with copies of the directories $4….
initramfs_make() {
  local image=$1 tree=$2 modules=$3 copy
  shift 3
  mkdir -p "$tree"/{dev,proc,sys,box/bin,box/modules,box/root}
  copy=$(busybox_static)
  cp "$copy" "$tree/box/bin/busybox"
  "$tree/box/bin/busybox" --list | while IFS= read -r copy; do
    [ "$copy" = busybox ] || ln -s busybox "$tree/box/bin/$copy"
  done
  install -m 755 "$here/guest/init" "$tree/box/init"
  ln -s box/init "$tree/init"
  [ -z "$modules" ] || initramfs_modules "$tree/box/modules" "$modules"
  for copy; do
    mkdir -p "$tree$copy"
  done
  initramfs_pack "$tree" . >"$image"
  for copy; do
    # padded as the kernel wants it between two archives
    initramfs_pack / ".$copy" >>"$image"
  done
}

# The files below $2 of directory $1.
initramfs_pack() {
  (cd "$1" && find "$2" -print0 | sort -z | cpio --quiet --null --create --format=newc)
}

# Puts the boot modules and what they need into directory $1, named so that their order is the order
# in which they are loaded, and uncompressed.
initramfs_modules() {
  local into=$1 modules=$2 number=100 file
  # a kernel need not have all of them
  { modprobe --dirname="${modules%/lib/modules/*}" --set-version="${modules##*/}" --all --show-depends \
    "${boot_modules[@]}" 2>/dev/null || true; } | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
    while IFS= read -r file; do
      number=$((number + 1))
      case $file in
        *.xz) xz --decompress --stdout "$file" ;;
        *.zst) zstd --decompress --quiet --stdout "$file" ;;
        *) cat "$file" ;;
      esac >"$into/$number.ko"
    done
}
