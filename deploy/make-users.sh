#!/bin/bash
# Makes the server's ACL file of the template users.acl, with a random password for every user.
#
#   deploy/make-users.sh DIRECTORY [HOST:PORT] [NAMESPACE]
#
# DIRECTORY/users.acl is for the Redis server and holds the passwords' SHA-256 only; DIRECTORY/USER.env holds the
# environment of the one program that connects as USER. A user whose file is there already keeps its password, so the
# script can be run again after the template was changed.
set -euo pipefail

if [ $# -lt 1 ] || [ $# -gt 3 ]; then
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 64
fi
directory=$1
server=${2:-127.0.0.1:6379}
namespace=${3:-skald}
[[ $namespace =~ ^[a-z0-9-]{1,32}$ ]] || { echo "not a namespace: $namespace" >&2; exit 64; }
template=$(dirname "$0")/users.acl

umask 077
mkdir -p "$directory"

# Comments go, continued lines are joined, and the namespace is put in its place.
lines=$(sed -e '/^[[:space:]]*#\([[:space:]]\|$\)/d' -e '/^[[:space:]]*$/d' "$template" |
    awk '/^[^ \t]/ { if (line != "") print line; line = $0; next } { sub(/^[ \t]+/, " "); line = line $0 } END { print line }' |
    sed -e "s/{skald\\(:\\*\\)\\{0,1\\}}/{$namespace\\1}/g")

acl=$(mktemp "$directory/users.acl.XXXXXX")
trap 'rm -f "$acl"' EXIT
while IFS= read -r line; do
    if [[ $line != *'#@password@'* ]]; then
        echo "$line"
        continue
    fi
    user=$(cut -d ' ' -f 2 <<<"$line")
    environment=$directory/$user.env
    if [ ! -e "$environment" ]; then
        password=$(od -An -N 32 -t x1 /dev/urandom | tr -d ' \n')
        {
            echo "SKALD_REDIS_URL=redis://$user:$password@$server"
            echo "SKALD_NAMESPACE=$namespace"
        } >"$environment"
    fi
    password=$(sed -n "s|^SKALD_REDIS_URL=redis://$user:\\([^@]*\\)@.*|\\1|p" "$environment")
    [ -n "$password" ] || { echo "$environment holds no password for $user" >&2; exit 1; }
    hash=$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)
    echo "${line/'#@password@'/#$hash}"
done <<<"$lines" >"$acl"

mv "$acl" "$directory/users.acl"
echo "made $directory/users.acl and $(grep -c '#' "$directory/users.acl") users' environments"
