#!/usr/bin/env bash
# Several machines made of one: hosts.sh HOSTS RATE DELAY TWINAGE ARGUMENT...
#
#   sudo benchmarks/hosts.sh 2 1gbit 0 build/release/twinage train --data faces --steps 50 --threads 1 \
#     --set training.shards=2 --out run
#
# Starts one process on each of HOSTS "machines": network namespaces with names and addresses of their own, joined by
# a switch. Each sends at most RATE (tc's words: 100mbit, 1gbit), and a packet takes DELAY (0, 100us, 1ms) to the switch and
# no time from there; other delays than 0 need a kernel with netem. The processes talk over TCP as between real machines; their processors are this machine's, so
# that more HOSTS than processors measure nothing but the network. Needs root, iproute2 and Open MPI; changes nothing
# outside of its namespaces, which go at the end.
set -euo pipefail
[ $# -ge 5 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
hosts=$1 rate=$2 delay=$3
shift 3
[ "$(id -u)" = 0 ] || { echo "hosts.sh: network namespaces need root" >&2; exit 1; }
for program in ip tc mpirun; do
  command -v "$program" >/dev/null || { echo "hosts.sh: $program is missing: iproute2, openmpi-bin" >&2; exit 1; }
done
name=tw$$
agent=$(mktemp)
cleanup() {
  for ((h = 0; h < hosts; ++h)); do ip netns del "$name-$h" 2>/dev/null || true; done
  ip netns del "$name-switch" 2>/dev/null || true
  rm -f "$agent"
}
trap cleanup EXIT

ip netns add "$name-switch"
ip -n "$name-switch" link add bridge type bridge
ip -n "$name-switch" link set bridge up
list=
for ((h = 0; h < hosts; ++h)); do
  ip netns add "$name-$h"
  ip -n "$name-$h" link set lo up
  ip -n "$name-$h" link add eth0 type veth peer name "port$h" netns "$name-switch"
  ip -n "$name-$h" address add "10.77.0.$((h + 1))/24" dev eth0
  ip -n "$name-$h" link set eth0 up
  ip -n "$name-switch" link set "port$h" master bridge up
  if [ "$delay" = 0 ]; then
    tc -n "$name-$h" qdisc add dev eth0 root tbf rate "$rate" burst 128kb latency 100ms
  else
    tc -n "$name-$h" qdisc add dev eth0 root netem rate "$rate" delay "$delay" limit 10000
  fi
  list+=${list:+,}10.77.0.$((h + 1)):1
done

# What mpirun calls instead of ssh: agent ADDRESS COMMAND...
cat >"$agent" <<AGENT
#!/bin/bash
while [ "\${1#-}" != "\$1" ]; do shift; done
host=\$((\${1##*.} - 1))
shift
exec ip netns exec "$name-\$host" unshare --uts bash -c "hostname $name-\$host; \$*"
AGENT
chmod +x "$agent"
ip netns exec "$name-0" unshare --uts bash -c 'hostname "$0"; exec "$@"' "$name-0" \
  mpirun --quiet --allow-run-as-root --mca plm_rsh_agent "$agent" --mca btl tcp,self --mca btl_tcp_if_include eth0 \
  --mca oob_tcp_if_include eth0 --mca pml ob1 --bind-to none --host "$list" -n "$hosts" "$@"
