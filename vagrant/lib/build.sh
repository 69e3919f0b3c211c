# shellcheck shell=bash
# Boxes for vagrant-libvirt: a small Debian with one of the kernels, made without root. GRUB is put
# together here rather than installed: grub-install wants the disk as a device.

grub=/usr/lib/grub/i386-pc
build_packages=initramfs-tools,systemd-sysv,udev,dbus,openssh-server,sudo,iproute2,kmod,zstd,ca-certificates

# Vagrant's well-known key, which it replaces by a new one when the machine is first up: Debian's, or
# that of its own package.
vagrant_key() {
  local key
  for key in /usr/share/rubygems-integration/all/gems/vagrant-*/keys/vagrant.pub \
    /opt/vagrant/embedded/gems/gems/vagrant-*/keys/vagrant.pub; do
    [ ! -f "$key" ] || { echo "$key"; return; }
  done
  fail "cannot find the key vagrant.pub of Vagrant"
}

box_build() {
  [[ $# -eq 1 && " ${kernel_names[*]} " == *" $1 "* ]] || usage_error "build wants one of ${kernel_names[*]}"
  need mmdebstrap=mmdebstrap genext2fs=genext2fs qemu-img=qemu-utils resize2fs=e2fsprogs sfdisk=fdisk \
    grub-mkimage=grub-common vagrant=vagrant
  [ -r "$grub/boot.img" ] || fail "needs packages that are not installed: apt-get install grub-pc-bin"
  guest_scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/ovl-box-XXXXXX")
  trap guest_end EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  local tree=$guest_scratch box=$checkout/target/boxes/ovl-$1.box kernel
  kernel=$(kernel_file "$1")
  say "making $box…"
  build_system "$1" "${kernel##*/vmlinuz-}" "$tree/files"
  build_disk "$tree" "$tree/files" "$tree/disk"
  qemu-img convert -c -O qcow2 "$tree/disk" "$tree/box.img"
  build_description "$tree"
  mkdir -p "${box%/*}"
  tar -C "$tree" -c -f "$box" metadata.json Vagrantfile box.img
  vagrant box add --force --name "ovl/$1" "$box" >&2 || fail "vagrant does not take $box"
  echo "$box"
}

# Debian with kernel release $2 of name $1, as a file system $3.
build_system() {
  local suite suites sources=() base key
  key=$(vagrant_key)
  suites=$(kernel_suites "$1")
  base=${suites##* }
  [ "$1" != 5.10 ] || base=bookworm # older ones are not looked after
  case " $suites " in
    *" $base "*) ;;
    *) suites="$suites $base" ;;
  esac
  for suite in $suites; do
    sources+=("deb $(suite_address "$suite") $suite main")
  done
  mmdebstrap --variant=minbase --format=ext2 --quiet --include="linux-image-$2,$build_packages" \
    --customize-hook="$(quote "$here/machine/system") \"\$1\" $(quote "$key" "$2")" \
    "$base" "$3" "${sources[@]}"
}

# A disk $3 that boots file system $2; directory $1 is for what comes between.
build_disk() {
  local first=2048 sectors=$((8 << 21)) # of 512 bytes
  truncate --size=$(((sectors - first) * 512)) "$2"
  resize2fs "$2" >/dev/null 2>&1
  tune2fs -O has_journal,extents,dir_index "$2" >/dev/null
  grub-mkimage --format=i386-pc --directory="$grub" --prefix='(hd0,msdos1)/boot/grub' \
    --output="$1/core.img" biosdisk part_msdos ext2 normal linux serial terminal
  truncate --size=$((sectors * 512)) "$3"
  echo "start=$first, type=83, bootable" | sfdisk --quiet --label dos "$3"
  # the program of the first sector ends where its table of partitions begins
  dd if="$grub/boot.img" of="$3" bs=440 count=1 conv=notrunc status=none
  dd if="$1/core.img" of="$3" bs=512 seek=1 conv=notrunc status=none
  dd if="$2" of="$3" bs=1M seek=1 conv=notrunc,sparse status=none
}

build_description() {
  echo '{"provider": "libvirt", "format": "qcow2", "virtual_size": 8}' >"$1/metadata.json"
  cat >"$1/Vagrantfile" <<'END'
# KVM may be there and yet not run a kernel: OVL_VAGRANT_DRIVER=kvm takes it.
Vagrant.configure("2") do |config|
  config.vm.boot_timeout = 900
  config.vm.provider :libvirt do |libvirt|
    libvirt.driver = ENV.fetch("OVL_VAGRANT_DRIVER", "qemu")
    if libvirt.driver == "qemu"
      libvirt.cpu_mode = "custom"
      libvirt.cpu_model = "Nehalem"
    end
  end
end
END
}
