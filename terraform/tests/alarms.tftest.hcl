# What is watched.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  alarm_topic_arns = ["arn:aws:sns:eu-central-1:111122223333:on-call"]
}

run "six_alarms_that_tell_somebody" {
  command = plan

  assert {
    condition = toset([for alarm in aws_cloudwatch_metric_alarm.queue : alarm.alarm_name]) == toset(flatten([for name in ["request", "confirmation"] :
      ["bookflow-${name}-oldest-message", "bookflow-${name}-depth", "bookflow-${name}-dead-letters"]
    ]))
    error_message = "Age, depth and dead letters of both queues."
  }
  assert {
    condition = alltrue([for alarm in aws_cloudwatch_metric_alarm.queue :
      toset(alarm.alarm_actions) == toset(var.alarm_topic_arns) && toset(alarm.ok_actions) == toset(var.alarm_topic_arns)
    ])
    error_message = "The topics are told when it begins and when it is over."
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.queue : alarm.namespace == "AWS/SQS" && alarm.treat_missing_data == "notBreaching"])
    error_message = "A queue that SQS says nothing of is empty."
  }
}

run "the_oldest_message" {
  command = plan

  assert {
    condition = alltrue([for name in ["request", "confirmation"] : alltrue([for alarm in [aws_cloudwatch_metric_alarm.queue["${name}-oldest-message"]] :
      alarm.metric_name == "ApproximateAgeOfOldestMessage" && alarm.statistic == "Maximum" && alarm.comparison_operator == "GreaterThanThreshold" &&
      alarm.threshold == 300 && alarm.period == 60 && alarm.evaluation_periods == 5 && alarm.dimensions == tomap({ QueueName = "bookflow-${name}" })
    ])])
    error_message = "Older than five minutes, five minutes long."
  }
}

run "the_depth" {
  command = plan

  assert {
    condition = alltrue([for name in ["request", "confirmation"] : alltrue([for alarm in [aws_cloudwatch_metric_alarm.queue["${name}-depth"]] :
      alarm.metric_name == "ApproximateNumberOfMessagesVisible" && alarm.statistic == "Maximum" && alarm.comparison_operator == "GreaterThanThreshold" &&
      alarm.threshold == 1000 && alarm.period == 60 && alarm.evaluation_periods == 5 && alarm.dimensions == tomap({ QueueName = "bookflow-${name}" })
    ])])
    error_message = "More than a thousand, five minutes long."
  }
}

run "the_first_dead_letter" {
  command = plan

  assert {
    condition = alltrue([for name in ["request", "confirmation"] : alltrue([for alarm in [aws_cloudwatch_metric_alarm.queue["${name}-dead-letters"]] :
      alarm.metric_name == "ApproximateNumberOfMessagesVisible" && alarm.statistic == "Maximum" && alarm.comparison_operator == "GreaterThanThreshold" &&
      alarm.threshold == 0 && alarm.period == 60 && alarm.evaluation_periods == 1 && alarm.dimensions == tomap({ QueueName = "bookflow-${name}-dlq" })
    ])])
    error_message = "One letter, within a minute."
  }
}

run "an_existing_dead_letter_queue_is_watched_too" {
  command = plan

  variables {
    existing_dead_letter_queue_arns = {
      request      = "arn:aws:sqs:eu-central-1:111122223333:old-request-dlq"
      confirmation = "arn:aws:sqs:eu-central-1:111122223333:old-confirmation-dlq"
    }
  }

  assert {
    condition     = alltrue([for name in ["request", "confirmation"] : aws_cloudwatch_metric_alarm.queue["${name}-dead-letters"].dimensions == tomap({ QueueName = "old-${name}-dlq" })])
    error_message = "By the name in its ARN."
  }
}

run "thresholds_can_be_set" {
  command = plan

  variables {
    alarm_oldest_message_seconds = 60
    alarm_queue_depth            = 50
  }

  assert {
    condition     = [for name in ["request-oldest-message", "confirmation-oldest-message", "request-depth", "confirmation-depth"] : aws_cloudwatch_metric_alarm.queue[name].threshold] == [60, 60, 50, 50]
    error_message = "On both queues."
  }
}

run "no_traffic_by_choice" {
  command = plan

  variables {
    alarm_no_traffic_minutes = 30
  }

  assert {
    condition = length(aws_cloudwatch_metric_alarm.queue) == 7 && alltrue([for alarm in [aws_cloudwatch_metric_alarm.queue["request-no-traffic"]] :
      alarm.metric_name == "NumberOfMessagesSent" && alarm.statistic == "Sum" && alarm.comparison_operator == "LessThanThreshold" && alarm.threshold == 1 &&
      alarm.period == 1800 && alarm.evaluation_periods == 1 && alarm.treat_missing_data == "breaching" && alarm.dimensions == tomap({ QueueName = "bookflow-request" })
    ])
    error_message = "No request for half an hour; silence of SQS is no traffic, too."
  }
}

run "none_if_unwanted" {
  command = plan

  variables {
    alarms_enabled            = false
    alarm_no_traffic_minutes  = 30
    message_retention_seconds = 300 # no longer than the age that is not looked at
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.queue) == 0 && length(aws_cloudwatch_dashboard.queues) == 0
    error_message = "No alarm, and no dashboard unasked."
  }
}

run "a_dashboard_by_choice" {
  command = plan

  variables {
    dashboard_enabled = true
  }

  assert {
    condition = { for widget in jsondecode(aws_cloudwatch_dashboard.queues[0].dashboard_body).widgets : widget.properties.title => [
      for metric in widget.properties.metrics : "${metric[1]} ${metric[3]} ${widget.properties.stat}"
      ] } == {
      "age of the oldest message" = ["ApproximateAgeOfOldestMessage bookflow-confirmation Maximum", "ApproximateAgeOfOldestMessage bookflow-request Maximum"]
      "dead letters"              = ["ApproximateNumberOfMessagesVisible bookflow-confirmation-dlq Maximum", "ApproximateNumberOfMessagesVisible bookflow-request-dlq Maximum"]
      "messages sent"             = ["NumberOfMessagesSent bookflow-confirmation Sum", "NumberOfMessagesSent bookflow-request Sum"]
      "messages that wait"        = ["ApproximateNumberOfMessagesVisible bookflow-confirmation Maximum", "ApproximateNumberOfMessagesVisible bookflow-request Maximum"]
    }
    error_message = "Four graphs of both queues."
  }
  assert {
    condition     = alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.queues[0].dashboard_body).widgets : widget.properties.region == "eu-central-1"])
    error_message = "In the queues' region."
  }
}
