# Each edge of what SQS, IAM and CloudWatch take: what lies on it is accepted, the next value beyond is
# refused. Where one rule looks at two settings they are tried in a run of their own, since Terraform
# does not look at a rule whose other setting is wrong.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "lower_edges_are_accepted" {
  command = plan

  variables {
    name_prefix                       = "b"
    visibility_timeout_seconds        = 0
    receive_wait_time_seconds         = 0
    message_retention_seconds         = 60
    dead_letter_retention_seconds     = 61
    max_message_size                  = 1024
    delay_seconds                     = 0
    max_attempts                      = 1
    max_receive_count                 = 5
    kms_data_key_reuse_period_seconds = 60
    alarm_oldest_message_seconds      = 1
    alarm_queue_depth                 = 1
    alarm_no_traffic_minutes          = 1
    tags                              = { t = "" }
  }

  assert {
    condition = alltrue([for queue in concat(values(aws_sqs_queue.main), values(aws_sqs_queue.dead_letters)) :
      queue.visibility_timeout_seconds == 0 && queue.receive_wait_time_seconds == 0
    ])
    error_message = "What is set for all four reaches them."
  }
}

run "below_them_nothing_is" {
  command = plan

  variables {
    name_prefix                       = ""
    visibility_timeout_seconds        = -1
    receive_wait_time_seconds         = -1
    max_message_size                  = 1023
    delay_seconds                     = -1
    max_receive_count                 = 11
    endpoint_url                      = "https://:443"
    kms_data_key_reuse_period_seconds = 59
    alarm_oldest_message_seconds      = 0
    alarm_queue_depth                 = 0
    alarm_no_traffic_minutes          = 0
    tags                              = { "" = "bookings" }
  }

  expect_failures = [
    var.name_prefix, var.visibility_timeout_seconds, var.receive_wait_time_seconds, var.max_message_size, var.delay_seconds,
    var.max_receive_count, var.kms_data_key_reuse_period_seconds, var.alarm_oldest_message_seconds, var.alarm_queue_depth,
    var.alarm_no_traffic_minutes, var.tags, var.endpoint_url,
  ]
}

run "upper_edges_are_accepted" {
  command = plan

  variables {
    name_prefix                       = "a2345678901234567890123456789012345678901234567890-_345678"
    fifo                              = true
    visibility_timeout_seconds        = 43200
    receive_wait_time_seconds         = 20
    message_retention_seconds         = 1209599
    dead_letter_retention_seconds     = 1209600
    max_message_size                  = 1048576
    delay_seconds                     = 900
    max_attempts                      = 50
    max_receive_count                 = 1000
    kms_data_key_reuse_period_seconds = 86400
    alarm_oldest_message_seconds      = 1209598
    alarm_no_traffic_minutes          = 1440
    alarm_topic_arns                  = [for number in range(5) : "arn:aws:sns:eu-central-1:111122223333:topic-${number}"]
    tags                              = { for number in range(50) : format("%-128s", number) => format("%-256s", number) }
    iam_path                          = "/${join("", [for number in range(5) : "${format("%0100d", number)}/"])}bookf/"
  }

  assert {
    condition     = max([for queue in aws_sqs_queue.dead_letters : length(queue.name)]...) == 80 && length(var.iam_path) == 512
    error_message = "These are the edges: a queue's name of 80 characters, a path of 512."
  }
  assert {
    condition = alltrue(concat(
      [for queue in aws_sqs_queue.main : [queue.message_retention_seconds, queue.max_message_size, queue.delay_seconds] == [1209599, 1048576, 900]],
      [for queue in aws_sqs_queue.main : jsondecode(queue.redrive_policy).maxReceiveCount == 1000],
      [for queue in aws_sqs_queue.dead_letters : [queue.message_retention_seconds, coalesce(queue.delay_seconds, 0)] == [1209600, 0]],
    ))
    error_message = "What is set for the queues reaches them, and their dead letters come at once."
  }
}

run "above_them_nothing_is" {
  command = plan

  variables {
    name_prefix                       = "a2345678901234567890123456789012345678901234567890-_3456789"
    visibility_timeout_seconds        = 43201
    receive_wait_time_seconds         = 21
    max_message_size                  = 1048577
    delay_seconds                     = 901
    dead_letter_retention_seconds     = 1209601
    max_receive_count                 = 1001
    kms_data_key_reuse_period_seconds = 86401
    alarm_oldest_message_seconds      = 345600
    alarm_no_traffic_minutes          = 1441
    alarm_topic_arns                  = [for number in range(6) : "arn:aws:sns:eu-central-1:111122223333:topic-${number}"]
    tags                              = { for number in range(51) : "tag-${number}" => "" }
    iam_path                          = "/${join("", [for number in range(5) : "${format("%0100d", number)}/"])}bookfl/"
  }

  expect_failures = [
    var.name_prefix, var.visibility_timeout_seconds, var.receive_wait_time_seconds, var.max_message_size, var.delay_seconds,
    var.dead_letter_retention_seconds, var.max_receive_count, var.kms_data_key_reuse_period_seconds, var.alarm_oldest_message_seconds,
    var.alarm_no_traffic_minutes, var.alarm_topic_arns, var.tags, var.iam_path,
  ]
}

