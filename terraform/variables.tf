# --- Names

variable "name_prefix" {
  description = "What every name begins with: queues are called PREFIX-request and PREFIX-confirmation. IAM policies belong to the whole account, so each region needs a prefix of its own."
  type        = string
  default     = "bookflow"
  nullable    = false

  validation {
    # A queue's name has at most 80 characters, and the longest is PREFIX-confirmation-dlq.fifo.
    condition     = can(regex("^[0-9A-Za-z_-]{1,58}$", var.name_prefix))
    error_message = "Write 1 to 58 of A-Z a-z 0-9 _ -."
  }
}

variable "tags" {
  description = "Tags of every queue, policy and alarm."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.tags) <= 50
    error_message = "AWS takes at most 50 tags."
  }

  validation {
    # What all three services take: IAM takes least, and would say so after the queues are made.
    condition = alltrue([for key, value in var.tags :
      can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value)) && !startswith(lower(key), "aws:")
    ])
    error_message = "A tag's key has 1 to 128 characters and does not begin with aws:, its value has at most 256. Write letters, digits, spaces and _ . : / = + - @."
  }
}

# --- Messages

variable "visibility_timeout_seconds" {
  description = "How long a received message is hidden. The workers ask for their own, shorter time with every receive and renew it; this is for every other reader. `bookflow doctor` warns below 30."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.visibility_timeout_seconds >= 0 && var.visibility_timeout_seconds <= 43200
    error_message = "Write 0 to 43200 seconds."
  }
}

variable "receive_wait_time_seconds" {
  description = "How long a receive waits for a message. The workers ask for 20 themselves."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.receive_wait_time_seconds >= 0 && var.receive_wait_time_seconds <= 20
    error_message = "Write 0 to 20 seconds."
  }
}

variable "message_retention_seconds" {
  description = "How long a message waits for its worker before SQS drops it."
  type        = number
  default     = 345600
  nullable    = false

  validation {
    condition     = var.message_retention_seconds >= 60 && var.message_retention_seconds <= 1209600
    error_message = "Write 60 to 1209600 seconds."
  }
}

variable "max_message_size" {
  description = "The largest message in bytes. Dead-letter queues always take 1048576, since a dead letter carries its reason besides."
  type        = number
  default     = 262144
  nullable    = false

  validation {
    condition     = var.max_message_size >= 1024 && var.max_message_size <= 1048576
    error_message = "Write 1024 to 1048576 bytes."
  }
}

variable "delay_seconds" {
  description = "How long a new message is hidden. A booking waits that much longer for its answer."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.delay_seconds >= 0 && var.delay_seconds <= 900
    error_message = "Write 0 to 900 seconds."
  }
}

# --- Dead letters

variable "max_attempts" {
  description = "BOOKFLOW_MAX_ATTEMPTS of the environment files: how often a worker tries before it dead-letters a message with its reason."
  type        = number
  default     = 8
  nullable    = false

  validation {
    condition     = contains(range(1, 51), var.max_attempts)
    error_message = "Write a whole number from 1 to 50."
  }
}

variable "max_receive_count" {
  description = "How often a message is received before SQS itself dead-letters it, without a reason. Keep it well above max_attempts: restarts and drains cost receives, too."
  type        = number
  default     = 100
  nullable    = false

  validation {
    # The rule of `bookflow doctor`: the worker's attempts, three crashes and one more.
    condition     = contains(range(var.max_attempts + 4, 1001), var.max_receive_count)
    error_message = "Write a whole number from max_attempts + 4 to 1000."
  }
}

variable "dead_letter_retention_seconds" {
  description = "How long a dead letter is kept. Longer than message_retention_seconds: a letter that SQS moves keeps its age."
  type        = number
  default     = 1209600
  nullable    = false

  validation {
    condition     = var.dead_letter_retention_seconds <= 1209600
    error_message = "Write at most 1209600 seconds."
  }

  validation {
    condition     = var.existing_dead_letter_queue_arns != null || var.dead_letter_retention_seconds > var.message_retention_seconds
    error_message = "Dead letters must be kept longer than messages (message_retention_seconds)."
  }
}

variable "existing_dead_letter_queue_arns" {
  description = "Dead-letter queues that are there already, of the same account and region, one each. Their attributes, redrive-allow policies and queue policies stay their owner's: they must list the queues of this module."
  type        = object({ request = string, confirmation = string })
  default     = null

  validation {
    condition = try(alltrue([for arn in values(var.existing_dead_letter_queue_arns) :
      can(regex("^arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[0-9A-Za-z_-]{1,80}(\\.fifo)?$", arn)) && endswith(arn, ".fifo") == var.fifo
    ]), var.existing_dead_letter_queue_arns == null)
    error_message = "Write ARNs of SQS queues; of FIFO queues if and only if fifo is true."
  }

  validation {
    condition     = try(var.existing_dead_letter_queue_arns.request != var.existing_dead_letter_queue_arns.confirmation, true)
    error_message = "Each queue needs a dead-letter queue of its own."
  }
}

