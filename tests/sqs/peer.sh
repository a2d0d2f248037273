# How a test in bash has an SQS server: behind the verifying proxy of peer.mjs. Sourced with $build
# set; ends with the shell that started it. See peer.mjs for what it can be told.
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2153,SC2154

AWS_ACCESS_KEY_ID=AKIDEXAMPLE
AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
node='' peer_pid='' peer_in='' peer_control='' peer_url=''

# start_peer FOLDER: there the queues outlive a kill of the server; '' = in memory.
start_peer()
{
    local said
    node=$("$(dirname "${BASH_SOURCE[0]}")/peers.sh" "$build")
    coproc PEER { exec "$node" "$build/../sqs-peers/peer.mjs" ${1:+"$1"}; }
    peer_pid=$PEER_PID
    exec {peer_in}>&"${PEER[1]}"
    read -r -t 60 said <&"${PEER[0]}" || {
        echo 'the SQS peer does not start' >&2
        return 1
    }
    peer_control=$(jq -r .control <<<"$said")
    peer_url=$(jq -r .url <<<"$said")
}

stop_peer()
{
    exec {peer_in}>&-
    kill "$peer_pid" 2>/dev/null || true
    wait "$peer_pid" 2>/dev/null || true
}

# peer PATH [JSON]: tells or asks it; prints the answer.
peer()
{
    curl -q --noproxy '*' -sS --fail-with-body --max-time 30 ${2+-d "$2"} "$peer_control$1"
}

# queue_url NAME
queue_url()
{
    echo "$peer_url/000000000000/$1"
}

# sdk VERB QUEUE_NAME: the AWS SDK as another producer or consumer; see sdk.mjs.
sdk()
{
    AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY \
        "$node" --no-warnings "$build/../sqs-peers/sdk.mjs" "$peer_url" "$1" "$(queue_url "$2")"
}
