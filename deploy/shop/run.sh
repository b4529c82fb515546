#!/bin/bash
# The shop as it would be deployed, on one machine and in the foreground: a Redis server with the settings and users of
# deploy/, two orchestrators, and the shop's services, each connecting as a user of its own. Ctrl-C stops everything.
#
#   deploy/shop/run.sh [DIRECTORY]
#
# DIRECTORY (default: data/shop) holds the databases, the passwords and the logs, and is used again the next time.
# PORT is Redis' port (default 6380), PROGRAMS where the built programs lie (default: .build/debug).
set -euo pipefail

repository=$(cd "$(dirname "$0")/../.." && pwd)
directory=${1:-$repository/data/shop}
port=${PORT:-6380}
programs=${PROGRAMS:-$repository/.build/debug}
for program in skald shop-orders shop-inventory shop-payments; do
    [ -x "$programs/$program" ] || { echo "$programs/$program is missing: make build" >&2; exit 1; }
done
mkdir -p "$directory"/{redis,logs}
directory=$(cd "$directory" && pwd)
users=$directory/users
"$repository/deploy/make-users.sh" "$users" "127.0.0.1:$port"

# What was started, in its order; stopped in the reverse one, Redis last.
started=()
stop() {
    trap - EXIT INT TERM
    for ((index = ${#started[@]} - 1; index >= 0; index--)); do
        kill "${started[index]}" 2>/dev/null || true
        wait "${started[index]}" 2>/dev/null || true
    done
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start NAME USER PROGRAM ARGUMENT…: in a process group of its own, so that Ctrl-C leaves the order of the end to us.
start() {
    local name=$1 user=$2
    shift 2
    set -m
    (
        set -a
        # shellcheck source=/dev/null
        [ -z "$user" ] || . "$users/$user.env"
        exec "$@"
    ) >>"$directory/logs/$name.log" 2>&1 &
    started+=($!)
    set +m
}

skald() {
    (
        set -a
        # shellcheck source=/dev/null
        . "$users/skald-operator.env"
        exec "$programs/skald" "$@"
    )
}

start redis "" redis-server "$repository/deploy/redis.conf" --port "$port" --unixsocket "" --supervised no \
    --dir "$directory/redis" --logfile "$directory/logs/redis.log" --aclfile "$users/users.acl"
start orchestrator-a skald-orchestrator "$programs/skald" orchestrator --id a
start orchestrator-b skald-orchestrator "$programs/skald" orchestrator --id b
seed=$repository/deploy/shop/shop.json
start orders shop-orders "$programs/shop-orders" --database "$directory/orders.sqlite" --seed "$seed"
for consumer in 1 2; do
    start "inventory-$consumer" shop-inventory "$programs/shop-inventory" \
        --database "$directory/inventory.sqlite" --seed "$seed" --consumer "$consumer"
done
start payments shop-payments "$programs/shop-payments" --database "$directory/payments.sqlite" --seed "$seed"

# Both work from when Redis answers and the first orchestrator has opened the namespace.
until_done() {
    for _ in {1..100}; do
        "$@" >"$directory/logs/skald.log" 2>&1 && return
        sleep 0.1
    done
    cat "$directory/logs/skald.log" >&2
    exit 1
}
until_done skald apply "$repository/deploy/shop/order.yaml"
until_done skald status

cat <<TEXT

The shop is open; logs in $directory/logs. In another terminal, as the user who may start sagas:

  set -a; . $users/skald-starter.env; set +a
  $programs/skald start order --id o-1 --wait \\
      --input '{"order":"o-1","customer":"ada","day":"monday","lines":[{"sku":"tea","quantity":2}]}'

Try a quantity of 200 (too little stock) or the customer bob (too little money), kill what you like, and look:

  $programs/skald show o-1
TEXT

# Until Ctrl-C, or until something ends by itself.
wait -n "${started[@]}" || true
echo "a process has ended; see $directory/logs" >&2
exit 1