# --- FIFO

variable "fifo" {
  description = "FIFO queues: the events of one booking stay in order. Standard queues are enough, bookflow's states only move up. Changing it makes new queues."
  type        = bool
  default     = false
  nullable    = false
}

variable "fifo_high_throughput" {
  description = "FIFO queues whose deduplication and quota count per message group, that is per booking."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = var.fifo || !var.fifo_high_throughput
    error_message = "High throughput needs fifo = true."
  }
}

# --- Encryption

variable "kms_key_arn" {
  description = "A KMS key for all queues; without one SQS encrypts with keys of its own (SSE-SQS). The key's policy must let the account's IAM policies decide."
  type        = string
  default     = null

  validation {
    # IAM policies name keys, not aliases.
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[0-9A-Za-z-]+$", var.kms_key_arn))
    error_message = "Write the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID), not of an alias."
  }
}

variable "kms_data_key_reuse_period_seconds" {
  description = "How long SQS reuses a data key before it calls KMS again: longer is cheaper and rides out throttling, shorter revokes sooner."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.kms_data_key_reuse_period_seconds >= 60 && var.kms_data_key_reuse_period_seconds <= 86400
    error_message = "Write 60 to 86400 seconds."
  }
}

# --- IAM

variable "create_iam_policies" {
  description = "Makes the three IAM policies. If false, their documents are in the output iam_policy_documents only."
  type        = bool
  default     = true
  nullable    = false
}

variable "iam_path" {
  description = "Path of the IAM policies."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([!-.0-~]+/)*$", var.iam_path)) && length(var.iam_path) <= 512
    error_message = "Write / or /a/path/ of at most 512 characters."
  }
}

# --- Watching

variable "alarms_enabled" {
  description = "Makes the CloudWatch alarms."
  type        = bool
  default     = true
  nullable    = false
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told when an alarm is raised and when it is over."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.alarm_topic_arns) <= 5
    error_message = "An alarm takes at most 5 actions."
  }

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[0-9A-Za-z_-]{1,256}$", arn))])
    error_message = "Write ARNs of standard SNS topics."
  }
}

variable "alarm_oldest_message_seconds" {
  description = "Alarm when the oldest message of a queue has waited longer than this for five minutes: its worker is down or cannot keep up."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = !var.alarms_enabled || var.alarm_oldest_message_seconds >= 1 && var.alarm_oldest_message_seconds < var.message_retention_seconds
    error_message = "Write 1 second or more, and less than message_retention_seconds: SQS has dropped what is older."
  }
}

variable "alarm_queue_depth" {
  description = "Alarm when more messages than this wait in a queue for five minutes."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.alarm_queue_depth >= 1
    error_message = "Write 1 or more messages."
  }
}

variable "alarm_no_traffic_minutes" {
  description = "Alarm when no request was sent for so many minutes; null leaves this alarm out."
  type        = number
  default     = null

  validation {
    # CloudWatch looks back a day at most.
    condition     = try(var.alarm_no_traffic_minutes >= 1 && var.alarm_no_traffic_minutes <= 1440 && floor(var.alarm_no_traffic_minutes) == var.alarm_no_traffic_minutes, true)
    error_message = "Write 1 to 1440 whole minutes, or null."
  }
}

variable "dashboard_enabled" {
  description = "Makes a CloudWatch dashboard of both queues and their dead letters."
  type        = bool
  default     = false
  nullable    = false
}

# --- The workers

variable "endpoint_url" {
  description = "AWS_ENDPOINT_URL_SQS of the environment files: a VPC endpoint, or an SQS server on this machine; null for the public endpoint."
  type        = string
  default     = null

  validation {
    # As the workers have it: credentials go nowhere in the clear. Nothing that an EnvironmentFile would
    # read as more than one plain value.
    condition     = var.endpoint_url == null || can(regex("^(https://[0-9A-Za-z][0-9A-Za-z._-]*|http://(localhost|127\\.[0-9.]+|\\[::1\\]))(:[0-9]{1,5})?/?$", var.endpoint_url))
    error_message = "Write https://HOST[:PORT], or http://127.0.0.1:PORT for a server on this machine."
  }
}
