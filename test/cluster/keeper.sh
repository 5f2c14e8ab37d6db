#!/bin/sh
# keeper.sh FOLDER [ADDRESS]: makes namespaces for the programs of one cluster and keeps them while its standard input is open. When
# that closes, because the test is over or because its process is gone, the kernel ends every process inside, with all their mounts
# and links, and then the cgroups and FOLDER go too. Prints `ready` once programs may enter.
set -eu
folder=$1
name=${folder##*/}
apart='--mount --propagation private --pid --fork --kill-child=SIGKILL --mount-proc'
[ -z "${2:-}" ] || apart="$apart --net"
status=0
# shellcheck disable=SC2086 # a list of words
unshare $apart sh "$(dirname "$0")/first-process.sh" "$@" || status=$?
for group in /sys/fs/cgroup/"$name" /sys/fs/cgroup/*/"$name"; do
  [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} \;
done
rm -rf --one-file-system "$folder"
exit "$status"
