#!/bin/sh
# first-process.sh FOLDER [ADDRESS]: the first process of a cluster's namespaces, or of a node's, whose network has this address. It
# also reaps what the others leave behind.
set -eu
cd "$1"
mount --make-rshared /

if [ -n "${2:-}" ]; then
  # Nobody answers: a name that a program asks for fails at once.
  echo 'nameserver 127.0.0.1' >resolv.conf
  mount --bind resolv.conf /etc/resolv.conf

  # containerd, the kubelet, CNI and iptables write there, at paths that cannot all be chosen.
  mkdir -p run lib log
  mount --bind run /run
  mount --bind lib /var/lib
  mount --bind log /var/log

  # The kubelet sets these for the whole machine; it finds them set.
  mkdir -p settings
  for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
    file=/proc/sys/${setting%=*}
    copy=settings/$(basename "$file")
    echo "${setting#*=}" >"$copy"
    mount --bind "$copy" "$file"
  done

  # The node's address is on a link that ends inside.
  ip link set lo up
  ip link add node0 type veth peer name node1
  ip link set node1 up
  ip address add "$2/24" dev node0
  ip link set node0 up
  ip route add default dev node0
  # Packets between pods and services pass through the host; bridged ones too must see the rules of services.
  echo 1 >/proc/sys/net/ipv4/ip_forward
  echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
fi

echo ready
cat >/dev/null
exit
