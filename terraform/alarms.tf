# Alarms on age, depth and dead letters of both queues, and a dashboard of the same.

locals {
  queue_names       = { for name in local.queues : name => "${var.name_prefix}-${name}${local.name_suffix}" }
  dead_letter_names = { for name in local.queues : name => element(split(":", local.dead_letter_arns[name]), 5) }
  readers           = { request = "decision", confirmation = "intake" }

  alarms = merge(
    { for name in local.queues : "${name}-oldest-message" => {
      queue              = local.queue_names[name]
      metric             = "ApproximateAgeOfOldestMessage"
      statistic          = "Maximum"
      comparison         = "GreaterThanThreshold"
      threshold          = var.alarm_oldest_message_seconds
      period             = 60
      evaluation_periods = 5
      missing            = "notBreaching"
      description        = "Messages wait for the ${local.readers[name]} worker: see its /ready and its log."
    } },
    { for name in local.queues : "${name}-depth" => {
      queue              = local.queue_names[name]
      metric             = "ApproximateNumberOfMessagesVisible"
      statistic          = "Maximum"
      comparison         = "GreaterThanThreshold"
      threshold          = var.alarm_queue_depth
      period             = 60
      evaluation_periods = 5
      missing            = "notBreaching"
      description        = "The ${local.readers[name]} worker cannot keep up: see its /metrics and its log."
    } },
    # One letter is one booking that nobody answers, so at once.
    { for name in local.queues : "${name}-dead-letters" => {
      queue              = local.dead_letter_names[name]
      metric             = "ApproximateNumberOfMessagesVisible"
      statistic          = "Maximum"
      comparison         = "GreaterThanThreshold"
      threshold          = 0
      period             = 60
      evaluation_periods = 1
      missing            = "notBreaching"
      description        = "Dead letters: bookflow dlq list --queue ${name} tells the reasons, dlq redrive sends them again."
    } },
    { for minutes in var.alarm_no_traffic_minutes[*] : "request-no-traffic" => {
      queue              = local.queue_names["request"]
      metric             = "NumberOfMessagesSent"
      statistic          = "Sum"
      comparison         = "LessThanThreshold"
      threshold          = 1
      period             = 60 * minutes
      evaluation_periods = 1
      missing            = "breaching" # SQS says nothing of a queue that nobody uses
      description        = "No booking was requested for ${minutes} minutes: see the intake worker."
    } },
  )

  dashboard_graphs = {
    "messages that wait"        = { metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", names = local.queue_names }
    "age of the oldest message" = { metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum", names = local.queue_names }
    "messages sent"             = { metric = "NumberOfMessagesSent", statistic = "Sum", names = local.queue_names }
    "dead letters"              = { metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", names = local.dead_letter_names }
  }
}

resource "aws_cloudwatch_metric_alarm" "queue" {
  for_each = { for name, alarm in local.alarms : name => alarm if var.alarms_enabled }

  alarm_name          = "${var.name_prefix}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/SQS"
  dimensions          = { QueueName = each.value.queue }
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.evaluation_periods
  treat_missing_data  = each.value.missing
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}

resource "aws_cloudwatch_dashboard" "queues" {
  count = var.dashboard_enabled ? 1 : 0

  dashboard_name = var.name_prefix
  dashboard_body = jsonencode({
    widgets = [for title, graph in local.dashboard_graphs : {
      type   = "metric"
      width  = 12
      height = 6
      properties = {
        title   = title
        region  = local.region
        stat    = graph.statistic
        period  = 60
        metrics = [for name in local.queues : ["AWS/SQS", graph.metric, "QueueName", graph.names[name]]]
      }
    }]
  })
}