run "messages_are_kept_for_14_days_at_most" {
  command = plan

  variables {
    message_retention_seconds = 1209600
    existing_dead_letter_queue_arns = {
      request      = "arn:aws:sqs:eu-central-1:111122223333:${join("", [for number in range(8) : format("%010d", number)])}"
      confirmation = "arn:aws-cn:sqs:cn-north-1:111122223333:d"
    }
  }
}

run "messages_are_not_kept_for_less_than_a_minute" {
  command = plan

  variables {
    message_retention_seconds = 59
  }

  expect_failures = [var.message_retention_seconds]
}

run "nor_for_more_than_14_days" {
  command = plan

  variables {
    message_retention_seconds = 1209601
  }

  expect_failures = [var.message_retention_seconds]
}

run "dead_letters_are_kept_longer_than_messages" {
  command = plan

  variables {
    message_retention_seconds     = 600000
    dead_letter_retention_seconds = 600000
  }

  expect_failures = [var.dead_letter_retention_seconds]
}

run "a_worker_tries_once_at_least" {
  command = plan

  variables {
    max_attempts = 0
  }

  expect_failures = [var.max_attempts]
}

run "and_50_times_at_most" {
  command = plan

  variables {
    max_attempts = 51
  }

  expect_failures = [var.max_attempts]
}

run "receives_enough_for_the_attempts" {
  command = plan

  variables {
    max_attempts      = 50
    max_receive_count = 54
  }
}

run "receives_too_few_for_the_attempts" {
  command = plan

  variables {
    max_attempts      = 50
    max_receive_count = 53
  }

  expect_failures = [var.max_receive_count]
}

run "half_a_receive_is_none" {
  command = plan

  variables {
    max_receive_count = 12.5
  }

  expect_failures = [var.max_receive_count]
}

run "one_dead_letter_queue_is_not_two" {
  command = plan

  variables {
    existing_dead_letter_queue_arns = {
      request      = "arn:aws:sqs:eu-central-1:111122223333:old-dlq"
      confirmation = "arn:aws:sqs:eu-central-1:111122223333:old-dlq"
    }
  }

  expect_failures = [var.existing_dead_letter_queue_arns]
}

run "nor_is_it_enough" {
  command = plan

  variables {
    existing_dead_letter_queue_arns = {
      request      = "arn:aws:sqs:eu-central-1:111122223333:old-dlq"
      confirmation = null
    }
  }

  expect_failures = [var.existing_dead_letter_queue_arns]
}

run "a_standard_dead_letter_queue_is_not_for_fifo" {
  command = plan

  variables {
    fifo = true
    existing_dead_letter_queue_arns = {
      request      = "arn:aws:sqs:eu-central-1:111122223333:old-request-dlq.fifo"
      confirmation = "arn:aws:sqs:eu-central-1:111122223333:old-confirmation-dlq"
    }
  }

  expect_failures = [var.existing_dead_letter_queue_arns]
}

run "what_has_the_wrong_form" {
  command = plan

  variables {
    name_prefix              = "salon.7"
    tags                     = { "AWS:team" = "bookings" }
    max_attempts             = 8.5
    fifo_high_throughput     = true
    kms_key_arn              = "arn:aws:kms:eu-central-1:111122223333:alias/bookflow"
    iam_path                 = "bookflow"
    alarm_topic_arns         = ["arn:aws:sns:eu-central-1:111122223333:on-call.fifo"]
    alarm_no_traffic_minutes = 1.5
    endpoint_url             = "http://localhost:4566 # here"
    existing_dead_letter_queue_arns = {
      request      = "https://sqs.eu-central-1.amazonaws.com/111122223333/old-request-dlq"
      confirmation = "arn:aws:sqs:eu-central-1:111122223333:old-confirmation-dlq"
    }
  }

  expect_failures = [
    var.name_prefix, var.tags, var.max_attempts, var.fifo_high_throughput, var.kms_key_arn, var.iam_path, var.alarm_topic_arns,
    var.alarm_no_traffic_minutes, var.endpoint_url, var.existing_dead_letter_queue_arns,
  ]
}

run "a_tag_key_that_is_too_long" {
  command = plan

  variables {
    tags = { (format("%129s", "key")) = "" }
  }

  expect_failures = [var.tags]
}

run "a_tag_value_that_is_too_long" {
  command = plan

  variables {
    tags = { key = format("%257s", "value") }
  }

  expect_failures = [var.tags]
}

run "a_tag_that_iam_refuses" {
  command = plan

  variables {
    tags = { team = "bookings, mail" }
  }

  expect_failures = [var.tags]
}

run "no_credentials_in_the_clear" {
  command = plan

  variables {
    endpoint_url = "http://sqs.example.com:9324"
  }

  expect_failures = [var.endpoint_url]
}
