# What one call without any setting makes.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "two_queues_with_the_workers_in_mind" {
  command = plan

  assert {
    condition     = { for name, queue in aws_sqs_queue.main : name => queue.name } == { request = "bookflow-request", confirmation = "bookflow-confirmation" }
    error_message = "The queues are called after the prefix."
  }
  assert {
    condition     = alltrue([for queue in aws_sqs_queue.main : queue.visibility_timeout_seconds == 30 && queue.receive_wait_time_seconds == 20 && queue.delay_seconds == 0])
    error_message = "A received message is hidden for 30 s, a receive waits for 20 s, nothing is delayed."
  }
  assert {
    condition     = alltrue([for queue in aws_sqs_queue.main : queue.message_retention_seconds == 345600 && queue.max_message_size == 262144])
    error_message = "Messages are kept for four days and are at most 256 KiB."
  }
  assert {
    condition     = alltrue([for queue in aws_sqs_queue.main : !queue.fifo_queue && queue.deduplication_scope == "unset" && queue.fifo_throughput_limit == "unset"])
    error_message = "Standard queues have no FIFO settings."
  }
}

run "two_dead_letter_queues" {
  command = plan

  assert {
    condition     = { for name, queue in aws_sqs_queue.dead_letters : name => queue.name } == { request = "bookflow-request-dlq", confirmation = "bookflow-confirmation-dlq" }
    error_message = "They are called after their queues."
  }
  assert {
    condition     = alltrue([for queue in aws_sqs_queue.dead_letters : queue.message_retention_seconds == 1209600])
    error_message = "Dead letters are kept for 14 days, longer than messages."
  }
  assert {
    condition     = alltrue([for queue in aws_sqs_queue.dead_letters : queue.max_message_size == 1048576])
    error_message = "A dead letter is larger than its message: it carries its reason."
  }
  assert {
    condition     = alltrue([for queue in aws_sqs_queue.dead_letters : queue.visibility_timeout_seconds == 30 && queue.redrive_policy == "unset"])
    error_message = "They are read as the others are, and have no dead letters themselves."
  }
}

run "each_queue_has_its_own_dead_letters" {
  command = plan

  assert {
    condition = alltrue([for name, queue in aws_sqs_queue.main :
      jsondecode(queue.redrive_policy) == { deadLetterTargetArn = "arn:aws:sqs:eu-central-1:111122223333:bookflow-${name}-dlq", maxReceiveCount = 100 }
    ])
    error_message = "After 100 receives to the queue's own dead-letter queue."
  }
  assert {
    condition = length(aws_sqs_queue_redrive_allow_policy.dead_letters) == 2 && alltrue([for name, allow in aws_sqs_queue_redrive_allow_policy.dead_letters :
      jsondecode(allow.redrive_allow_policy) == { redrivePermission = "byQueue", sourceQueueArns = ["arn:aws:sqs:eu-central-1:111122223333:bookflow-${name}"] }
    ])
    error_message = "Each dead-letter queue takes letters of its queue alone."
  }
  assert {
    condition     = alltrue([for name, allow in aws_sqs_queue_redrive_allow_policy.dead_letters : endswith(allow.queue_url, "/bookflow-${name}-dlq")])
    error_message = "The permission is the dead-letter queue's."
  }
}

run "all_four_are_encrypted_by_sqs" {
  command = plan

  assert {
    condition = alltrue([for queue in concat(values(aws_sqs_queue.main), values(aws_sqs_queue.dead_letters)) :
      queue.sqs_managed_sse_enabled && queue.kms_master_key_id == null && queue.kms_data_key_reuse_period_seconds == -1
    ])
    error_message = "SSE-SQS, and no word of a key."
  }
}

run "all_four_refuse_plain_http" {
  command = plan

  assert {
    condition     = toset([for policy in aws_sqs_queue_policy.tls_only : regex("[^/]+$", policy.queue_url)]) == toset(["bookflow-request", "bookflow-request-dlq", "bookflow-confirmation", "bookflow-confirmation-dlq"])
    error_message = "Each queue has a policy."
  }
  assert {
    condition = alltrue([for policy in aws_sqs_queue_policy.tls_only : jsondecode(policy.policy) == {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = "arn:aws:sqs:eu-central-1:111122223333:${regex("[^/]+$", policy.queue_url)}"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }]
    }])
    error_message = "It denies everybody everything without TLS, on this queue."
  }
}

run "the_environment_files_name_the_queues" {
  command = plan

  assert {
    condition = { for worker, file in output.environment_files : worker => file } == {
      for worker in ["intake", "decision"] : worker => <<-FILE
        # bookflow serve ${worker}
        AWS_REGION=eu-central-1
        SQS_BOOKING_REQUEST_QUEUE_URL=https://sqs.eu-central-1.amazonaws.com/111122223333/bookflow-request
        SQS_BOOKING_CONFIRMATION_QUEUE_URL=https://sqs.eu-central-1.amazonaws.com/111122223333/bookflow-confirmation
        BOOKFLOW_MAX_ATTEMPTS=8
      FILE
    }
    error_message = "Region, both queues and the attempts."
  }
}

run "the_outputs_name_what_was_made" {
  command = plan

  assert {
    condition     = output.queue_arns == { for name in ["request", "confirmation"] : name => "arn:aws:sqs:eu-central-1:111122223333:bookflow-${name}" }
    error_message = "queue_arns"
  }
  assert {
    condition     = output.queue_urls == { for name in ["request", "confirmation"] : name => "https://sqs.eu-central-1.amazonaws.com/111122223333/bookflow-${name}" }
    error_message = "queue_urls"
  }
  assert {
    condition     = output.dead_letter_queue_arns == { for name in ["request", "confirmation"] : name => "arn:aws:sqs:eu-central-1:111122223333:bookflow-${name}-dlq" }
    error_message = "dead_letter_queue_arns"
  }
}
