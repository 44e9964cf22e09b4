# Sourced after checks.sh by scripts that start several processes: ends them with 77 (ctest: skipped)
# where mpirun or this build's MPI is missing.

# As root in a container, and with more processes than processors; --quiet: Open MPI's own frame
# around an error is not ours to count.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export TWINAGE_ISA=baseline # whatever the machine has: two sorts would not be let train together
run_by() {                  # RANKS COMMAND...
  local count=$1
  shift
  if [ "$count" = 1 ]; then "$@"; else mpirun --quiet -n "$count" "$@"; fi
}
command -v mpirun >/dev/null || { echo "mpirun was not found"; exit 77; }
mpirun -n 2 "$twinage" train --out none 2>&1 | grep -q "this build trains with one" &&
  { echo "this build has no MPI"; exit 77; }
