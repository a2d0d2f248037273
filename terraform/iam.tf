# What each program may ask of each queue, and nothing else: the calls were counted on the running
# workers. SQS checks the batch calls under the names of the single ones.

locals {
  workers = {
    intake   = { publishes = "request", consumes = "confirmation" }
    decision = { publishes = "confirmation", consumes = "request" }
  }

  main_arns = { for name, queue in aws_sqs_queue.main : name => queue.arn }

  grants = merge({
    for worker, queues in local.workers : worker => {
      Publish = {
        actions = ["sqs:SendMessage"]
        queues  = [local.main_arns[queues.publishes]]
      }
      Consume = {
        actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
        queues  = [local.main_arns[queues.consumes]]
      }
      # To bury, and for `bookflow dlq list` and `show` beside the worker.
      DeadLetters = {
        actions = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
        queues  = [local.dead_letter_arns[queues.consumes]]
      }
    }
    }, {
    # `bookflow doctor`, `queues` and `dlq`: reads and drops dead letters, sends them to their queue again.
    operator = {
      Look = {
        actions = ["sqs:GetQueueAttributes"]
        queues  = concat([for name in local.queues : local.main_arns[name]], [for name in local.queues : local.dead_letter_arns[name]])
      }
      DeadLetters = {
        actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
        queues  = [for name in local.queues : local.dead_letter_arns[name]]
      }
      Redrive = {
        actions = ["sqs:SendMessage"]
        queues  = [for name in local.queues : local.main_arns[name]]
      }
    }
  })

  # All programs send and receive, which needs both; only through SQS, which KMS knows by this suffix in
  # every partition.
  key_statements = [for key in var.kms_key_arn[*] : {
    Sid      = "Key"
    Effect   = "Allow"
    Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource = [key]
    Condition = { StringEquals = {
      "kms:ViaService" = "sqs.${local.region}.amazonaws.com"
    } }
  }]

  iam_policy_documents = {
    for program, grants in local.grants : program => jsonencode({
      Version = "2012-10-17"
      Statement = concat([for name, grant in grants : {
        Sid      = name
        Effect   = "Allow"
        Action   = grant.actions
        Resource = grant.queues
      }], local.key_statements)
    })
  }
}

resource "aws_iam_policy" "program" {
  for_each = var.create_iam_policies ? toset(["intake", "decision", "operator"]) : toset([])

  name        = "${var.name_prefix}-${each.key}"
  path        = var.iam_path
  description = "bookflow ${each.key}: the queues of ${var.name_prefix}"
  policy      = local.iam_policy_documents[each.key]
  tags        = var.tags
}
