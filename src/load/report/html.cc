#include "load/report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/markup.h"
#include "load/report/html_charts.h"

namespace securebase::load {
namespace {

// Colours of the lines are told apart by people who do not tell red from green (Okabe and Ito).
constexpr std::string_view kStyle = R"css(
:root{--ink:#15202b;--soft:#5b6b7b;--rule:#dfe5ec;--paper:#fff;--page:#f4f6f9;--blue:#0072b2;--orange:#d55e00;--green:#008a63;
--purple:#a8478b;--good:#0a7d54;--goodbg:#e3f5ed;--bad:#b3261e;--badbg:#fce8e6;--warn:#8a5a00;--warnbg:#fff3d6;--none:#e9edf2}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#93a4b5;--rule:#2b3744;--paper:#161d26;--page:#0d1218;--blue:#56b4e9;
--orange:#f0924c;--green:#3fc79a;--purple:#d993c4;--good:#52d6a2;--goodbg:#12352a;--bad:#ff8a80;--badbg:#41191a;--warn:#ffcf70;
--warnbg:#3a2e10;--none:#232d38}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1020px;margin:0 auto;padding:28px 18px 60px}
header{display:flex;flex-wrap:wrap;gap:6px 18px;align-items:baseline;margin-bottom:18px}
h1{font-size:1.55rem;line-height:1.2;margin:0;letter-spacing:-.015em;overflow-wrap:anywhere}
header p{margin:0;color:var(--soft);flex-basis:100%;overflow-wrap:anywhere}
h2{font-size:1.02rem;margin:0 0 2px;letter-spacing:-.005em}
section{background:var(--paper);border:1px solid var(--rule);border-radius:12px;padding:18px 20px;margin:0 0 16px}
section>p.about{margin:0 0 10px;color:var(--soft);font-size:.88rem;max-width:95ch}
.badge{font-weight:650;font-size:.82rem;padding:3px 11px;border-radius:99px;background:var(--none);color:var(--soft)}
.badge.pass{background:var(--goodbg);color:var(--good)}.badge.fail{background:var(--badbg);color:var(--bad)}
.badge.unknown{background:var(--warnbg);color:var(--warn)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(135px,1fr));gap:12px;margin:0 0 16px}
.fact{background:var(--paper);border:1px solid var(--rule);border-radius:12px;padding:12px 15px}
.fact b{display:block;font-size:1.42rem;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums;line-height:1.3}
.fact span{color:var(--soft);font-size:.83rem;display:block}
.doubt{border-color:var(--warn);background:var(--warnbg);color:var(--warn)}.doubt ul{margin:6px 0 0;padding-left:20px}
.chart{overflow-x:auto}.chart svg{display:block;width:100%;min-width:560px;height:auto}
.grid{stroke:var(--rule);stroke-width:1}.tick{fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.c1{stroke:var(--blue)}.c2{stroke:var(--orange)}.c3{stroke:var(--green)}.c4{stroke:var(--purple)}
.p50{stroke:var(--green)}.p95{stroke:var(--orange)}.p99{stroke:var(--purple)}.bad{stroke:var(--bad)}
.heat rect{fill:var(--blue)}.area{fill:var(--blue);fill-opacity:.22;stroke:var(--blue);stroke-width:1.5}
.legend{margin:8px 0 0;font-size:.85rem;color:var(--soft)}.key{display:inline-flex;align-items:center;margin-right:18px;gap:7px}
.key i{width:16px;height:0;border-top:3px solid var(--blue);display:inline-block;border-radius:2px}
.key i.c2,.key i.p95{border-color:var(--orange)}.key i.c3,.key i.p50{border-color:var(--green)}.key i.c4,.key i.p99{border-color:var(--purple)}
.key i.bad{border-color:var(--bad)}.key i.heat{height:11px;border:0;background:linear-gradient(90deg,transparent,var(--blue));width:30px}
.key i[class^=hop]{height:11px;border:0}
.key i.area{height:11px;border:1px solid var(--blue);background:color-mix(in srgb,var(--blue) 22%,transparent)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th{font-weight:600;color:var(--soft);font-size:.8rem;text-align:right;padding:6px 9px;border-bottom:1px solid var(--rule);white-space:nowrap}
td{text-align:right;padding:7px 9px;border-bottom:1px solid var(--rule);white-space:nowrap}tr:last-child td{border-bottom:0}
th:first-child,td:first-child{text-align:left;padding-left:0;white-space:normal;overflow-wrap:anywhere;min-width:150px}
td.bad{color:var(--bad);stroke:none;font-weight:600}td.seen{text-align:left;color:var(--soft);white-space:normal}
.bars{display:grid;grid-template-columns:minmax(64px,max-content) 1fr max-content;gap:7px 12px;align-items:center;font-size:.9rem}
.bars div{height:13px;border-radius:4px;background:var(--blue);min-width:2px}.bars div.bad{background:var(--bad)}
.way{display:flex;height:15px;border-radius:4px;overflow:hidden;background:var(--none)}.way i{display:block;height:100%}
.hop0{background:#0072b2}.hop1{background:#d55e00}.hop2{background:#008a63}.hop3{background:#a8478b}.hop4{background:#e69f00}
.hop5{background:#56b4e9}.hop6{background:#7a5c3e}.hop7{background:#6a6fd1}.hop8{background:#94a500}.hop9{background:#c4342d}
.bars em{font-style:normal;font-variant-numeric:tabular-nums;color:var(--soft)}
.two{display:grid;grid-template-columns:1fr 1fr;gap:16px}.two section{margin:0}.two{margin-bottom:16px}
.none{color:var(--soft);margin:6px 0}footer{color:var(--soft);font-size:.82rem;margin-top:22px}
@media (max-width:680px){main{padding:18px 11px 40px}section{padding:14px 13px}.two{grid-template-columns:1fr}
.facts{grid-template-columns:1fr 1fr;gap:9px}.fact b{font-size:1.2rem}.tick{font-size:14px}}
@media print{:root{--page:#fff}body{font-size:12px}main{max-width:none;padding:0}section,.fact{break-inside:avoid;border-color:#bbb}
.chart svg{min-width:0}.scroll{overflow:visible}table{font-size:11px}th{font-size:10.5px}th,td{padding:5px 4px}
th:first-child,td:first-child{min-width:0}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
)css";

std::string_view class_of(ReportView::Verdict verdict) {
  switch (verdict) {
    case ReportView::Verdict::kPass:
      return "pass";
    case ReportView::Verdict::kFail:
      return "fail";
    case ReportView::Verdict::kUnknown:
      return "unknown";
    case ReportView::Verdict::kNone:
      break;
  }
  return "";
}

// 12,345 and 1.25: whole numbers with their thousands apart.
std::string grouped(double value) {
  if (value != std::floor(value)) return fmt::format("{:.2f}", value);
  std::string digits = fmt::format("{:.0f}", std::abs(value));
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return value < 0 ? "-" + digits : digits;
}

std::string length_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string header(const ReportView& view) {
  std::string out = fmt::format("<header><h1>{}</h1>", base::markup_escaped(view.title));
  if (!view.verdict_text.empty()) {
    out += fmt::format("<span class=\"badge {}\">{}</span>", class_of(view.verdict),
                       base::markup_escaped(view.verdict_text));
  }
  out += fmt::format("<p>{}{}{}{}{}{}</p></header>\n", base::markup_escaped(view.tool),
                     view.target.empty() ? "" : " against ", base::markup_escaped(view.target),
                     view.started.empty() ? "" : ", began ", base::markup_escaped(view.started),
                     view.seconds > 0 ? ", ran " + length_text(view.seconds) : "");
  return out;
}

std::string facts(const ReportView& view) {
  std::string out = "<div class=\"facts\">";
  for (const auto& fact : view.facts) {
    out += fmt::format("<div class=\"fact\"><span>{}</span><b>{}</b><span>{}</span></div>",
                       base::markup_escaped(fact.label), base::markup_escaped(fact.value),
                       base::markup_escaped(fact.note));
  }
  return out + "</div>\n";
}

std::string doubts(const ReportView& view) {
  if (view.doubts.empty()) return {};
  std::string out =
      "<section class=\"doubt\"><h2>This run measured the load generator</h2>Its numbers say little of the target:<ul>";
  for (const auto& doubt : view.doubts) out += fmt::format("<li>{}</li>", base::markup_escaped(doubt));
  return out + "</ul></section>\n";
}

std::string checks(const ReportView& view) {
  if (view.checks.empty()) return {};
  std::string out =
      "<section><h2>Checks</h2><div class=\"scroll\"><table><tr><th>Asked for</th><th></th><th></th></tr>";
  for (const auto& check : view.checks) {
    const auto verdict = class_of(check.verdict);
    out += fmt::format("<tr><td>{}</td><td class=\"seen\">{}</td><td><span class=\"badge {}\">{}</span></td></tr>",
                       base::markup_escaped(check.text), base::markup_escaped(check.seen), verdict,
                       verdict == "unknown" ? "no verdict" : verdict);
  }
  return out + "</table></div></section>\n";
}

std::string_view class_of(ReportView::Comparison::Kind kind) {
  switch (kind) {
    case ReportView::Comparison::Kind::kBetter:
      return "pass";
    case ReportView::Comparison::Kind::kWorse:
      return "fail";
    case ReportView::Comparison::Kind::kUnclear:
      return "unknown";
    case ReportView::Comparison::Kind::kSame:
      break;
  }
  return "";
}

std::string comparison(const ReportView& view) {
  if (view.comparison_note.empty()) return {};
  std::string out = fmt::format("<section><h2>Compared with the baseline</h2><p class=\"about\">{}</p>",
                                base::markup_escaped(view.comparison_note));
  if (view.comparisons.empty()) return out + "</section>\n";
  out +=
      "<div class=\"scroll\"><table><tr><th></th><th>baseline</th><th>this run</th><th>change</th><th>99 % "
      "interval</th>"
      "<th></th></tr>";
  for (const auto& one : view.comparisons) {
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td><span class=\"badge {}\">{}</span></td></tr>",
        base::markup_escaped(one.name), base::markup_escaped(one.before), base::markup_escaped(one.after),
        base::markup_escaped(one.change), base::markup_escaped(one.interval), class_of(one.kind),
        base::markup_escaped(one.verdict));
  }
  return out + "</table></div></section>\n";
}

std::string clocks(const ReportView& view) {
  std::string out =
      "<section><h2>Latency by percentile</h2><p class=\"about\">How long answers took, from the fastest to the "
      "slowest; each nine is as wide as the one before it.</p>";
  out += percentile_chart(view.curves);
  out +=
      "<div class=\"scroll\"><table><tr><th>Clock</th><th>answers</th><th>min</th><th>mean</th><th>p50</th><th>p90</th>"
      "<th>p95</th><th>p99</th><th>p99.9</th><th>max</th></tr>";
  for (const auto& curve : view.curves) {
    const auto& d = curve.distribution;
    if (d.count == 0) continue;
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td>", base::markup_escaped(curve.label),
                       grouped(static_cast<double>(d.count)), time_text(d.minimum), time_text(d.mean));
    for (const double percent : {50.0, 90.0, 95.0, 99.0, 99.9})
      out += fmt::format("<td>{}</td>", time_text(d.at(percent)));
    out += fmt::format("<td>{}</td></tr>", time_text(d.maximum));
  }
  return out + "</table></div></section>\n";
}

std::string bars(std::string_view title, const std::vector<ReportView::Count>& counts, std::string_view none) {
  double most = 0;
  for (const auto& one : counts) most = std::max(most, one.count);
  std::string out = fmt::format("<section><h2>{}</h2>", title);
  if (counts.empty()) return out + fmt::format("<p class=\"none\">{}</p></section>", none);
  out += "<div class=\"bars\">";
  for (const auto& one : counts) {
    out +=
        fmt::format("<span>{}</span><div{} style=\"width:{:.1f}%\"></div><em>{}</em>", base::markup_escaped(one.label),
                    one.bad ? " class=\"bad\"" : "", most > 0 ? 100 * one.count / most : 0, grouped(one.count));
  }
  return out + "</div></section>";
}

std::string endpoints(const ReportView& view) {
  if (view.endpoints.empty()) return {};
  std::string out =
      "<section><h2>Endpoints</h2><p class=\"about\">Latency to the first byte, by the slowest p95 first; "
      "failed are 4xx, 5xx and requests without an answer.</p><div class=\"scroll\"><table><tr><th>Endpoint</th>"
      "<th>requests</th><th>failed</th><th>p50</th><th>p95</th><th>p99</th><th>max</th></tr>";
  for (const auto& one : view.endpoints) {
    out += fmt::format("<tr><td>{}</td><td>{}</td><td{}>{}</td>", base::markup_escaped(one.name), grouped(one.requests),
                       one.failed > 0 ? " class=\"bad\"" : "",
                       one.requests > 0 ? fmt::format("{:.2f} %", 100 * one.failed / one.requests) : std::string("-"));
    for (const double percent : {50.0, 95.0, 99.0}) {
      out += fmt::format("<td>{}</td>", one.latency.count > 0 ? time_text(one.latency.at(percent)) : "-");
    }
    out += fmt::format("<td>{}</td></tr>", one.latency.count > 0 ? time_text(one.latency.maximum) : "-");
  }
  return out + "</table></div></section>\n";
}

// One bar to a route, as long as its p95 against the slowest one's, cut by hops.
std::string way_of_requests(const ReportView& view) {
  if (view.routes.empty()) return {};
  constexpr std::size_t kColours = 10;
  std::string out =
      "<section><h2>Where the time went in SecureBase</h2><p class=\"about\">Counted over every request of a route, "
      "around its p95; the target's own time, so without the network and the generator.</p><div "
      "class=\"scroll\"><table>"
      "<tr><th>Route</th><th>requests</th><th>p50</th><th>p95</th><th>around the p95</th></tr>";
  std::array<bool, kColours> seen{};
  for (const auto& route : view.routes) {
    double whole = 0;
    for (const auto& [name, seconds] : route.hops_s) whole += seconds;
    std::string way;
    for (std::size_t i = 0; i < route.hops_s.size(); ++i) {
      const auto& [name, seconds] = route.hops_s[i];
      const double percent = whole > 0 ? 100 * seconds / whole : 0;
      if (percent < 0.5) continue;
      seen[i % kColours] = true;
      way += fmt::format("<i class=\"hop{}\" style=\"width:{:.1f}%\" title=\"{} {}, {:.0f} %\"></i>", i % kColours,
                         percent, base::markup_escaped(name), time_text(seconds * 1000), percent);
    }
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td style=\"min-width:160px\"><div "
        "class=\"way\">{}</div></td></tr>",
        base::markup_escaped(route.name), grouped(route.requests), time_text(route.p50_s * 1000),
        time_text(route.p95_s * 1000), way);
  }
  out += "</table></div><p class=\"legend\">";
  const auto& names = view.routes.front().hops_s;
  for (std::size_t i = 0; i < names.size() && i < kColours; ++i) {
    if (seen[i])
      out +=
          fmt::format("<span class=\"key\"><i class=\"hop{}\"></i>{}</span>", i, base::markup_escaped(names[i].first));
  }
  return out + "</p></section>\n";
}

}  // namespace

std::string html_report(const ReportView& view) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><title>{} - "
      "load test"
      "</title><style>{}</style></head><body><main>\n",
      base::markup_escaped(view.title), kStyle);
  out += header(view) + facts(view) + doubts(view) + checks(view) + comparison(view) + clocks(view);
  out += "<section><h2>Latency over time</h2>" + latency_chart(view) + "</section>\n";
  out += "<section><h2>Requests over time</h2>" + rate_chart(view) + "</section>\n";
  out += "<div class=\"two\">" + bars("Answers by status", view.codes, "There was no answer.") +
         bars("Errors", view.errors, "None: every request was answered.") + "</div>\n";
  out += endpoints(view) + way_of_requests(view);
  out +=
      "<footer>Written by SecureBase. Everything is in this file; it fetches nothing.</footer></main></body></html>\n";
  return out;
}

}  // namespace securebase::load
