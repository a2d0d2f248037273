# Holds calls against policies. Input: what the peer counted; $documents: {PROGRAM: policy}. Each
# program's access key is its name. SQS checks the batch calls under the names of the single ones.
# Without patterns, "allowed" is "listed"; a pattern would be a grant that nobody used.

($documents | map_values([.Statement[] | select(.Effect == "Allow") | .Action[] as $action | .Resource[]
    | "\($action) \(split(":")[-1])"])) as $granted
| [.asked | keys[] | split(" ") | {program: .[0], call: "sqs:\(.[1] | rtrimstr("Batch")) \(.[2])"}] as $calls
| ($granted | with_entries(.key as $program | .value = [$calls[] | select(.program == $program).call])) as $asked
| {
    kinds: ($asked | map_values(length)),
    denied: ($asked | with_entries(.value -= $granted[.key])),
    unused: ($granted | with_entries(.value -= $asked[.key])),
    "allowed to the other worker": {
        intake: ($asked.intake - ($asked.intake - $granted.decision)),
        decision: ($asked.decision - ($asked.decision - $granted.intake)),
    },
}
