// Every metric that page views make. Dimensions: application_name, as CloudWatch RUM's own; and the same again with
// PageId, for each page. PageLoadTime, TTFBTime, DomContentLoadedTime and the first paint are SecureBase's.
#pragma once

#include "telemetry/metrics.h"

namespace securebase::rum {

using telemetry::Metric;
using telemetry::Unit;

inline constexpr std::string_view kNamespace = "AWS/RUM";

inline constexpr Metric kPageViews{kNamespace, "PageViewCount", Unit::kCount, "Page loads that were reported."};
inline constexpr Metric kScriptErrors{kNamespace, "JsErrorCount", Unit::kCount,
                                      "Errors and rejections that no script of the page caught."};
inline constexpr Metric kPageLoadTime{kNamespace, "PageLoadTime", Unit::kMilliseconds,
                                      "From the start of the navigation to the end of the load event."};
inline constexpr Metric kNavigationDuration{kNamespace, "PerformanceNavigationDuration", Unit::kMilliseconds,
                                            "The same, by CloudWatch RUM's name."};
inline constexpr Metric kFirstByte{kNamespace, "TTFBTime", Unit::kMilliseconds,
                                   "From the start of the navigation to the first byte of the page."};
inline constexpr Metric kDomContentLoaded{kNamespace, "DomContentLoadedTime", Unit::kMilliseconds,
                                          "Until the page is parsed and its deferred scripts have run."};
inline constexpr Metric kFirstPaint{kNamespace, "WebVitalsFirstContentfulPaint", Unit::kMilliseconds,
                                    "Until the first text or picture is drawn."};
inline constexpr Metric kLargestPaint{kNamespace, "WebVitalsLargestContentfulPaint", Unit::kMilliseconds,
                                      "Until the largest text or picture is drawn."};
inline constexpr Metric kNextPaint{kNamespace, "WebVitalsInteractionToNextPaint", Unit::kMilliseconds,
                                   "From the page's slowest click or key, of many nearly so, to the next picture."};
inline constexpr Metric kLayoutShift{kNamespace, "WebVitalsCumulativeLayoutShift", Unit::kNone,
                                     "How much of the page moved by itself, in its worst moment."};
// CloudWatch RUM's thresholds, Apdex with 2 s.
inline constexpr Metric kSatisfied{kNamespace, "NavigationSatisfiedTransaction", Unit::kCount,
                                   "Page loads of less than 2 s."};
inline constexpr Metric kTolerated{kNamespace, "NavigationToleratedTransaction", Unit::kCount,
                                   "Page loads of 2 s to less than 8 s."};
inline constexpr Metric kFrustrated{kNamespace, "NavigationFrustratedTransaction", Unit::kCount,
                                    "Page loads of 8 s and more."};

}  // namespace securebase::rum
