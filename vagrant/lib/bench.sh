# shellcheck shell=bash
# The benchmark of overlay against aufs, mountd/bench/run aufs, run by the Java runtime that ovl is
# installed with, as the suite is.

# Enough for a file of 1024 MiB and its copy: a guest's tmpfs takes half of its memory.
bench_memory=5120 # MiB
bench_limit=3600  # seconds

box_bench() {
  local runtime kernel libraries=$checkout/mountd/bench/target/lib
  while [ $# -gt 0 ]; do
    case $1 in
      --memory | --timeout) [ $# -ge 2 ] || usage_error "$1 wants a value" ;;
    esac
    case $1 in
      --memory) bench_memory=$2 && shift ;;
      --timeout) bench_limit=$2 && shift ;;
      -*) usage_error "no such option: $1" ;;
      *) break ;;
    esac
    shift
  done
  [ $# -gt 0 ] || usage_error "bench wants KERNEL"
  kernel=$1
  shift
  runtime=$(runtime_find)
  [ -d "$libraries" ] || nothing_built
  OVL_BENCH_RUNTIME=$runtime box_run --memory "$bench_memory" --timeout "$bench_limit" \
    --copy "$runtime" --copy "$libraries" "$kernel" -- "$checkout/mountd/bench/run" aufs "$@"
}
