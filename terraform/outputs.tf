output "queue_arns" {
  description = "ARNs of the queues: request, confirmation."
  value       = local.main_arns
}

output "queue_urls" {
  description = "URLs of the queues: request, confirmation."
  value       = local.queue_urls
}

output "dead_letter_queue_arns" {
  description = "ARNs of the dead-letter queues, made here or given: request, confirmation."
  value       = local.dead_letter_arns
}

output "iam_policy_arns" {
  description = "ARNs of the IAM policies, to attach to the roles of the machines: intake, decision, operator. Empty without create_iam_policies."
  value       = { for program, policy in aws_iam_policy.program : program => policy.arn }
}

output "iam_policy_documents" {
  description = "The same policies as JSON: intake, decision, operator."
  value       = local.iam_policy_documents
}

output "alarm_arns" {
  description = "ARNs of the alarms, by name: request-oldest-message, confirmation-depth, ..."
  value       = { for name, alarm in aws_cloudwatch_metric_alarm.queue : name => alarm.arn }
}

output "environment_files" {
  description = "The environment files of both units, byte for byte: intake, decision. They hold no secret."
  value       = local.environment_files
}
