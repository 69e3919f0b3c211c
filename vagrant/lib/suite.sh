# shellcheck shell=bash
# The kernel suite: tests of the engine that judge the kernel they run on, run by the Java runtime that
# ovl is installed with.

suite_tags='kernel'
suite_classes=()
suite_reports=
suite_runtime=
suite_where=suite_in_guest
suite_jars=$checkout/mountd/it/target/kernel-suite

box_test() {
  local kernel kernels=() failed=0
  while [ $# -gt 0 ]; do
    case $1 in
      --vagrant) suite_where=suite_in_machine ;;
      --short) suite_tags='kernel & !slow' ;;
      --class)
        [ $# -ge 2 ] || usage_error "$1 wants a value"
        suite_classes+=("$2")
        shift
        ;;
      --reports)
        [ $# -ge 2 ] || usage_error "$1 wants a value"
        mkdir -p "$2"
        suite_reports=$(directory "$2")
        shift
        ;;
      -*) usage_error "no such option: $1" ;;
      all) kernels+=("${kernel_names[@]}") ;;
      *) kernels+=("$1") ;;
    esac
    shift
  done
  [ ${#kernels[@]} -gt 0 ] || usage_error "test wants KERNEL… or all"
  if [ "$suite_where" = suite_in_machine ]; then
    need vagrant=vagrant
  fi
  suite_find
  : "${suite_reports:=$checkout/target/boxes}"
  for kernel in "${kernels[@]}"; do
    suite_run "$kernel" || failed=1
  done
  suite_table "${kernels[@]}"
  return $failed
}

suite_find() {
  suite_runtime=$(runtime_find)
  [ -d "$suite_jars" ] || nothing_built
}

# The Java runtime that ovl is installed with.
runtime_find() {
  local runtime found=
  for runtime in "$checkout"/mountd/dist/target/ovl-*/runtime; do
    [ ! -x "$runtime/bin/java" ] || found=$runtime
  done
  [ -n "$found" ] || nothing_built
  echo "$found"
}

nothing_built() {
  fail "there is nothing to run yet: ./mvnw package -DskipTests"
}

# Runs the suite in kernel $1; its report and what it said go to a directory of its own.
suite_run() {
  local out status=0
  out=$suite_reports/$(suite_name "$1")
  rm -rf "$out"
  mkdir -p "$out"
  say "testing $1…"
  "$suite_where" "$1" "$out" 2>&1 | tee "$out/output" || status=${PIPESTATUS[0]}
  return "$status"
}

# Runs it in kernel $1, with directory $2 for the report. It ends when `box test` does.
suite_in_guest() {
  exec setpriv --pdeathsig TERM "$here/box" run --timeout "${OVL_BOX_LIMIT:-1800}" \
    --copy "$suite_runtime" --copy "$suite_jars" --out "$2" "$1" -- \
    "$suite_runtime/bin/java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED -cp "$suite_jars/*" \
    dev.ovl.testkit.KernelSuite "$2/report.tsv" "$suite_tags" "${suite_classes[@]}"
}

# The same in the machine that vagrant/Vagrantfile has for kernel $1, which is left running.
suite_in_machine() (
  local machine=ovl-$1 status=0
  cd "$here"
  vagrant up "$machine" </dev/null || fail "vagrant up $machine failed"
  vagrant upload machine/suite /tmp/suite "$machine" >/dev/null
  vagrant ssh "$machine" -c "sudo bash /tmp/suite $(quote "$suite_tags" "${suite_classes[@]}")" </dev/null ||
    status=$?
  vagrant ssh "$machine" -c 'cat /tmp/report.tsv' </dev/null >"$2/report.tsv"
  exit "$status"
)

# The directory of kernel $1: a file's is its name.
suite_name() {
  echo "${1##*/}"
}

# The reports of kernels $1… as a table, a line a class.
suite_table() {
  local kernel files=()
  for kernel; do
    files+=("$suite_reports/$(suite_name "$kernel")/report.tsv")
    [ -s "${files[-1]}" ] || printf '(no report)\t0\t1\t0\t0\n' >"${files[-1]}"
  done
  awk -F '\t' '
    function cell(column, class, seconds) {
      if (!((column, class) in passed)) return "-"
      return sprintf("%d%s%s %.0f s", passed[column, class],
        failed[column, class] ? "-" failed[column, class] : "",
        skipped[column, class] ? "/" skipped[column, class] : "", time[column, class] / 1000)
    }
    function add(class) {
      passed[column, class] += $2; failed[column, class] += $3
      skipped[column, class] += $4; time[column, class] += $5
    }
    FNR == 1 {
      name = FILENAME; sub("/report.tsv$", "", name); sub(".*/", "", name); heading[++column] = name
    }
    {
      name = $1; sub("^dev.ovl.(engine.)?", "", name)
      if (!(name in seen)) { seen[name] = 1; order[++count] = name }
      if (length(name) > width) width = length(name)
      add(name); add("all")
    }
    END {
      order[++count] = "all"
      printf "\n%-*s", width, "passed-failed/skipped"
      for (c = 1; c <= column; c++) printf "  %16s", heading[c]
      print ""
      for (n = 1; n <= count; n++) {
        printf "%-*s", width, order[n]
        for (c = 1; c <= column; c++) printf "  %16s", cell(c, order[n])
        print ""
      }
    }' "${files[@]}"
}
