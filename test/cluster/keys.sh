#!/bin/sh
# keys.sh FOLDER: the keys of one cluster, in FOLDER: two authorities and what they sign, for a month. Every server is reached by
# 127.0.0.1, where nodes share the machine's network, or by 10.199.0.1 and 10.199.0.2, where the cluster has one of its own.
set -eu
cd "$1"

make_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

make_authority() { # NAME
  make_key "$1"
  openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 30 -sha256 \
    -addext keyUsage=critical,digitalSignature,keyCertSign,cRLSign -out "$1.crt"
}

sign() { # NAME SUBJECT AUTHORITY [OTHER-NAMES]
  make_key "$1"
  printf 'keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n' >"$1.ext"
  [ -z "${4:-}" ] || echo "subjectAltName=$4" >>"$1.ext"
  openssl req -new -key "$1.key" -subj "$2" |
    openssl x509 -req -CA "$3.crt" -CAkey "$3.key" -set_serial "0x$(openssl rand -hex 8)" -days 30 -sha256 \
      -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}

addresses=IP:127.0.0.1,IP:10.199.0.1,IP:10.199.0.2,DNS:localhost
make_authority ca
make_authority front
sign apiserver /CN=kube-apiserver ca "$addresses,IP:10.96.0.1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
sign admin /O=system:masters/CN=admin ca "$addresses"
sign controllers /CN=system:kube-controller-manager ca
sign scheduler /CN=system:kube-scheduler ca
sign proxy /CN=system:kube-proxy ca
sign front-client /CN=front-proxy-client front
for node in real-1 real-2; do sign "$node" "/O=system:nodes/CN=system:node:$node" ca "$addresses,DNS:$node"; done
make_key accounts
openssl ec -in accounts.key -pubout -out accounts.pub 2>/dev/null
