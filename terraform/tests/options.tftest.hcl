# What can be chosen.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "a_prefix_for_everything" {
  command = plan

  variables {
    name_prefix       = "salon_7"
    dashboard_enabled = true
  }

  assert {
    condition     = [for name in ["request", "confirmation"] : [aws_sqs_queue.main[name].name, aws_sqs_queue.dead_letters[name].name]] == [["salon_7-request", "salon_7-request-dlq"], ["salon_7-confirmation", "salon_7-confirmation-dlq"]]
    error_message = "Queues."
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.queue : startswith(alarm.alarm_name, "salon_7-")]) && aws_cloudwatch_metric_alarm.queue["request-depth"].dimensions == tomap({ QueueName = "salon_7-request" })
    error_message = "Alarms."
  }
  assert {
    condition     = aws_cloudwatch_dashboard.queues[0].dashboard_name == "salon_7"
    error_message = "The dashboard."
  }
}

run "tags_for_everything" {
  command = plan

  variables {
    tags = { team = "bookings", stage = "test" }
  }

  assert {
    condition = alltrue([for resource in concat(
      values(aws_sqs_queue.main), values(aws_sqs_queue.dead_letters), values(aws_iam_policy.program), values(aws_cloudwatch_metric_alarm.queue)
    ) : resource.tags == tomap({ team = "bookings", stage = "test" })])
    error_message = "Queues, policies, alarms."
  }
}

run "fifo_queues_have_fifo_dead_letters" {
  command = plan

  variables {
    fifo = true
  }

  assert {
    condition     = toset([for queue in concat(values(aws_sqs_queue.main), values(aws_sqs_queue.dead_letters)) : queue.name]) == toset(["bookflow-request.fifo", "bookflow-confirmation.fifo", "bookflow-request-dlq.fifo", "bookflow-confirmation-dlq.fifo"])
    error_message = "The suffix comes last."
  }
  assert {
    condition = alltrue([for queue in concat(values(aws_sqs_queue.main), values(aws_sqs_queue.dead_letters)) :
      queue.fifo_queue && queue.deduplication_scope == "queue" && queue.fifo_throughput_limit == "perQueue" && queue.content_based_deduplication != true
    ])
    error_message = "The workers name what is a repetition, SQS counts by queue."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.queue["request-depth"].dimensions == tomap({ QueueName = "bookflow-request.fifo" })
    error_message = "Alarms watch them under their whole name."
  }
}

run "fifo_queues_by_message_group" {
  command = plan

  variables {
    fifo                 = true
    fifo_high_throughput = true
  }

  assert {
    condition = alltrue([for queue in concat(values(aws_sqs_queue.main), values(aws_sqs_queue.dead_letters)) :
      queue.deduplication_scope == "messageGroup" && queue.fifo_throughput_limit == "perMessageGroupId"
    ])
    error_message = "High throughput needs both."
  }
}

run "a_key_for_all_four" {
  command = plan

  variables {
    kms_key_arn                       = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    kms_data_key_reuse_period_seconds = 7200
  }

  # The provider refuses both kinds of encryption together, even SSE-SQS = false.
  assert {
    condition = alltrue([for queues in [aws_sqs_queue.main, aws_sqs_queue.dead_letters] :
      queues["request"].sqs_managed_sse_enabled && !queues["confirmation"].sqs_managed_sse_enabled
    ])
    error_message = "SSE-SQS is left to AWS, which says true of the first and false of the others."
  }
  assert {
    condition = alltrue([for queue in concat(values(aws_sqs_queue.main), values(aws_sqs_queue.dead_letters)) :
      queue.kms_master_key_id == var.kms_key_arn && queue.kms_data_key_reuse_period_seconds == 7200
    ])
    error_message = "The key for queues and dead letters."
  }
}

run "a_key_is_reused_for_an_hour" {
  command = plan

  variables {
    kms_key_arn = "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
  }

  assert {
    condition     = alltrue([for queue in aws_sqs_queue.main : queue.kms_data_key_reuse_period_seconds == 3600])
    error_message = "So that KMS is called seldom; keys of any partition and of several regions will do."
  }
}

run "dead_letter_queues_that_are_there" {
  command = plan

  variables {
    existing_dead_letter_queue_arns = {
      request      = "arn:aws:sqs:eu-central-1:111122223333:old-request-dlq"
      confirmation = "arn:aws:sqs:eu-central-1:111122223333:old-confirmation-dlq"
    }
  }

  assert {
    condition     = length(aws_sqs_queue.dead_letters) == 0 && length(aws_sqs_queue_redrive_allow_policy.dead_letters) == 0
    error_message = "None is made, none is touched."
  }
  assert {
    condition     = toset(keys(aws_sqs_queue_policy.tls_only)) == toset(["request", "confirmation"])
    error_message = "Only the own queues get a policy."
  }
  assert {
    condition     = alltrue([for name, queue in aws_sqs_queue.main : jsondecode(queue.redrive_policy).deadLetterTargetArn == "arn:aws:sqs:eu-central-1:111122223333:old-${name}-dlq"])
    error_message = "Each queue's letters go to the one that is given for it."
  }
  assert {
    condition     = output.dead_letter_queue_arns == { for name in ["request", "confirmation"] : name => "arn:aws:sqs:eu-central-1:111122223333:old-${name}-dlq" }
    error_message = "The output names them."
  }
}

run "attempts_reach_the_workers" {
  command = plan

  variables {
    max_attempts      = 20
    max_receive_count = 50
  }

  assert {
    condition     = alltrue([for file in values(output.environment_files) : contains(split("\n", file), "BOOKFLOW_MAX_ATTEMPTS=20")])
    error_message = "Queue and workers are told the same."
  }
  assert {
    condition     = alltrue([for queue in aws_sqs_queue.main : jsondecode(queue.redrive_policy).maxReceiveCount == 50])
    error_message = "SQS waits longer than the workers try."
  }
}

run "an_endpoint_for_the_workers" {
  command = plan

  variables {
    endpoint_url = "https://vpce-0a1b-2c3d.sqs.eu-central-1.vpce.amazonaws.com"
  }

  assert {
    condition     = alltrue([for file in values(output.environment_files) : endswith(file, "\nAWS_ENDPOINT_URL_SQS=https://vpce-0a1b-2c3d.sqs.eu-central-1.vpce.amazonaws.com\n")])
    error_message = "In both files."
  }
  assert {
    condition     = alltrue([for file in values(output.environment_files) : strcontains(file, "QUEUE_URL=https://sqs.eu-central-1.amazonaws.com/111122223333/bookflow-request\n")])
    error_message = "The queues keep their own URLs."
  }
}

run "a_server_on_this_machine" {
  command = plan

  variables {
    endpoint_url = "http://localhost:4566/"
  }

  assert {
    condition = alltrue([for file in values(output.environment_files) : strcontains(file, join("\n", [
      "SQS_BOOKING_REQUEST_QUEUE_URL=http://localhost:4566/111122223333/bookflow-request",
      "SQS_BOOKING_CONFIRMATION_QUEUE_URL=http://localhost:4566/111122223333/bookflow-confirmation\n",
    ]))])
    error_message = "The queues are where it listens, by whatever name it calls itself."
  }
}
