# Each program's policy, whole: what is not listed here is not allowed.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  sqs = "arn:aws:sqs:eu-central-1:111122223333:bookflow"
}

run "intake_sends_requests_and_receives_confirmations" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(aws_iam_policy.program["intake"].policy).Statement : statement.Sid => statement
      } == {
      Publish = {
        Sid    = "Publish", Effect = "Allow", Resource = ["${var.sqs}-request"]
        Action = ["sqs:SendMessage"]
      }
      Consume = {
        Sid    = "Consume", Effect = "Allow", Resource = ["${var.sqs}-confirmation"]
        Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
      }
      DeadLetters = {
        Sid    = "DeadLetters", Effect = "Allow", Resource = ["${var.sqs}-confirmation-dlq"]
        Action = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
      }
    }
    error_message = "Three statements, on three queues."
  }
}

run "decision_receives_requests_and_sends_confirmations" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(aws_iam_policy.program["decision"].policy).Statement : statement.Sid => statement
      } == {
      Publish = {
        Sid    = "Publish", Effect = "Allow", Resource = ["${var.sqs}-confirmation"]
        Action = ["sqs:SendMessage"]
      }
      Consume = {
        Sid    = "Consume", Effect = "Allow", Resource = ["${var.sqs}-request"]
        Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
      }
      DeadLetters = {
        Sid    = "DeadLetters", Effect = "Allow", Resource = ["${var.sqs}-request-dlq"]
        Action = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
      }
    }
    error_message = "Intake's, mirrored."
  }
}

run "the_operator_mends_dead_letters" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(aws_iam_policy.program["operator"].policy).Statement : statement.Sid => merge(statement, { Resource = toset(statement.Resource) })
      } == {
      Look = {
        Sid    = "Look", Effect = "Allow", Resource = toset([for name in ["request", "confirmation", "request-dlq", "confirmation-dlq"] : "${var.sqs}-${name}"])
        Action = ["sqs:GetQueueAttributes"]
      }
      DeadLetters = {
        Sid    = "DeadLetters", Effect = "Allow", Resource = toset(["${var.sqs}-request-dlq", "${var.sqs}-confirmation-dlq"])
        Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
      }
      Redrive = {
        Sid    = "Redrive", Effect = "Allow", Resource = toset(["${var.sqs}-request", "${var.sqs}-confirmation"])
        Action = ["sqs:SendMessage"]
      }
    }
    error_message = "Looks at all four, reads and drops dead letters, sends them to their queue again."
  }
}

run "no_policy_has_a_wildcard" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  assert {
    condition     = length(aws_iam_policy.program) == 3 && alltrue([for policy in aws_iam_policy.program : !strcontains(policy.policy, "*")])
    error_message = "Neither in an action nor in a resource, with a key or without."
  }
}

run "a_key_is_granted_through_sqs_only" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  assert {
    condition = alltrue([for policy in aws_iam_policy.program : [
      for statement in jsondecode(policy.policy).Statement : statement if statement.Sid == "Key"
      ] == [{
        Sid       = "Key"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.kms_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = "sqs.eu-central-1.amazonaws.com" } }
    }]])
    error_message = "Each program may use this key, and only for what SQS does with it."
  }
}

run "a_key_in_another_partition" {
  command = plan

  override_resource {
    target          = aws_sqs_queue.main["request"]
    override_during = plan
    values          = { arn = "arn:aws-cn:sqs:cn-north-1:111122223333:bookflow-request", url = "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/bookflow-request" }
  }

  variables {
    kms_key_arn = "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  assert {
    condition     = alltrue([for policy in aws_iam_policy.program : strcontains(policy.policy, "\"kms:ViaService\":\"sqs.cn-north-1.amazonaws.com\"")])
    error_message = "KMS knows SQS by one suffix everywhere."
  }
}

run "no_key_no_grant" {
  command = plan

  assert {
    condition     = alltrue([for policy in aws_iam_policy.program : !strcontains(policy.policy, "kms:")])
    error_message = "SSE-SQS needs no permission."
  }
}

run "policies_are_named_and_placed" {
  command = plan

  variables {
    name_prefix = "salon-eu"
    iam_path    = "/bookflow/"
  }

  assert {
    condition     = { for program, policy in aws_iam_policy.program : program => "${policy.path}${policy.name}" } == { for program in ["intake", "decision", "operator"] : program => "/bookflow/salon-eu-${program}" }
    error_message = "They carry the prefix and lie at the path."
  }
}

run "only_documents_where_iam_is_somebody_elses" {
  command = plan

  variables {
    create_iam_policies = false
  }

  assert {
    condition     = length(aws_iam_policy.program) == 0 && output.iam_policy_arns == {}
    error_message = "No policy is made."
  }
  assert {
    condition     = [for program in ["intake", "decision", "operator"] : length(jsondecode(output.iam_policy_documents[program]).Statement)] == [3, 3, 3]
    error_message = "The documents are there."
  }
}

run "the_dead_letter_grants_follow_an_existing_queue" {
  command = plan

  variables {
    existing_dead_letter_queue_arns = {
      request      = "arn:aws:sqs:eu-central-1:111122223333:old-request-dlq"
      confirmation = "arn:aws:sqs:eu-central-1:111122223333:old-confirmation-dlq"
    }
  }

  assert {
    condition = { for worker in ["intake", "decision"] : worker => one([
      for statement in jsondecode(output.iam_policy_documents[worker]).Statement : one(statement.Resource) if statement.Sid == "DeadLetters"
    ]) } == { intake = "arn:aws:sqs:eu-central-1:111122223333:old-confirmation-dlq", decision = "arn:aws:sqs:eu-central-1:111122223333:old-request-dlq" }
    error_message = "Each worker's own."
  }
}
