# The environment files of the systemd units: only what this module knows. Credentials come from the
# machine's role.

locals {
  queue_urls = { for name, queue in aws_sqs_queue.main : name => queue.url }

  # A server of one's own may call itself by a name that only it can resolve.
  on_this_machine = try(startswith(var.endpoint_url, "http:"), false)
  worker_urls = {
    for name, queue in aws_sqs_queue.main : name => (
      local.on_this_machine ? "${trimsuffix(var.endpoint_url, "/")}/${local.account}/${queue.name}" : queue.url
    )
  }

  environment = concat([
    "AWS_REGION=${local.region}",
    "SQS_BOOKING_REQUEST_QUEUE_URL=${local.worker_urls["request"]}",
    "SQS_BOOKING_CONFIRMATION_QUEUE_URL=${local.worker_urls["confirmation"]}",
    "BOOKFLOW_MAX_ATTEMPTS=${var.max_attempts}",
  ], [for url in var.endpoint_url[*] : "AWS_ENDPOINT_URL_SQS=${url}"])

  environment_files = {
    for worker, queues in local.workers : worker => join("", [
      for line in concat(["# bookflow serve ${worker}"], local.environment) : "${line}\n"
    ])
  }
}
