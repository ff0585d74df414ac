// Every metric that notifications record: CloudWatch's of AWS/SNS (SNS developer guide, "Monitoring Amazon SNS topics
// using CloudWatch"). Dimension: TopicName.
#pragma once

#include "telemetry/metrics.h"

namespace securebase::notify {

using telemetry::Metric;
using telemetry::Unit;

inline constexpr std::string_view kNamespace = "AWS/SNS";

inline constexpr Metric kPublished{kNamespace, "NumberOfMessagesPublished", Unit::kCount, "Messages that were taken."};
inline constexpr Metric kPublishSize{kNamespace, "PublishSize", Unit::kBytes, "Sizes of the messages taken."};
inline constexpr Metric kDelivered{kNamespace, "NumberOfNotificationsDelivered", Unit::kCount,
                                   "Deliveries that a receiver acknowledged."};
inline constexpr Metric kFailed{kNamespace, "NumberOfNotificationsFailed", Unit::kCount,
                                "Deliveries given up, after all retries or at a permanent refusal."};
inline constexpr Metric kFilteredOut{kNamespace, "NumberOfNotificationsFilteredOut", Unit::kCount,
                                     "Messages that a subscription's filter policy did not let through."};
inline constexpr Metric kFilteredByAttributes{kNamespace, "NumberOfNotificationsFilteredOut-MessageAttributes",
                                              Unit::kCount, "The same, by policies on attributes."};
inline constexpr Metric kFilteredNoAttributes{kNamespace, "NumberOfNotificationsFilteredOut-NoMessageAttributes",
                                              Unit::kCount, "The same, because the message has no attributes."};
inline constexpr Metric kFilteredByBody{kNamespace, "NumberOfNotificationsFilteredOut-MessageBody", Unit::kCount,
                                        "The same, by policies on the body."};
inline constexpr Metric kFilteredInvalidBody{kNamespace, "NumberOfNotificationsFilteredOut-InvalidMessageBody",
                                             Unit::kCount, "The same, because the body is no JSON object."};
inline constexpr Metric kRedriven{kNamespace, "NumberOfNotificationsRedrivenToDlq", Unit::kCount,
                                  "Deliveries given up that went to the dead-letter list."};
inline constexpr Metric kDwellTime{"SecureBase/Notify", "DwellTime", Unit::kMilliseconds,
                                   "From a message's acknowledgement to its delivery."};
inline constexpr Metric kQueueLength{"SecureBase/Notify", "QueueLength", Unit::kCount, "Deliveries that wait."};
inline constexpr Metric kDeadLetters{"SecureBase/Notify", "DeadLetters", Unit::kCount, "Deliveries given up and kept."};

}  // namespace securebase::notify
