# shellcheck shell=bash
# Guests in QEMU.

qemu_accelerator=

qemu_prepare() {
  need qemu-system-x86_64=qemu-system-x86
  guest_transport=9p guest_starter=qemu_start
  qemu_accelerate
}

# What runs the guest's instructions: KVM where it works, which is tried once a boot of this machine,
# since it may be there and yet not run a kernel; else QEMU itself.
qemu_accelerate() {
  local trial
  trial=$box_cache/kvm-$(cat /proc/sys/kernel/random/boot_id)
  if [ ! -e "$trial" ]; then
    mkdir -p "$box_cache"
    rm -f "$box_cache"/kvm-*
    (qemu_try_kvm) >"$trial"
  fi
  qemu_accelerator=$(cat "$trial")
}

qemu_try_kvm() {
  qemu_accelerator=kvm
  guest_limit=15
  if [ -w /dev/kvm ] && guest_boot yes 2>/dev/null && wait "$guest_pid"; then
    echo kvm
  else
    echo tcg
  fi
}

qemu_start() {
  local options=(
    -smp 2 -m "$guest_memory" -nodefaults -no-user-config -display none -no-reboot
    -chardev "file,id=console,path=$guest_scratch/console" -serial chardev:console
    -kernel "$guest_kernel" -initrd "$guest_scratch/initrd"
    # the timer's check fails on a busy host
    -append "console=ttyS0 panic=-1 loglevel=5 mitigations=off no_timer_check"
    -device virtio-rng-pci
  )
  # A plain processor: what newer ones have to protect themselves makes QEMU ten times slower.
  case $qemu_accelerator in
    kvm) options+=(-accel kvm -cpu host) ;;
    *) options+=(-accel "tcg,thread=multi" -cpu "Nehalem,+rdrand") ;;
  esac
  qemu_share root / readonly=on,multidevs=remap
  qemu_share work "$guest_scratch/work" readonly=off
  [ -z "$guest_out" ] || qemu_share out "$guest_out" readonly=off
  guest_start qemu-system-x86_64 "${options[@]}"
}

# Adds directory $2 as tag $1 with options $3 to the options.
qemu_share() {
  options+=(
    -fsdev "local,id=$1,path=${2//,/,,},security_model=none,$3"
    -device "virtio-9p-pci,fsdev=$1,mount_tag=$1"
  )
}
