# What AWS would answer. Each queue has an ARN and a URL of its own: with those that Terraform makes up
# all would be one, and a swapped queue would pass. "unset" is what the module left to AWS. Of SSE-SQS it
# says true and false, so that true, false and unset can be told apart.

override_resource {
  target          = aws_sqs_queue.main["request"]
  override_during = plan
  values = {
    arn                               = "arn:aws:sqs:eu-central-1:111122223333:bookflow-request"
    url                               = "https://sqs.eu-central-1.amazonaws.com/111122223333/bookflow-request"
    deduplication_scope               = "unset"
    fifo_throughput_limit             = "unset"
    redrive_policy                    = "unset"
    kms_data_key_reuse_period_seconds = -1
    sqs_managed_sse_enabled           = true
  }
}

override_resource {
  target          = aws_sqs_queue.main["confirmation"]
  override_during = plan
  values = {
    arn                               = "arn:aws:sqs:eu-central-1:111122223333:bookflow-confirmation"
    url                               = "https://sqs.eu-central-1.amazonaws.com/111122223333/bookflow-confirmation"
    deduplication_scope               = "unset"
    fifo_throughput_limit             = "unset"
    redrive_policy                    = "unset"
    kms_data_key_reuse_period_seconds = -1
    sqs_managed_sse_enabled           = false
  }
}

override_resource {
  target          = aws_sqs_queue.dead_letters["request"]
  override_during = plan
  values = {
    arn                               = "arn:aws:sqs:eu-central-1:111122223333:bookflow-request-dlq"
    url                               = "https://sqs.eu-central-1.amazonaws.com/111122223333/bookflow-request-dlq"
    deduplication_scope               = "unset"
    fifo_throughput_limit             = "unset"
    redrive_policy                    = "unset"
    kms_data_key_reuse_period_seconds = -1
    sqs_managed_sse_enabled           = true
  }
}

override_resource {
  target          = aws_sqs_queue.dead_letters["confirmation"]
  override_during = plan
  values = {
    arn                               = "arn:aws:sqs:eu-central-1:111122223333:bookflow-confirmation-dlq"
    url                               = "https://sqs.eu-central-1.amazonaws.com/111122223333/bookflow-confirmation-dlq"
    deduplication_scope               = "unset"
    fifo_throughput_limit             = "unset"
    redrive_policy                    = "unset"
    kms_data_key_reuse_period_seconds = -1
    sqs_managed_sse_enabled           = false
  }
}
