# Both queues and their dead-letter queues. Intake publishes to request and consumes confirmation, the
# decision worker the other way round.

locals {
  queues      = toset(["request", "confirmation"])
  name_suffix = var.fifo ? ".fifo" : ""

  deduplication_scope   = var.fifo ? (var.fifo_high_throughput ? "messageGroup" : "queue") : null
  fifo_throughput_limit = var.fifo ? (var.fifo_high_throughput ? "perMessageGroupId" : "perQueue") : null

  dead_letter_arns = {
    for name in local.queues : name => (
      var.existing_dead_letter_queue_arns == null ? aws_sqs_queue.dead_letters[name].arn : var.existing_dead_letter_queue_arns[name]
    )
  }

  # arn:PARTITION:sqs:REGION:ACCOUNT:NAME: spares the caller a data source, and works in any partition.
  arn_parts = split(":", aws_sqs_queue.main["request"].arn)
  region    = local.arn_parts[3]
  account   = local.arn_parts[4]
}

resource "aws_sqs_queue" "main" {
  for_each = local.queues

  name                       = "${var.name_prefix}-${each.key}${local.name_suffix}"
  visibility_timeout_seconds = var.visibility_timeout_seconds
  receive_wait_time_seconds  = var.receive_wait_time_seconds
  message_retention_seconds  = var.message_retention_seconds
  max_message_size           = var.max_message_size
  delay_seconds              = var.delay_seconds

  # The workers name group and deduplication id of every message.
  fifo_queue            = var.fifo
  deduplication_scope   = local.deduplication_scope
  fifo_throughput_limit = local.fifo_throughput_limit

  redrive_policy = jsonencode({
    deadLetterTargetArn = local.dead_letter_arns[each.key]
    maxReceiveCount     = var.max_receive_count
  })

  # The provider refuses both kinds of encryption together, even one of them as false.
  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = var.kms_key_arn == null ? null : var.kms_data_key_reuse_period_seconds

  tags = var.tags
}

resource "aws_sqs_queue" "dead_letters" {
  for_each = var.existing_dead_letter_queue_arns == null ? local.queues : toset([])

  name                       = "${var.name_prefix}-${each.key}-dlq${local.name_suffix}"
  visibility_timeout_seconds = var.visibility_timeout_seconds
  receive_wait_time_seconds  = var.receive_wait_time_seconds
  message_retention_seconds  = var.dead_letter_retention_seconds
  max_message_size           = 1048576

  # SQS moves letters only between queues of one kind.
  fifo_queue            = var.fifo
  deduplication_scope   = local.deduplication_scope
  fifo_throughput_limit = local.fifo_throughput_limit

  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = var.kms_key_arn == null ? null : var.kms_data_key_reuse_period_seconds

  tags = var.tags
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  for_each = aws_sqs_queue.dead_letters

  queue_url = each.value.url
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.main[each.key].arn]
  })
}

resource "aws_sqs_queue_policy" "tls_only" {
  for_each = merge(
    { for name, queue in aws_sqs_queue.main : name => queue },
    { for name, queue in aws_sqs_queue.dead_letters : "${name}-dlq" => queue },
  )

  queue_url = each.value.url
  policy = jsonencode({
    Version = "2012-10-17" # with any other the provider waits in vain for SQS to say the same
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = each.value.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
